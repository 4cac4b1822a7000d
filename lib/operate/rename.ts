import { isDeepStrictEqual } from 'node:util';
import { earlierRuns } from '../fetch/earlier-reading.ts';
import { type IdCheck, stateName } from '../idcheck/item.ts';
import { renamedLetter } from '../messages/dead-letter.ts';
import { visitEveryLetter } from '../messages/dead-letter-queue.ts';
import { messagesIn } from '../messages/queue.ts';
import { type Ends, noEnds, renamedEnds, renamedTo, takenOverEnds, watermarkName } from '../runs/ends.ts';
import { readIds, writeIds } from '../runs/id-lists.ts';
import { leftIn } from '../runs/line.ts';
import { type ExtractedRun, isUnfinished } from '../runs/record.ts';
import type { Lease } from '../runs/store.ts';
import { mapBounded } from '../runtime/bounded.ts';
import { type Clock, lasts, reachMs } from '../runtime/clock.ts';
import { OF_ALL, type Stores } from '../stores/stores.ts';
import type { Signature } from './close-letters.ts';

/** An integration that goes on under another name. */
export type Renaming = { from: string; to: string };

/** Why an integration cannot be renamed now; nothing was changed. */
export type Unrenamable =
  | { why: 'nothing-known' }
  /** The new name has a state of its own. */
  | { why: 'name-taken' }
  /** It was renamed before, to another name. */
  | { why: 'renamed-before'; name: string }
  /** A run of the old name is being worked on, or has not come to the end of taking over a target. */
  | { why: 'run-under-way'; runId: string }
  /** Of these records nobody knows yet how their request ended: it was sent under the old name's Idempotency-Key. */
  | { why: 'in-doubt'; ids: string[]; count: number };

/** `items`: records that idCheck knows under the new name; `letters`: those that were waiting, and bear it now. */
export type Renamed = { kind: 'renamed'; items: number; letters: number } | ({ kind: 'refused' } & Unrenamable);

export type RenameDeps = Pick<Stores, 'idStore' | 'runs' | 'records' | 'deadLetters' | 'audit'> & {
  clock: Clock;
  /** So long a worker's batch lasts, ms: one that began before the old name was closed may still write. */
  batchMs: number;
};

/** Thrown where something else writes to what is renamed. */
export class RenameBusyError extends Error {
  override readonly name = 'RenameBusyError';
  readonly code = 'rename-busy';
}

/** Who holds a lease for a renaming; no worker has such a name. */
const OWNER = 'rename';
const LEASE_MS = 15 * 60_000;
const RENEW_AFTER_MS = 5 * 60_000;
const COPIES_AT_ONCE = 16;
const NAMED = 20;

/**
 * Lets an integration go on under another name: what idCheck knows, watermark, addresses, last reading and letters become
 * the new name's. The old one is closed: its runs send nothing, and its messages that are still on their way end without
 * a request; the new name's first run sends what they carried. Its runs and its audit log stay where they are.
 *
 * What broke off is brought to its end by the same call: each step may be repeated, and the old name is closed when its
 * state is copied. Then all is read once more. Throws RenameBusyError.
 */
export const rename = async (renaming: Renaming, signature: Signature, deps: RenameDeps): Promise<Renamed> => {
  const { from, to } = renaming;
  const { runs, clock, records, audit } = deps;
  const [old = noEnds(), stored] = await Promise.all([runs.ends(from), runs.ends(to)]);
  const before = renamedTo(old);
  if (before !== undefined && before !== to) return { kind: 'refused', why: 'renamed-before', name: before };
  // All else is done before the old name is closed.
  if (before !== undefined) {
    const generations = { from: old.generation - 1, to: stored?.generation ?? 0 };
    await emptyLine(from, deps);
    const items = await count(stateName(to, generations.to), deps);
    return { kind: 'renamed', items, letters: await moveLetters(renaming, generations, deps) };
  }
  const ends = takenOverEnds(old, stored);
  const states = { from: stateName(from, old.generation), to: stateName(to, ends.generation) };
  const refused = (await whyTaken(to, stored, ends, deps)) ?? (await whyNotYet(from, old.rev === 0, states.from, deps));
  if (refused !== undefined) return { kind: 'refused', ...refused };

  const lease = await takeLease(from, deps);
  const entry = { action: 'renamed', id: OF_ALL, ...signature } as const;
  await audit.add({ ...entry, atMs: clock.nowMs(), integration: from, reason: `goes on as ${to}` });
  await audit.add({ ...entry, atMs: clock.nowMs(), integration: to, reason: `went by the name of ${from}` });
  await copyItems(states, lease, deps);
  const untilMs = await runs.watermark(watermarkName({ integration: from, ...old }));
  if (untilMs !== undefined) await runs.moveWatermark(watermarkName({ integration: to, ...ends }), untilMs);
  await copyLastReading(renaming, ends, deps);
  if (stored === undefined || !isSameBut(stored, ends)) await saveEnds(to, ends, deps);
  await saveEnds(from, renamedEnds(old, to), deps);
  await emptyLine(from, deps);
  // A worker that looked before that may still settle a record.
  if (messagesIn(await records.depth()) > 0) await clock.sleep(deps.batchMs);
  const items = await copyItems(states, lease, deps);
  const letters = await moveLetters(renaming, { from: old.generation, to: ends.generation }, deps);
  await lease.end();
  return { kind: 'renamed', items, letters };
};

