import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';
import { type Fault, type FaultPath, formatPath } from '../../runtime/fault.ts';
import { suggestion } from '../../runtime/nearest.ts';
import { isUnused, type Reading, sourceKeys, targetKeys } from '../dialect/keys.ts';
import type { Positions } from './positions.ts';
import { type Finding, fault, warning } from './shape.ts';

/** How a key is read in this very file: a setting of our own may go before it. */
const readingIn = (raw: JsonValue, reading: Reading): Reading =>
  reading.as === 'honoured' && reading.unless !== undefined && readPath(raw, reading.unless) !== undefined
    ? { as: 'ignored', would: 'give that', why: `${reading.unless} decides` }
    : reading;

const notUsed = (key: string, known: readonly string[]): string =>
  `a key known here${suggestion(key, known)}; the run goes on without it`;

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
      : [warning(place, `nothing: ${wordsOf(reading)}; the run goes on without it`)];
  });

/** The keys of an object that nobody here knows. */
export const strangersIn = (value: JsonValue | undefined, known: readonly string[], path: FaultPath): Finding[] =>
  isJsonObject(value)
    ? Object.keys(value)
        .filter((key) => !known.includes(key))
        .map((key) => warning([...path, key], notUsed(key, known)))
    : [];

/** How one key of a pasted block is read: what becomes of it, and what it does or why it does not. */
export type KeyReading = {
  side: 'source' | 'target';
  key: string;
  as: 'honoured' | 'noted' | 'ignored' | 'refused' | 'unknown' | 'unused';
  why: string;
  position: { line: number; column: number };
};

const blocks = [
  ['source', sourceKeys],
  ['target', targetKeys],
] as const;

const isAtOrUnder = ({ path }: Fault, place: string): boolean =>
  path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}[`);

/** What a key's reading does, or why it is not carried out, in words. */
export const wordsOf = (reading: Reading): string => {
  switch (reading.as) {
    case 'honoured':
      return reading.does;
    case 'noted':
      return 'describes, and changes nothing';
    case 'ignored':
      return `it would ${reading.would}; ${reading.why}`;
    case 'refused':
      return reading.why;
    default:
      return reading satisfies never;
  }
};

/** What was expected at places inside a key: `request[1].parser: …`. */
const insideWords = (found: readonly Fault[], around: string): string =>
  found.map(({ path, expected }) => `${path.slice(around.length).replace(/^\./, '')}: expected ${expected}`).join('; ');

/** What becomes of the `rowsKey` of a batch: the platform itself takes stored rows from there, and sends no such key. */
const rowsKeyNote = (filled: JsonValue): string => {
  const operation = readPath(filled, 'target.metadata.operation');
  if (!isJsonObject(operation) || operation.method !== 'batchArraySave') return '';
  const list = readPath(filled, 'target.send.request.list');
  return typeof list === 'string'
    ? `; records go under ${JSON.stringify(list)}, and rowsKey is not sent`
    : '; the platform itself would not send rowsKey as a key of the body: name the one it sends in otherRequest.key or target.send.request.list';
};

/**
 * Says of each key of the two blocks how it is read in this file. A key with a fault anywhere inside is refused as a
 * whole. `filled`: with what blocks and profiles say filled in; `faults` and `warnings` are those of the whole file.
 */
export const keyReadings = (
  raw: JsonValue,
  filled: JsonValue,
  positions: Positions,
  faults: readonly Fault[],
  warnings: readonly Fault[],
): KeyReading[] =>
  blocks.flatMap(([side, readings]) => {
    const block = readPath(raw, `${side}.metadata`);
    if (!isJsonObject(block)) return [];
    const around = `${side}.metadata`;
    return Object.entries(block).map(([key, value]): KeyReading => {
      const path = [side, 'metadata', key];
      const place = formatPath(path);
      const row = { side, key, position: positions.of(path) };
      const refusals = faults.filter((fault) => isAtOrUnder(fault, place));
      if (refusals.length > 0) return { ...row, as: 'refused', why: insideWords(refusals, around) };
      const known = Object.hasOwn(readings, key) ? readings[key] : undefined;
      if (known === undefined) return { ...row, as: 'unknown', why: 'kept; the run goes on without it' };
      if (isUnused(value)) return { ...row, as: 'unused', why: 'holds nothing' };
      const reading = readingIn(raw, known);
      const also = key === 'operation' && side === 'target' ? rowsKeyNote(filled) : '';
      const inside = warnings.filter((warning) => isAtOrUnder(warning, place) && warning.path !== place);
      const notes = inside.length === 0 ? '' : `; ${insideWords(inside, around)}`;
      return { ...row, as: reading.as, why: `${wordsOf(reading)}${also}${notes}` };
    });
  });
