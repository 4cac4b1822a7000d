import { hash } from 'node:crypto';
import type { DuplicateRule } from '../integration/schema/schema.ts';
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue, parseJson } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import { isBlank } from './values.ts';

/** Ids and hashes of one snapshot: what later records are compared with. Holds no records. */
export type Memory = {
  /** Id of every record that was ready → a fingerprint of its content; `UNKNOWN` after a resumption. */
  contents: Map<string, number>;
  /** By duplicate rule: key → id of the first record. */
  firsts: Map<string, string>[];
  /** Id as the target gets it → source id, where the two differ. */
  targets: Map<string, string>;
  /** Id as the target gets it → the first source id that it was refused to. */
  contested: Map<string, string>;
};

/** A fact worth keeping for the case that the run is resumed elsewhere. */
export type Fact =
  | ['duplicate', rule: number, key: string, id: string]
  | ['target' | 'contested', targetId: string, id: string];

/** No fingerprint: the id was seen before, its content is not known any more. */
export const UNKNOWN = -1;

/** 30 bits of a content hash: small enough for a million of them, used for words only. */
export const fingerprint = (hash: string): number => Buffer.from(hash, 'base64url').readUInt32BE(0) >>> 2;

export const learn = (memory: Memory, fact: Fact): void => {
  switch (fact[0]) {
    case 'duplicate': {
      const [, rule, key, id] = fact;
      memory.firsts[rule]?.set(key, id);
      return;
    }
    case 'target':
      memory.targets.set(fact[1], fact[2]);
      return;
    case 'contested':
      memory.contested.set(fact[1], fact[2]);
      return;
    default:
      fact satisfies never;
  }
};

/** A fact as the opaque key that a ledger chunk keeps. */
export const writeFact = (fact: Fact): string => JSON.stringify(fact);

const readFact = (text: string): Fact => {
  const fact = parseJson(text);
  if (isFact(fact)) return fact;
  throw new TypeError(`not a key of a snapshot's memory: ${text.slice(0, 40)}`);
};

const isFact = (value: JsonValue): value is Fact => {
  if (isJsonObject(value) || !Array.isArray(value)) return false;
  const [kind, ...rest] = value;
  if (kind === 'duplicate') return rest.length === 3 && typeof rest[0] === 'number';
  return (kind === 'target' || kind === 'contested') && rest.length === 2;
};

/** A memory for so many duplicate rules, with what an earlier part of the run had learnt. */
export const openMemory = (
  duplicateRules: number,
  earlier: { ids: Iterable<string>; memory: Iterable<string> } = { ids: [], memory: [] },
): Memory => {
  const memory: Memory = {
    contents: new Map(),
    firsts: Array.from({ length: duplicateRules }, () => new Map()),
    targets: new Map(),
    contested: new Map(),
  };
  for (const id of earlier.ids) memory.contents.set(id, UNKNOWN);
  for (const text of earlier.memory) learn(memory, readFact(text));
  return memory;
};

const KEY_BYTES = 12;

/**
 * The key under which records are duplicates by this rule; undefined: the record is nobody's duplicate.
 *
 * With a blank text in any of the fields, or no value in the first, there is no key: two groups without a name are not
 * one group. A field that both records lack counts as equal, as for a group without `parent_id`.
 */
export const duplicateKey = (record: JsonObject, { by }: DuplicateRule): string | undefined => {
  const values = by.map((path) => readPath(record, path));
  if (isBlank(values[0]) || values.some((value) => typeof value === 'string' && isBlank(value))) return undefined;
  const text = canonicalJson(values.map((value) => value ?? null));
  // 96 bits instead of texts of any length: a run remembers one for each record. Cut before it becomes text, since a
  // slice of a text keeps the whole in memory.
  return hash('sha256', text, 'buffer').subarray(0, KEY_BYTES).toString('base64url');
};

/** What happens to a record that repeats `firstId` under a rule. */
export const duplicateOutcome = (
  { by, action }: DuplicateRule,
  firstId: string,
): { outcome: 'merged' | 'filtered' | 'invalid'; reason: string } => {
  const reason = `same ${by.join(', ')} as record ${firstId}`;
  switch (action) {
    case 'merge':
      return { outcome: 'merged', reason };
    case 'delete':
      return { outcome: 'filtered', reason };
    case 'reject':
      return { outcome: 'invalid', reason };
    default:
      return action satisfies never;
  }
};
