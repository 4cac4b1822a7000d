import stringWidth from 'string-width';
import { printable } from '../../lib/runtime/printable.ts';

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
  const cells = [header, ...rows].map((row) => row.map((cell) => cut(printable(cell), maxWidth)));
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

const GAP = 2;
const NARROWEST = 8;
/** A column that is cut below this width says nothing: an optional column is left out first. */
const READABLE = 12;

/** What gives way where a table is too wide, by the headers of its columns. */
export type Fit = {
  /** May be cut at their end; without any word on it every column may. */
  cut?: readonly string[];
  /** May be cut at their front: names that differ in how they end. */
  cutFront?: readonly string[];
  /** Left out one after the other, in this order, before another column is cut below a readable width. */
  drop?: readonly string[];
};

/**
 * A table no wider than `columns`: columns are left out as `fit` says, then the widest of those that may be cut gives
 * way first, down to eight columns. Undefined leaves every cell whole, for a pipe or a file.
 */
export const fittedTable = (
  header: readonly string[],
  given: ReadonlyArray<readonly string[]>,
  columns: number | undefined,
  fit: Fit = {},
): string => {
  const rows = given.map((row) => row.map(printable));
  const widthsOf = (kept: readonly number[]) =>
    kept.map((column) => Math.max(...[header, ...rows].map((row) => stringWidth(row[column] ?? ''))));
  const isCuttable = (column: number): boolean => {
    const name = header[column] ?? '';
    if (fit.cut === undefined && fit.cutFront === undefined) return true;
    return (fit.cut?.includes(name) ?? false) || (fit.cutFront?.includes(name) ?? false);
  };
  let kept = header.map((_, column) => column);
  for (const name of columns === undefined ? [] : (fit.drop ?? [])) {
    const leastWidths = widthsOf(kept).map((width, at) =>
      isCuttable(kept[at] ?? 0) ? Math.min(width, READABLE) : width,
    );
    if (total(leastWidths) <= (columns ?? 0)) break;
    kept = kept.filter((column) => header[column] !== name);
  }
  const widths = widthsOf(kept);
  const shrink = (mayShrink: (column: number) => boolean) => {
    while (columns !== undefined && total(widths) > columns) {
      const shrinkable = widths.map((width, at) => (mayShrink(kept[at] ?? 0) ? width : 0));
      const widest = shrinkable.indexOf(Math.max(...shrinkable));
      if ((shrinkable[widest] ?? 0) <= NARROWEST) return;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  };
  shrink(isCuttable);
  // Wider still: anything but the first column, which names the row.
  shrink((column) => column !== 0);
  const fitted = [header, ...rows].map((row) =>
    kept.map((column, at) => {
      const isFront = fit.cutFront?.includes(header[column] ?? '') ?? false;
      return (isFront ? cutFront : cut)(row[column] ?? '', widths[at] ?? 0);
    }),
  );
  const [fittedHeader = [], ...fittedRows] = fitted;
  return table(fittedHeader, fittedRows, Number.POSITIVE_INFINITY);
};

const total = (widths: readonly number[]): number =>
  widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1));

const USUAL_COLUMNS = 80;

/**
 * The width to print for: `COLUMNS` where someone has set it, else that of the terminal that stdout is; undefined for a
 * pipe or a file. A terminal without a size (a container's) counts as one of 80 columns.
 */
export const terminalColumns = (): number | undefined => {
  const { COLUMNS = '' } = process.env;
  if (/^[1-9]\d{0,3}$/.test(COLUMNS)) return Number(COLUMNS);
  if (!process.stdout.isTTY) return undefined;
  return process.stdout.columns > 0 ? process.stdout.columns : USUAL_COLUMNS;
};
