import { contentHash } from '../idcheck/hash.ts';
import type { TransformPlan } from '../integration/compile/run-plan.ts';
import { judge } from '../integration/dialect/condition.ts';
import { isJsonObject, isNestedDeeperThan, isNumber, type JsonObject, type JsonValue } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import { defined } from '../runtime/defined.ts';
import { expand } from './expand.ts';
import { mapRecord } from './map.ts';
import {
  duplicateKey,
  duplicateOutcome,
  type Fact,
  fingerprint,
  learn,
  type Memory,
  openMemory,
  UNKNOWN,
  writeFact,
} from './memory.ts';
import { parentOf } from './tree.ts';
import { identify, isBlank, kindOf, targetIdIn, trimRecord } from './values.ts';

/** What cleaning and mapping made of one fetched record. */
export type Prepared =
  | {
      outcome: 'ready';
      id: string;
      number?: string;
      hash: string;
      body: JsonObject;
      /** The record that must be loaded before this one; absent: none must. */
      parentId?: string;
      /** The record as it was mapped: filtered and cleaned. For people who compare the two; not kept. */
      record?: JsonObject;
    }
  | LeftOut;

/** `hasNoId`: nobody can say which record this is, and `id` is its place. */
type LeftOut = { outcome: 'filtered' | 'invalid' | 'merged'; id: string; reason: string; hasNoId?: true };

export type Transform = {
  /**
   * Starts a snapshot. A resumed one is given the ids of the records that were ready before (whatever became of them
   * then) and the memory that their pages returned; throws TypeError where the memory is not from here.
   */
  begin(earlier?: { ids: Iterable<string>; memory: Iterable<string> }): Snapshot;
};

/** One snapshot of the source on its way through, page by page. */
export type Snapshot = {
  /**
   * At least one `Prepared` for each record, in their order; several where the source block splits it. Never throws for
   * what the records are. `memory`: what a resumed run must be given again, beside the ids. `rows`: of each
   * `Prepared` the record that it was made of.
   */
  prepare(
    records: readonly JsonValue[],
    place: (index: number) => string,
  ): { prepared: Prepared[]; memory: string[]; rows: JsonValue[] };
  /** Whether a record with this id was ready so far. */
  has(id: string): boolean;
};

/** A record that is clean and mapped, but not yet compared with the others. */
type Candidate = {
  outcome: 'candidate';
  id: string;
  number: string | undefined;
  /** After cleaning. */
  record: JsonObject;
  body: JsonObject;
  hash: string;
  /** The id as the target gets it. */
  targetId: string;
  parentId: string | undefined;
};

// Deeper ones are attacks or accidents, and walking them would exhaust the stack.
const MAX_LEVELS = 100;

const MAX_NUMBER_CHARACTERS = 200;

const invalid = (id: string, reason: string): LeftOut => ({ outcome: 'invalid', id, reason });

const numberOf = (record: JsonObject, path: string | undefined): string | undefined => {
  const value = path === undefined ? undefined : readPath(record, path);
  return typeof value === 'string' || isNumber(value) ? String(value).slice(0, MAX_NUMBER_CHARACTERS) : undefined;
};

/** Filters, cleans and maps one record, looking at nothing but the record. */
const candidateOf = (raw: JsonValue, place: string, plan: TransformPlan): Candidate | Prepared => {
  const { trims, blank, body: bodyPlan, dependsOn } = plan;
  if (!isJsonObject(raw)) return { ...invalid(place, `not an object but ${kindOf(raw)}`), hasNoId: true };
  const identity = identify(raw, plan.id);
  const named: Pick<LeftOut, 'id' | 'hasNoId'> = 'id' in identity ? identity : { id: place, hasNoId: true };
  if (isNestedDeeperThan(raw, MAX_LEVELS)) {
    return { outcome: 'invalid', ...named, reason: `nested more than ${MAX_LEVELS} levels deep` };
  }
  const judged = judge(plan.condition, raw);
  if ('reason' in judged) {
    return { outcome: 'filtered', ...named, reason: judged.reason };
  }
  if ('reason' in identity) return { outcome: 'invalid', ...named, reason: identity.reason };
  const { id } = identity;
  const record = trims ? trimRecord(judged.record) : judged.record;
  const blankField = blank?.fields.find((path) => isBlank(readPath(record, path)));
  if (blank !== undefined && blankField !== undefined) {
    return { outcome: blank.outcome, id, reason: `${blankField}: is blank` };
  }
  const mapped = mapRecord(bodyPlan, record);
  if ('reason' in mapped) return invalid(id, mapped.reason);
  const { body } = mapped;
  const tree = dependsOn === undefined ? {} : parentOf(record, id, dependsOn);
  if ('reason' in tree) return invalid(id, tree.reason);
  const { parentId } = tree;
  const number = numberOf(record, plan.number);
  const targetId = targetIdIn(body, bodyPlan.idKey) ?? id;
  return { outcome: 'candidate', id, number, record, body, hash: contentHash(body), targetId, parentId };
};

