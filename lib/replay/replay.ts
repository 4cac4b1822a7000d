import { writeMessage } from '../dispatch/message.ts';
import type { Queue, ReadableQueue } from '../dispatch/queue.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { isMeant, type Letter, type LetterFilter, visitLetters } from './letters.ts';

export type ReplayDeps = { deadLetters: ReadableQueue; records: Queue; clock: Clock; log: Log };

/** What a replay did, or would do. */
export type Replayed = {
  /** Sent to the records queue again (on a dry run: would be). */
  replayed: Array<Pick<Letter, 'integration' | 'id' | 'reason'>>;
  /** Meant, but nothing in it can be loaded; it stays. */
  notReplayable: number;
  /** Not meant; stays. */
  others: number;
};

/**
 * Sends dead letters back to the records queue: each is deleted only after the queue accepted its message.
 *
 * The message says that a person replayed it, and when: that lets a rejected or parked record be POSTed once more.
 * idCheck still decides, so an id that is settled by now stays settled. A crash in between replays a letter twice,
 * which idCheck settles too.
 */
export const replay = async (filter: LetterFilter & { dryRun?: boolean }, deps: ReplayDeps): Promise<Replayed> => {
  const { deadLetters, records, clock, log } = deps;
  const result: Replayed = { replayed: [], notReplayable: 0, others: 0 };
  const limit = filter.limit ?? Number.POSITIVE_INFINITY;
  await visitLetters(deadLetters, async (letter) => {
    if (result.replayed.length >= limit) return 'stop';
    if (!isMeant(letter, filter)) {
      result.others += 1;
      return 'stays';
    }
    if (letter.message === undefined) {
      result.notReplayable += 1;
      return 'stays';
    }
    const { integration, id, reason, handle, message } = letter;
    if (!filter.dryRun) {
      const body = writeMessage({ ...message, attempts: 0, deferrals: 0, replayedMs: clock.nowMs() });
      const { failed } = await records.sendAll([{ body }]);
      if (failed.length > 0) return 'stays';
      await deadLetters.delete([handle]);
      log.info('replayed', { integration, id, reason });
    }
    result.replayed.push({
      reason,
      ...(integration === undefined ? {} : { integration }),
      ...(id === undefined ? {} : { id }),
    });
    return filter.dryRun ? 'stays' : 'gone';
  });
  return result;
};