const isSameBut = ({ rev: _, ...a }: Ends, { rev: __, ...b }: Ends): boolean => isDeepStrictEqual(a, b);

/** Why the new name cannot be taken: it has state. What a renaming has left that broke off is none. */
const whyTaken = async (
  to: string,
  stored: Ends | undefined,
  ends: Ends,
  { runs }: Pick<RenameDeps, 'runs'>,
): Promise<Unrenamable | undefined> => {
  if (stored !== undefined && renamedTo(stored) !== undefined) return undefined;
  const lease = await runs.lease(to);
  const isUnused = stored?.target === undefined && stored?.source === undefined;
  const isOurs = stored === undefined || isUnused || isSameBut(stored, ends);
  return isOurs && (lease === undefined || lease.owner === OWNER) ? undefined : { why: 'name-taken' };
};

/** Why the old name cannot be left yet. */
const whyNotYet = async (
  from: string,
  isUnsaid: boolean,
  state: string,
  { runs, idStore, clock }: Pick<RenameDeps, 'runs' | 'idStore' | 'clock'>,
): Promise<Unrenamable | undefined> => {
  const lease = await runs.lease(from);
  const nowMs = clock.nowMs();
  if (lease !== undefined && lease.owner !== OWNER && lasts(lease.untilMs, nowMs, reachMs.invocation)) {
    return { why: 'run-under-way', runId: lease.runId };
  }
  const [newest] = await runs.runs(from, 1);
  if (isUnfinished(newest) && newest.adoption !== undefined) return { why: 'run-under-way', runId: newest.runId };
  const ids: string[] = [];
  let [known, inDoubt] = [0, 0];
  for await (const items of idStore.scan(state)) {
    known += items.length;
    for (const { id } of items.filter((item) => isInDoubt(item, nowMs))) {
      inDoubt += 1;
      if (ids.length < NAMED) ids.push(id);
    }
  }
  if (inDoubt > 0) return { why: 'in-doubt', ids, count: inDoubt };
  return known === 0 && lease === undefined && isUnsaid ? { why: 'nothing-known' } : undefined;
};

/** A request of the record may be on its way, or would be sent again under its key. What is parked waits for a person. */
const isInDoubt = ({ claim, trouble, doubt }: IdCheck, nowMs: number): boolean =>
  claim !== undefined || trouble?.kind === 'uncertain' || (doubt !== undefined && doubt.untilMs > nowMs);

type HeldLease = { keep(): Promise<void>; end(): Promise<void> };

/** The old name's lease, so that no run of it begins meanwhile. It still leads to the last run. Throws RenameBusyError. */
const takeLease = async (from: string, { runs, clock }: Pick<RenameDeps, 'runs' | 'clock'>): Promise<HeldLease> => {
  let held = await runs.lease(from);
  const take = async (): Promise<Lease> => {
    const next = { integration: from, runId: held?.runId ?? from, owner: OWNER, untilMs: clock.nowMs() + LEASE_MS };
    if ((await runs.takeLease(next, held)) === 'taken') return next;
    throw new RenameBusyError(`a run of ${from} has begun; try again when it is over`);
  };
  let mine = await take();
  return {
    keep: async () => {
      if (mine.untilMs - clock.nowMs() > LEASE_MS - RENEW_AFTER_MS) return;
      held = mine;
      mine = await take();
    },
    end: () => runs.endLease(mine, clock.nowMs()),
  };
};

/**
 * Writes what is known under the old name under the new one, where it is not the same already. Each item is read there,
 * so that a second call proves the first one. Gives their number. Throws RenameBusyError.
 */
