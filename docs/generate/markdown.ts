export type Language = 'en' | 'zh';

export const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

export const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

/**
 * `text` with the part between its marks brought up to date:
 *
 *     <!-- generated: NAME (npm run schema) -->
 *     <!-- end of NAME -->
 *
 * Throws RangeError where the marks are missing.
 */
export const withPart = (text: string, name: string, part: string): string => {
  const begin = `<!-- generated: ${name} (npm run schema) -->`;
  const [from, to] = [text.indexOf(begin), text.indexOf(`<!-- end of ${name} -->`)];
  if (from < 0 || to < from) throw new RangeError(`the marks of "${name}" are missing`);
  return `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`;
};
