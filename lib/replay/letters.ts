import { isJsonObject, type JsonObject, type JsonValue, parsedOrUndefined } from '../json/json.ts';
import { type DeadLetterReason, deadLetterReasons } from '../messages/dead-letter.ts';
import type { ReadableQueue, Received } from '../messages/queue.ts';
import { checkMessage, type Failure, type RecordMessage, readMessage } from '../messages/record-message.ts';
import { defined } from '../runtime/defined.ts';

/** A dead letter as an operator sees it. */
export type Letter = {
  reason: DeadLetterReason;
  integration?: string;
  id?: string;
  number?: string;
  runId?: string;
  attempts: number;
  firstMs: number;
  lastMs: number;
  failure?: Failure;
  /** What would be sent again; absent: there is nothing that the loader could read. */
  message?: RecordMessage;
  /** The body as it is, where it is not a letter of the loader's. */
  body?: string;
  messageId: string;
  handle: string;
};

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

const text = (value: JsonValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
const count = (value: JsonValue | undefined, otherwise: number): number =>
  typeof value === 'number' ? value : otherwise;

/** Reads a message of the dead-letter queue. Never throws: what nobody can read is `unreadable`, body and all. */
export const readLetter = ({ messageId, handle, body, sentMs }: Received): Letter => {
  const place = { messageId, handle };
  const value = parsedOrUndefined(body);
  if (isJsonObject(value) && value.deadLetter !== undefined) return { ...place, ...writtenByLoader(value, sentMs) };
  // SQS itself moves a message as it is: a record message here was received maxReceiveCount times and never answered.
  const read = readMessage(body);
  if (read.kind === 'unreadable') {
    return { ...place, reason: 'unreadable', attempts: 0, firstMs: sentMs, lastMs: sentMs, body };
  }
  const { message } = read;
  const { integration, id, runId, attempts, firstSentMs } = message;
  return {
    ...place,
    reason: 'crashed',
    integration,
    id,
    runId,
    attempts,
    firstMs: firstSentMs,
    lastMs: sentMs,
    message,
    ...defined({ number: message.number, failure: message.lastFailure }),
  };
};

const writtenByLoader = (letter: JsonObject, sentMs: number): Omit<Letter, 'messageId' | 'handle'> => {
  const unreadableBody = text(letter.unreadableBody);
  // What could not be read then may be readable now: an integration that was missing has been deployed.
  const read = unreadableBody === undefined ? checkMessage(letter.message) : readMessage(unreadableBody);
  const failure = isJsonObject(letter.failure) ? failureOf(letter.failure, sentMs) : undefined;
  return {
    reason: deadLetterReasons.find((reason) => reason === letter.deadLetter) ?? 'unreadable',
    attempts: count(letter.attempts, 0),
    firstMs: count(letter.firstMs, sentMs),
    lastMs: count(letter.lastMs, sentMs),
    ...defined({
      integration: text(letter.integration),
      id: text(letter.id),
      number: text(letter.number),
      runId: text(letter.runId),
      failure,
      message: read.kind === 'message' ? read.message : undefined,
      body: unreadableBody,
    }),
  };
};

const failureOf = (failure: JsonObject, sentMs: number): Failure => ({
  cause: text(failure.cause) ?? 'unknown',
  atMs: count(failure.atMs, sentMs),
  ...defined({
    status: typeof failure.status === 'number' ? failure.status : undefined,
    excerpt: text(failure.excerpt),
  }),
});

export const isMeant = (letter: Letter, { reason, id, integration, lastBeforeMs }: LetterFilter): boolean =>
  (reason === undefined || letter.reason === reason) &&
  (id === undefined || (letter.id ?? letter.messageId) === id) &&
  (lastBeforeMs === undefined || letter.lastMs < lastBeforeMs) &&
  (integration === undefined || (letter.integration ?? letter.message?.integration) === integration);

/** Hidden from others while one pass looks at them; a pass over thousands takes some seconds. */
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
        const verdict = isAgain ? 'stays' : await visit(readLetter(message));
        if (verdict !== 'gone') staying.push(message.handle);
        if (verdict === 'stop') {
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

/** All letters that are meant, oldest first; they stay where they are. */
export const listLetters = async (queue: ReadableQueue, filter: LetterFilter = {}): Promise<Letter[]> => {
  const letters: Letter[] = [];
  await visitLetters(queue, async (letter) => {
    if (isMeant(letter, filter)) letters.push(letter);
    return letters.length === filter.limit ? 'stop' : 'stays';
  });
  return letters.sort((a, b) => a.lastMs - b.lastMs);
};
