/** A Markdown table; all columns but the first are numbers and stand right. */
export const markdownTable = (header: readonly string[], rows: ReadonlyArray<readonly string[]>): string =>
  [
    `| ${header.join(' | ')} |`,
    `| ${header.map((_, column) => (column === 0 ? '---' : '---:')).join(' | ')} |`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');

export const grouped = (value: number): string => value.toLocaleString('en-US');

/** A measured value beside what it may be at most, with a mark where it is more. */
export const atMost = (value: number, limit: number, text: string): string =>
  value <= limit ? text : `**${text}, above ${limit}**`;
