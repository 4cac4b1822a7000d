import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';
import type { FaultPath } from '../../runtime/fault.ts';
import { suggestion } from '../../runtime/nearest.ts';
import type { Reading } from '../dialect/words.ts';
import type { Finding } from './shape.ts';

/** An export writes `null`, `""`, `[]` and `{}` for "not used". */
export const isUnused = (value: JsonValue | undefined): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** Something that is refused. */
export const fault = (path: FaultPath, expected: string): Finding => ({ kind: 'fault', path, expected });

/** Something that is carried out, or left out, otherwise than one may think. */
export const warning = (path: FaultPath, expected: string): Finding => ({ kind: 'warning', path, expected });

/** How a key is read in this very file: a setting of our own may go before it. */
export const readingIn = (raw: JsonValue, reading: Reading): Reading =>
  reading.as === 'honoured' && reading.unless !== undefined && readPath(raw, reading.unless) !== undefined
    ? { as: 'ignored', why: `${reading.unless} decides` }
    : reading;

const notUsed = (key: string, known: readonly string[]): string =>
  `a key known here${suggestion(key, known)}; it is kept and not used`;

/** What is to say of the keys of a block, or of an entry of its `request`. */
export const keyFindings = (
  block: JsonObject,
  readings: Readonly<Record<string, Reading>>,
  path: FaultPath,
  raw: JsonValue,
): Finding[] =>
  Object.entries(block).flatMap(([key, value]): Finding[] => {
    const known = Object.hasOwn(readings, key) ? readings[key] : undefined;
    const place = [...path, key];
    if (known === undefined) return [warning(place, notUsed(key, Object.keys(readings)))];
    const reading = readingIn(raw, known);
    if (reading.as === 'honoured' || reading.as === 'noted' || isUnused(value)) return [];
    return reading.as === 'refused'
      ? [fault(place, reading.why)]
      : [warning(place, `nothing: ${reading.why}; it is kept and not used`)];
  });

/** The keys of an object that nobody here knows. */
export const strangersIn = (value: JsonValue | undefined, known: readonly string[], path: FaultPath): Finding[] =>
  isJsonObject(value)
    ? Object.keys(value)
        .filter((key) => !known.includes(key))
        .map((key) => warning([...path, key], notUsed(key, known)))
    : [];
