import * as z from 'zod/mini';
import type { Letter } from '../messages/dead-letter.ts';
import { isMeant, type LetterFilter, visitLetters } from '../messages/dead-letter-queue.ts';
import { deadLetterReasons } from '../messages/dead-letter-reasons.ts';
import { MAX_DELAY_SEC, type Queue, type ReadableQueue } from '../messages/queue.ts';
import { outgoingRecord, type RecordMessage } from '../messages/record-message.ts';
import { type Belonging, belongingOf, type Ends, noEnds } from '../runs/ends.ts';
import type { RunStore } from '../runs/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import type { EventsOf, Log } from '../runtime/log.ts';
import type { AuditLog } from '../stores/stores.ts';

/** What a replay logs: each letter that was sent again. */
export type ReplayEvent = EventsOf<{
  replayed: Pick<Letter, 'messageId' | 'attempts' | 'reason'> &
    Record<'integration' | 'runId' | 'id', string | undefined>;
}>;

export type ReplayDeps = {
  deadLetters: ReadableQueue;
  records: Queue;
  audit: Pick<AuditLog, 'add'>;
  runs: Pick<RunStore, 'ends'>;
  clock: Clock;
  log: Log<ReplayEvent>;
};

/** Which letters to send again, and how. */
export type ReplayRequest = LetterFilter & {
  /** Letters a second: the messages are sent at once and become visible one after the other. Absent: all at once. */
  ratePerSec?: number;
  /** Also what was refused again after `MAX_REPLAYS` replays. */
  force?: boolean;
  dryRun?: boolean;
  /** Who sends them again, and why, for the audit log. */
  by?: string;
  why?: string;
};

/** Thrown for an event that says something other than which letters to replay. */
export class ReplayEventError extends Error {
  override readonly name = 'ReplayEventError';
  readonly code = 'replay-event';
}

// Strict: a misspelt filter must not replay everything.
const replayEvent = z.strictObject({
  kind: z.literal('replay'),
  integration: z.exactOptional(z.string()),
  reason: z.exactOptional(z.enum(deadLetterReasons)),
  id: z.exactOptional(z.string()),
  lastBeforeMs: z.exactOptional(z.number()),
  limit: z.exactOptional(z.int().check(z.minimum(1))),
  ratePerSec: z.exactOptional(z.number().check(z.positive())),
  force: z.exactOptional(z.boolean()),
  dryRun: z.exactOptional(z.boolean()),
  by: z.exactOptional(z.string()),
  why: z.exactOptional(z.string()),
});

/** Reads an event of `functions/replay`. Throws ReplayEventError naming what is wrong. */
export const readReplayEvent = (event: unknown): ReplayRequest => {
  const read = z.safeParse(replayEvent, event);
  if (read.success) return read.data;
  const faults = read.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys' ? `unknown ${issue.keys.join(', ')}` : `wrong ${issue.path.join('.')}`,
  );
  throw new ReplayEventError(`not a replay event: ${faults.join('; ')}; reasons are ${deadLetterReasons.join(', ')}`);
};

/** What a replay did, or would do. */
export type Replayed = {
  /** Sent to the records queue again (on a dry run: would be). */
  replayed: Array<Pick<Letter, 'integration' | 'id' | 'reason'>>;
  /** Meant, but nothing in it can be loaded; it stays. */
  notReplayable: number;
  /** Meant, but refused after so many replays that one more needs `force` or the record's id; it stays. */
  heldBack: number;
  /**
   * Uncertain records that nobody named, by reason or id: the target may have them, and would have them twice. They stay
   * until someone has looked (`dlq resolve`), or asks for them.
   */
  mustBeResolved: string[];
  /** Records of another target than the present one: nothing is sent, the letters stay to be read. */
  otherTarget: string[];
  /** Not meant; stays. */
  others: number;
};

/** After so many replays a refused record must be asked for by its id: to replay in a loop mends nothing. */
export const MAX_REPLAYS = 3;
/** SendMessageBatch takes up to ten. */
const BATCH = 10;

type Sendable = Letter & { message: RecordMessage };

const isSendable = (letter: Letter): letter is Sendable => letter.message !== undefined;

const isHeldBack = ({ reason, message }: Sendable, { force, id }: ReplayRequest): boolean =>
  reason === 'rejected' && (message.replays ?? 0) >= MAX_REPLAYS && force !== true && id === undefined;

/** Nobody knows whether the target has it, and nobody said that this one is to be sent all the same. */
const isUnnamedDoubt = ({ reason }: Sendable, request: ReplayRequest): boolean =>
  reason === 'uncertain' && request.reason === undefined && request.id === undefined;

