import stringWidth from 'string-width';
import { cut, table } from './table.ts';

const GAP = 2;
const NARROWEST = 8;

/**
 * A table no wider than `columns`: the widest column gives way first, down to eight columns. Undefined leaves every cell
 * whole, for a pipe or a file.
 */
export const fittedTable = (
  header: readonly string[],
  rows: ReadonlyArray<readonly string[]>,
  columns: number | undefined,
): string => {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => stringWidth(row[column] ?? ''))));
  const fixed = GAP * (header.length - 1);
  while (columns !== undefined && widths.reduce((sum, width) => sum + width, fixed) > columns) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= NARROWEST) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  const [cutHeader = [], ...cutRows] = all.map((row) => row.map((cell, column) => cut(cell, widths[column] ?? 0)));
  return table(cutHeader, cutRows, Number.POSITIVE_INFINITY);
};

/** The width of the terminal that stdout is; undefined where it is none. */
export const terminalColumns = (): number | undefined => (process.stdout.isTTY ? process.stdout.columns : undefined);
