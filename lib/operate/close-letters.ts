import { discarded, resolved, type Unresolvable, type Verdict } from '../idcheck/by-hand.ts';
import { type IdCheck, type IdStore, stateName } from '../idcheck/item.ts';
import type { Letter } from '../messages/dead-letter.ts';
import { isMeant, type LetterFilter, visitEveryLetter } from '../messages/dead-letter-queue.ts';
import { presentGeneration } from '../runs/evidence.ts';
import type { RunStore } from '../runs/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import type { Stores } from '../stores/stores.ts';
import { stateOfLetter } from './letters.ts';

export type CloseDeps = Pick<Stores, 'deadLetters' | 'idStore' | 'audit'> & {
  runs: Pick<Stores['runs'], 'ends'>;
  clock: Clock;
};

/** Who closes letters, and why: for the audit log. */
export type Signature = { by: string; why: string };

/** What a discard did, or on a dry run would do. */
export type Discarded = {
  discarded: Array<Pick<Letter, 'integration' | 'id' | 'reason' | 'messageId'>>;
  /** Uncertain records are not for discarding: someone must say what the target has (`dlq resolve`). */
  mustBeResolved: string[];
  /** Other integrations that have such letters, too: those stay. */
  others: string[];
};

/** Which letters are discarded. Letters that name no integration may be discarded with any. */
type DiscardRequest = LetterFilter & { dryRun?: boolean };

/**
 * Deletes letters for good. The record's item keeps what is known of it, and notes that a person gave its letter up; a
 * later failure of its content writes a letter again. The audit log is written before each deletion.
 */
export const discard = async (
  { integration: meant, dryRun, limit = Number.POSITIVE_INFINITY, ...filter }: DiscardRequest,
  signature: Signature,
  deps: CloseDeps,
): Promise<Discarded> => {
  const { deadLetters, idStore, runs, audit, clock } = deps;
  const result: Discarded = { discarded: [], mustBeResolved: [], others: [] };
  await visitEveryLetter(deadLetters, async (letter) => {
    if (result.discarded.length >= limit) return 'stop';
    if (!isMeant(letter, filter)) return 'stays';
    const { reason, messageId, message } = letter;
    const hash = message?.hash ?? letter.hash;
    const integration = letter.integration ?? message?.integration;
    if (meant !== undefined && integration !== undefined && integration !== meant) {
      if (!result.others.includes(integration)) result.others.push(integration);
      return 'stays';
    }
    const id = letter.id ?? message?.id;
    const state = stateOfLetter(letter);
    const isOfRecord = integration !== undefined && state !== undefined && id !== undefined && hash !== undefined;
    const item = isOfRecord ? await readItem(idStore, state, id) : undefined;
    // What was parked in a state that was replaced is nobody's to resolve.
    const isPresent = isOfRecord && state === (await presentState(integration, runs));
    if (isPresent && reason === 'uncertain' && item?.trouble?.kind === 'parked') {
      result.mustBeResolved.push(item.id);
      return 'stays';
    }
    result.discarded.push({
      reason,
      messageId,
      ...defined({ integration }),
      ...defined({ id }),
    });
    if (dryRun) return 'stays';
    await audit.add({
      atMs: clock.nowMs(),
      action: 'discarded',
      ...defined({ integration }),
      id: id ?? messageId,
      reason,
      ...signature,
    });
    if (isOfRecord) await changeItem(idStore, state, id, (stored) => discarded(stored, hash, clock.nowMs()));
    await deadLetters.delete([letter.handle]);
    return 'gone';
  });
  return result;
};

/** What became of one id that a person resolved. */
export type Resolved = { id: string } & (
  | { kind: 'resolved'; lettersDeleted: number }
  | { kind: 'unresolvable'; why: Unresolvable }
);

/** What became of each id; or the id that is uncertain in several integrations. */
type Resolution =
  | { kind: 'done'; results: Array<Resolved & { integration?: string }> }
  | { kind: 'ambiguous'; id: string; integrations: string[] };

/** As `resolveIds`, for ids in any of the integrations. Changes nothing where one id is uncertain in several. */
export const resolveRecords = async (
  ids: readonly string[],
  integrations: readonly string[],
  verdict: Verdict,
  signature: Signature,
  deps: CloseDeps,
): Promise<Resolution> => {
  const results: Array<Resolved & { integration?: string }> = [];
  const byIntegration = new Map<string, string[]>();
  for (const id of ids) {
    const { found, why } = await whereUncertain(id, integrations, verdict, deps);
    const [only, ...more] = found;
    if (more.length > 0) return { kind: 'ambiguous', id, integrations: found };
    if (only === undefined) results.push({ id, kind: 'unresolvable', why });
    else byIntegration.set(only, [...(byIntegration.get(only) ?? []), id]);
  }
  for (const [integration, these] of byIntegration) {
    const resolvedHere = await resolveIds(integration, these, verdict, signature, deps);
    results.push(...resolvedHere.map((one) => ({ ...one, integration })));
  }
  return { kind: 'done', results };
};

