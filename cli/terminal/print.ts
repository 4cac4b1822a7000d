import { escapedUnit, printable, UNPRINTABLE } from '../../lib/runtime/printable.ts';

const isPlain = (value: object): boolean =>
  Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null;

const shownValue = (value: unknown): unknown => {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(shownValue);
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shownValue(inner)]));
};

/**
 * Data as a screen may be made of it: every text in it is printable. A record's id with a line end would else make a
 * line of its own. Pure.
 */
// The copy has the shape of the original: only texts are other texts.
export const shown = <Data>(data: Data): Data => shownValue(data) as Data;

/** The colours that screens use (`styleText`), and how each ends. */
const OUR_COLOURS = ['31', '32', '33', '36', '39', '2', '22'].map((code) => `\u001b[${code}m`);

/**
 * The last edge of all that is printed: line ends and our colours pass, whatever else would steer the terminal is
 * escaped. In JSON text that says the same, since it stands inside its strings. Pure.
 */
export const safe = (text: string): string =>
  text.replace(UNPRINTABLE, (unit, at: number) =>
    unit === '\n' || OUR_COLOURS.some((colour) => text.startsWith(colour, at)) ? unit : escapedUnit(unit),
  );

let hasAnswered = false;

/** Whether something stands on stdout: what goes wrong afterwards must not be a second object there. */
export const isAnswered = (): boolean => hasAnswered;

/** Prints to stdout, or to stderr. */
export const print = (text: string, stream: NodeJS.WritableStream = process.stdout): void => {
  if (stream === process.stdout) hasAnswered = true;
  stream.write(safe(text));
};
