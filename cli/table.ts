import stringWidth from 'string-width';

/** Pads by display width: a Chinese character takes two columns of a terminal. */
export const padEnd = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - stringWidth(text)));
export const padStart = (text: string, width: number): string =>
  ' '.repeat(Math.max(0, width - stringWidth(text))) + text;

/** Cuts by display width and says so with an ellipsis. */
export const cut = (text: string, width: number): string => {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  for (const character of text) {
    if (stringWidth(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
};

/** As `cut`, at the front: of names that begin alike the end is kept. */
export const cutFront = (text: string, width: number): string => {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  for (const character of [...text].reverse()) {
    if (stringWidth(character + kept) > width - 1) break;
    kept = character + kept;
  }
  return `…${kept}`;
};

/** Rows under a header, columns as wide as their widest cell (at most `maxWidth`). */
export const table = (header: readonly string[], rows: ReadonlyArray<readonly string[]>, maxWidth = 60): string => {
  const cells = [header, ...rows].map((row) => row.map((cell) => cut(cell, maxWidth)));
  const widths = header.map((_, column) => Math.max(...cells.map((row) => stringWidth(row[column] ?? ''))));
  return cells
    .map((row) =>
      row
        .map((cell, column) => padEnd(cell, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};
