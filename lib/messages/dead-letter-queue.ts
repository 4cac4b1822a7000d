import { type Letter, readLetter } from './dead-letter.ts';
import type { DeadLetterReason } from './dead-letter-reasons.ts';
import { messagesIn, type ReadableQueue } from './queue.ts';

/**
 * Which letters are meant; without a word on something, all. `reason` is a closed word, `limit` counts letters,
 * `lastBeforeMs` takes those whose last failure was before that time. An `id` is the record's, or the letter's own
 * message id where nobody could read which record it is.
 */
export type LetterFilter = {
  reason?: DeadLetterReason;
  id?: string;
  integration?: string;
  lastBeforeMs?: number;
  limit?: number;
};

export const isMeant = (letter: Letter, { reason, id, integration, lastBeforeMs }: LetterFilter): boolean =>
  (reason === undefined || letter.reason === reason) &&
  (id === undefined || (letter.id ?? letter.messageId) === id) &&
  (lastBeforeMs === undefined || letter.lastMs < lastBeforeMs) &&
  (integration === undefined || (letter.integration ?? letter.message?.integration) === integration);

/** The visibility time-out while one pass looks at letters; a pass over thousands takes some seconds. */
const HIDE_SEC = 120;
/** Shown again after a pass; not 0, since a message shown at once would be received again by the very same pass. */
const SHOW_AGAIN_SEC = 1;
const BATCH = 10;

/**
 * Looks at every letter once and hands it to `visit`, which says whether the letter stays. What stays is shown again
 * when the pass is over. Stops early once `visit` answers `stop`.
 *
 * SQS has no way to read without receiving, and a short receive may miss messages (SQS, short and long polling): the
 * pass ends after an empty long poll, or a batch of nothing but letters seen before (a pass that outlasts their hiding).
 */
export const visitLetters = async (
  queue: ReadableQueue,
  visit: (letter: Letter) => Promise<'stays' | 'gone' | 'stop'>,
): Promise<void> => {
  const staying: string[] = [];
  const seen = new Set<string>();
  try {
    for (;;) {
      const received = await queue.receive(BATCH, HIDE_SEC);
      if (received.length === 0) return;
      let isNew = false;
      for (const [index, message] of received.entries()) {
        const isAgain = seen.has(message.messageId);
        isNew ||= !isAgain;
        seen.add(message.messageId);
        const answer = isAgain ? 'stays' : await visit(readLetter(message));
        if (answer !== 'gone') staying.push(message.handle);
        if (answer === 'stop') {
          staying.push(...received.slice(index + 1).map(({ handle }) => handle));
          return;
        }
      }
      if (!isNew) return;
    }
  } finally {
    await queue.release(staying, SHOW_AGAIN_SEC);
  }
};

/** Passes in a row that find nothing new, each of a second and more, until hidden letters are no longer waited for. */
const MAX_IDLE_PASSES = 10;

/**
 * Looks at every letter once, as `visitLetters` does, those too that somebody else is looking at and hides meanwhile: as
 * long as the queue says that it holds more than was seen, it looks again. Needs leave to ask for the queue's depth.
 */
export const visitEveryLetter = async (
  queue: ReadableQueue,
  visit: (letter: Letter) => Promise<'stays' | 'gone' | 'stop'>,
): Promise<void> => {
  const seen = new Set<string>();
  let isStopped = false;
  for (let idlePasses = 0; idlePasses < MAX_IDLE_PASSES; ) {
    const seenBefore = seen.size;
    await visitLetters(queue, async (letter) => {
      if (seen.has(letter.messageId)) return 'stays';
      seen.add(letter.messageId);
      const answer = await visit(letter);
      isStopped = answer === 'stop';
      return answer;
    });
    if (isStopped || messagesIn(await queue.depth()) <= seen.size) return;
    idlePasses = seen.size > seenBefore ? 0 : idlePasses + 1;
  }
};

/** All letters that are meant, oldest first; they stay where they are. */
export const listLetters = async (queue: ReadableQueue, filter: LetterFilter = {}): Promise<Letter[]> => {
  const letters: Letter[] = [];
  await visitEveryLetter(queue, async (letter) => {
    if (isMeant(letter, filter)) letters.push(letter);
    return letters.length === filter.limit ? 'stop' : 'stays';
  });
  return letters.sort((a, b) => a.lastMs - b.lastMs);
};