/** Whose messages are, by what is stored; read once for each integration. */
const belongingTo = (runs: ReplayDeps['runs']) => {
  const known = new Map<string, Promise<Ends | undefined>>();
  return async (message: RecordMessage): Promise<Belonging> => {
    const ends = known.get(message.integration) ?? runs.ends(message.integration);
    known.set(message.integration, ends);
    return belongingOf(message, (await ends) ?? noEnds(), undefined);
  };
};

/** Signs for whoever invokes the function without a name. */
const UNSIGNED = { by: 'functions/replay', why: 'an event without a reason' };

/** What a replay comes to that has met no letter. */
export const nothingReplayed = (): Replayed => ({
  replayed: [],
  notReplayable: 0,
  heldBack: 0,
  mustBeResolved: [],
  otherTarget: [],
  others: 0,
});

/**
 * Sends dead letters back to the records queue: each is written to the audit log before it is sent, and deleted only after
 * the queue accepted its message.
 *
 * The message says that a person replayed it, and when: that lets a rejected or parked record be POSTed once more.
 * idCheck still decides, so an id that is settled by now stays settled. A crash in between replays a letter twice,
 * which idCheck settles too. A pace is kept by the messages' delays, of 15 minutes at most: what would come later stays
 * for another replay.
 */
export const replay = async (request: ReplayRequest, deps: ReplayDeps): Promise<Replayed> => {
  const result = nothingReplayed();
  const belonging = belongingTo(deps.runs);
  const { ratePerSec = Number.POSITIVE_INFINITY, dryRun } = request;
  const limit = Math.min(request.limit ?? Number.POSITIVE_INFINITY, Math.max(1, ratePerSec * MAX_DELAY_SEC));
  let taken = 0;
  let pending: Array<{ letter: Sendable; delaySec: number }> = [];
  const sendPending = async () => {
    const batch = pending;
    pending = [];
    if (batch.length > 0) result.replayed.push(...(await sendAgain(batch, request, deps)));
  };
  await visitLetters(deps.deadLetters, async (letter) => {
    if (taken >= limit) return 'stop';
    if (!isMeant(letter, request)) {
      result.others += 1;
      return 'stays';
    }
    if (!isSendable(letter)) {
      result.notReplayable += 1;
      return 'stays';
    }
    if ((await belonging(letter.message)) !== 'ours') {
      result.otherTarget.push(letter.message.id);
      return 'stays';
    }
    if (isUnnamedDoubt(letter, request)) {
      result.mustBeResolved.push(letter.id ?? letter.message.id);
      return 'stays';
    }
    if (isHeldBack(letter, request)) {
      result.heldBack += 1;
      return 'stays';
    }
    const delaySec = Math.min(MAX_DELAY_SEC, Math.floor(taken / ratePerSec));
    taken += 1;
    if (dryRun) {
      result.replayed.push(namesOf(letter));
      return 'stays';
    }
    pending.push({ letter, delaySec });
    if (pending.length === BATCH) await sendPending();
    // Should the queue refuse it, the letter is visible again after its visibility time-out.
    return 'gone';
  });
  await sendPending();
  return result;
};

const namesOf = ({ integration, id, reason }: Letter): Replayed['replayed'][number] => ({
  reason,
  ...defined({ integration }),
  ...defined({ id }),
});

/**
 * When a letter is sent again: after it was written, whatever our clock says. A clock behind that of the worker that
 * wrote it would send the record as one whose letter waits still, and both would be gone.
 */
const replayedMsOf = ({ lastMs, writtenMs = lastMs }: Letter, nowMs: number): number => Math.max(nowMs, writtenMs);

const sendAgain = async (
  batch: ReadonlyArray<{ letter: Sendable; delaySec: number }>,
  { by = UNSIGNED.by, why = UNSIGNED.why }: ReplayRequest,
  { deadLetters, records, audit, clock, log }: ReplayDeps,
): Promise<Replayed['replayed']> => {
  const replayedMs = clock.nowMs();
  for (const { letter } of batch) {
    const { integration, id } = letter.message;
    await audit.add({ atMs: replayedMs, action: 'replayed', integration, id, reason: letter.reason, by, why });
  }
  const { failed } = await records.sendAll(
    batch.map(({ letter, delaySec }) => {
      const { dueMs: _, ...message } = letter.message;
      const again = { ...message, attempts: 0, deferrals: 0, replayedMs: replayedMsOf(letter, replayedMs) };
      return outgoingRecord({ ...again, replays: (message.replays ?? 0) + 1 }, delaySec);
    }),
  );
  const refused = new Set(failed);
  const sent = batch.flatMap(({ letter }, index) => (refused.has(index) ? [] : [letter]));
  await deadLetters.delete(sent.map(({ handle }) => handle));
  for (const { integration, id, reason, runId, messageId, attempts } of sent) {
    log.info('replayed', { integration, runId, id, messageId, attempts, reason });
  }
  return sent.map(namesOf);
};