/** Ids that become one and the same id in the target, within one page: target id → the ids. */
const collisionsIn = (candidates: readonly (Candidate | Prepared)[]): Map<string, Set<string>> => {
  const idsOf = new Map<string, Set<string>>();
  for (const candidate of candidates) {
    if (candidate.outcome !== 'candidate') continue;
    const ids = idsOf.get(candidate.targetId);
    if (ids === undefined) idsOf.set(candidate.targetId, new Set([candidate.id]));
    else ids.add(candidate.id);
  }
  return new Map([...idsOf].filter(([, ids]) => ids.size > 1));
};

/** The other id that this one would meet in the target, known from before. */
const rivalOf = ({ id, targetId }: Candidate, { contents, targets, contested }: Memory): string | undefined => {
  const refused = contested.get(targetId);
  if (refused !== undefined) return refused === id ? 'another id' : refused;
  const owner = targets.get(targetId) ?? (contents.has(targetId) ? targetId : undefined);
  return owner === id ? undefined : owner;
};

const collision = ({ id, targetId }: Candidate, rival: string): Prepared =>
  invalid(id, `becomes ${targetId} in the target, as ${rival} does`);

const repeatReason = (candidate: Candidate, earlier: number): string => {
  if (earlier === UNKNOWN) return 'repeats an id of this snapshot; the first is kept';
  return earlier === fingerprint(candidate.hash)
    ? 'repeats a record of this snapshot'
    : 'repeats an id of this snapshot with other content; the first is kept';
};

/** Opens what a plan says of records as one pure step of the journey. */
export const openTransform = (plan: TransformPlan): Transform => {
  const { duplicates } = plan;

  const begin: Transform['begin'] = (earlier) => {
    const memory = openMemory(duplicates.length, earlier);

    const settle = (candidate: Candidate, note: (fact: Fact) => void): Prepared => {
      const { id, number, record, body, hash, targetId, parentId } = candidate;
      const rival = rivalOf(candidate, memory);
      if (rival !== undefined) return collision(candidate, rival);
      const known = memory.contents.get(id);
      if (known !== undefined) return { outcome: 'merged', id, reason: repeatReason(candidate, known) };
      const keys = duplicates.map((rule) => duplicateKey(record, rule));
      for (const [index, rule] of duplicates.entries()) {
        const firstId = memory.firsts[index]?.get(keys[index] ?? '');
        if (firstId !== undefined) return { id, ...duplicateOutcome(rule, firstId) };
      }
      for (const [index, key] of keys.entries()) if (key !== undefined) note(['duplicate', index, key, id]);
      if (targetId !== id) note(['target', targetId, id]);
      memory.contents.set(id, fingerprint(hash));
      return {
        outcome: 'ready',
        id,
        ...defined({ number }),
        hash,
        body,
        ...defined({ parentId }),
        record,
      };
    };

    return {
      has: (id) => memory.contents.has(id),
      prepare: (records, place) => {
        const facts: string[] = [];
        const note = (fact: Fact): void => {
          learn(memory, fact);
          facts.push(writeFact(fact));
        };
        const expanded = records.flatMap((row, index) =>
          expand(row, place(index), plan.expand).map((one) => ({ row, one })),
        );
        const candidates = expanded.map(({ one }) =>
          'record' in one ? candidateOf(one.record, one.place, plan) : one,
        );
        const collisions = collisionsIn(candidates);
        const prepared = candidates.map((candidate): Prepared => {
          if (candidate.outcome !== 'candidate') return candidate;
          const { id, targetId } = candidate;
          const ids = collisions.get(targetId);
          // An id of an earlier page has won already: only the newcomers are refused.
          if (ids === undefined || memory.targets.has(targetId) || memory.contents.has(targetId)) {
            return settle(candidate, note);
          }
          if (!memory.contested.has(targetId)) note(['contested', targetId, id]);
          return collision(candidate, [...ids].filter((other) => other !== id).join(', '));
        });
        return { prepared, memory: facts, rows: expanded.map(({ row }) => row) };
      },
    };
  };
  return { begin };
};