const whereUncertain = async (
  id: string,
  integrations: readonly string[],
  verdict: Verdict,
  { idStore, runs, clock }: CloseDeps,
): Promise<{ found: string[]; why: Unresolvable }> => {
  const found: string[] = [];
  let why: Unresolvable = 'unknown-id';
  for (const name of integrations) {
    const tried = resolved(await readItem(idStore, await presentState(name, runs), id), verdict, clock.nowMs());
    if (tried.kind === 'resolved') found.push(name);
    else if (tried.why !== 'unknown-id') why = tried.why;
  }
  return { found, why };
};

/**
 * Writes down what a person found out about uncertain records, and deletes their letters. Records that are not
 * uncertain stay as they are, with the reason. The audit log is written first: an entry without its change can be seen,
 * a change without its entry could not.
 */
export const resolveIds = async (
  integration: string,
  ids: readonly string[],
  verdict: Verdict,
  signature: Signature,
  deps: CloseDeps,
): Promise<Resolved[]> => {
  const { idStore, runs, audit, clock } = deps;
  const state = await presentState(integration, runs);
  const results: Resolved[] = [];
  for (const id of new Set(ids)) {
    const asked = resolved(await readItem(idStore, state, id), verdict, clock.nowMs());
    if (asked.kind === 'unresolvable') {
      results.push({ id, ...asked });
      continue;
    }
    await audit.add({
      atMs: clock.nowMs(),
      action: verdict === 'loaded' ? 'resolved-loaded' : 'resolved-not-loaded',
      integration,
      id,
      reason: 'uncertain',
      ...signature,
    });
    await changeItem(idStore, state, id, (stored) => {
      const now = resolved(stored, verdict, clock.nowMs());
      return now.kind === 'resolved' ? now.item : undefined;
    });
    results.push({ id, kind: 'resolved', lettersDeleted: 0 });
  }
  const counts = await deleteLetters(
    state,
    new Set(results.filter(({ kind }) => kind === 'resolved').map(({ id }) => id)),
    deps,
  );
  return results.map((result) =>
    result.kind === 'resolved' ? { ...result, lettersDeleted: counts.get(result.id) ?? 0 } : result,
  );
};

const deleteLetters = async (
  state: string,
  ids: ReadonlySet<string>,
  { deadLetters }: CloseDeps,
): Promise<Map<string, number>> => {
  const deleted = new Map<string, number>();
  if (ids.size === 0) return deleted;
  await visitEveryLetter(deadLetters, async (letter) => {
    const isResolved = stateOfLetter(letter) === state && letter.id !== undefined && ids.has(letter.id);
    // A record's rejected content is another matter than the one in doubt.
    if (!isResolved || letter.id === undefined || letter.reason === 'rejected') return 'stays';
    deleted.set(letter.id, (deleted.get(letter.id) ?? 0) + 1);
    await deadLetters.delete([letter.handle]);
    return 'gone';
  });
  return deleted;
};

/** Under which name idCheck keeps the present state of an integration. */
export const presentState = async (integration: string, runs: Pick<RunStore, 'ends'>): Promise<string> =>
  stateName(integration, await presentGeneration(integration, runs));

/** What idCheck knows of an id in a state. */
export const readItem = async (store: IdStore, state: string, id: string): Promise<IdCheck | undefined> =>
  (await store.read(state, [id])).get(id);

// A loader may write the same item at the same time. After so many lost rounds something else keeps writing it.
const MAX_ROUNDS = 5;

/** Thrown when an item kept changing under the operator's hands. */
export class ItemBusyError extends Error {
  override readonly name = 'ItemBusyError';
  readonly code = 'item-busy';
}

/**
 * Writes what `next` makes of an item; undefined: the item stays. Begins anew after a lost race. Throws ItemBusyError.
 */
export const changeItem = async (
  store: IdStore,
  state: string,
  id: string,
  next: (stored: IdCheck | undefined) => IdCheck | undefined,
): Promise<void> => {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const stored = await readItem(store, state, id);
    const item = next(stored);
    if (stored === undefined || item === undefined) return;
    if ((await store.write(state, item, { rev: stored.rev })) === 'written') return;
  }
  throw new ItemBusyError(`the item of ${id} is being written by others; try again`);
};