const copyItems = async (
  states: { from: string; to: string },
  lease: HeldLease,
  { idStore }: Pick<RenameDeps, 'idStore'>,
): Promise<number> => {
  let items = 0;
  for await (const page of idStore.scan(states.from)) {
    await lease.keep();
    const copies = await idStore.read(
      states.to,
      page.map(({ id }) => id),
    );
    const missing = page.filter((item) => !isDeepStrictEqual(copies.get(item.id), item));
    await mapBounded(missing, COPIES_AT_ONCE, async (item) => {
      const copy = copies.get(item.id);
      const isNewer = copy !== undefined && copy.rev >= item.rev;
      const condition = copy === undefined ? { absent: true as const } : { rev: copy.rev };
      if (isNewer || (await idStore.write(states.to, item, condition)) === 'conflict') {
        throw new RenameBusyError(`something else writes ${item.id} under the new name`);
      }
    });
    items += page.length;
  }
  return items;
};

const count = async (state: string, { idStore }: Pick<RenameDeps, 'idStore'>): Promise<number> => {
  let items = 0;
  for await (const page of idStore.scan(state)) items += page.length;
  return items;
};

/**
 * The last reading, as the new name's first run compares with it: how many rows came, which of them were absent, and
 * under which mapping. Its ledger stays with the old name, where what is open of it is superseded from now on.
 */
const copyLastReading = async (
  { from, to }: Renaming,
  { generation, sourceSinceMs }: Ends,
  { runs, clock }: Pick<RenameDeps, 'runs' | 'clock'>,
): Promise<void> => {
  const asked = { integration: from, runId: '', startedMs: Number.POSITIVE_INFINITY, sourceSinceMs };
  const { reading } = await earlierRuns({ ...asked, sourceSinceMs: sourceSinceMs ?? 0 }, runs);
  if (reading === undefined) return;
  const runId = `${to}${reading.runId.slice(from.length)}`;
  // Kept rows and lists of ids lie with the old ledger.
  const { keptChunks: _, windowHeld: __, notGiven: ___, unsettled: ____, waitsFor, ahead: _____, ...rest } = reading;
  const { open, superseded, waiting, skipped } = reading.counts;
  const isBehind = waitsFor !== undefined;
  const copy: ExtractedRun = {
    ...rest,
    integration: to,
    runId,
    counts: {
      ...reading.counts,
      superseded: superseded + open,
      open: 0,
      ...(isBehind && { skipped: skipped + waiting, waiting: 0 }),
    },
    status: reading.status === 'failed' ? 'failed' : 'balanced',
    closedMs: reading.closedMs ?? clock.nowMs(),
    ...(generation > 0 && { generation }),
  };
  const absent = await readIds('absent', reading, reading.absences ?? 0, runs);
  await writeIds('absent', copy, absent, runs);
  await runs.saveRun(copy);
  await runs.takeLease({ integration: to, runId, owner: OWNER, untilMs: clock.nowMs() }, await runs.lease(to));
};

const saveEnds = async (integration: string, ends: Ends, { runs }: Pick<RenameDeps, 'runs'>): Promise<void> => {
  if ((await runs.saveEnds(integration, ends)) === 'saved') return;
  throw new RenameBusyError(`whose state is kept of ${integration} is being changed by others; try again`);
};

/** What waits in ledgers is not sent any more: it would end without a request. Throws RenameBusyError. */
const emptyLine = async (from: string, { runs }: Pick<RenameDeps, 'runs'>): Promise<void> => {
  const line = await runs.line(from);
  if (line === undefined || leftIn(line) === 0) return;
  if ((await runs.saveLine(from, { ...line, rev: line.rev + 1, runs: [] })) === 'saved') return;
  throw new RenameBusyError(`what waits to be sent of ${from} is being changed by others; try again`);
};

/**
 * Gives the letters of the old name the new one; those of a state that was replaced stay replaced. Each is written before
 * it is deleted, so that one may be there twice, and none is lost. Throws RenameBusyError.
 */
const moveLetters = async (
  { from, to }: Renaming,
  generations: { from: number; to: number },
  { deadLetters }: Pick<RenameDeps, 'deadLetters'>,
): Promise<number> => {
  let moved = 0;
  if (messagesIn(await deadLetters.depth()) === 0) return moved;
  await visitEveryLetter(deadLetters, async (letter) => {
    if ((letter.integration ?? letter.message?.integration) !== from) return 'stays';
    const { generation = 0 } = letter.message ?? letter;
    const isPresent = generation === generations.from;
    const body = renamedLetter(letter, { integration: to, generation: isPresent ? generations.to : generation });
    if ((await deadLetters.sendAll([{ body }])).failed.length > 0) {
      throw new RenameBusyError(`the queue did not take the letter of ${letter.id ?? letter.messageId}; try again`);
    }
    await deadLetters.delete([letter.handle]);
    moved += 1;
    return 'gone';
  });
  return moved;
};
