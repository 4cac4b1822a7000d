import { isNumber, type JsonValue } from '../../json/json.ts';
import { BEIJING_OFFSET_MS } from '../../runtime/clock.ts';
import { plainDigits } from './plain-digits.ts';

// As seconds the year 5138, as milliseconds the spring of 1973.
const FIRST_MILLISECONDS = 100_000_000_000;

const DIGITS = /^-?\d+(?:\.\d+)?$/;
const COMPACT = /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2}))?$/;
const DATE =
  /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T\s]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i;

const offsetMs = (zone: string | undefined): number => {
  if (zone === undefined) return BEIJING_OFFSET_MS;
  if (zone.toUpperCase() === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
};

const fromParts = (parts: readonly (string | undefined)[], zone: string | undefined): number | undefined => {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.map((part) => Number(part ?? 0));
  const localMs = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(localMs);
  // Date.UTC turns 30 February into 1 March.
  const isReal =
    date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24;
  return isReal && minute < 60 && second < 60 ? localMs - offsetMs(zone) : undefined;
};

const fromNumber = (number: number): number | undefined =>
  Number.isFinite(number) ? Math.trunc(Math.abs(number) < FIRST_MILLISECONDS ? number * 1000 : number) : undefined;

/**
 * The instant that a value names, ms since the epoch; undefined where it names none.
 *
 * - Numbers, and texts of digits: Unix seconds below 10^11, milliseconds from there.
 * - Texts of 8 or 14 digits: `YYYYMMDD`, `YYYYMMDDHHMMSS`.
 * - `YYYY-MM-DD`, also with `/`, `.` or 年月日, with or without a time of day; in Beijing time unless `Z` or an offset
 *   follows. A day that no calendar has is none.
 */
export const instantMs = (value: JsonValue | undefined): number | undefined => {
  if (isNumber(value)) return fromNumber(Number(value));
  if (typeof value !== 'string') return undefined;
  const text = plainDigits(value);
  const compact = COMPACT.exec(text);
  if (compact !== null) return fromParts(compact.slice(1), undefined);
  if (DIGITS.test(text)) return fromNumber(Number(text));
  const date = DATE.exec(text);
  if (date === null) return undefined;
  const ms = fromParts(date.slice(1, 7), date[8]);
  return ms === undefined ? undefined : ms + Math.trunc(Number(`0.${date[7] ?? '0'}`) * 1000);
};
