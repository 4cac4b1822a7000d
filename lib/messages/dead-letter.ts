import { isJsonObject, type JsonObject, type JsonValue, parsedOrUndefined, stringifyJson } from '../json/json.ts';
import { defined } from '../runtime/defined.ts';
import type { EventsOf, Log } from '../runtime/log.ts';
import { type DeadLetterReason, deadLetterReasons } from './dead-letter-reasons.ts';
import type { Queue, Received } from './queue.ts';
import {
  bodyText,
  checkMessage,
  type Failure,
  type RecordMessage,
  readMessage,
  writeMessage,
} from './record-message.ts';

/** The body of a message that the loader put into the dead-letter queue. No secrets, no headers. */
export type DeadLetter = {
  v: 1;
  deadLetter: Exclude<DeadLetterReason, 'crashed'>;
  integration?: string;
  id?: string;
  number?: string;
  runId?: string;
  /** Whose its record is, as its message says. */
  target?: string;
  generation?: number;
  attempts: number;
  firstMs: number;
  lastMs: number;
  /** When it was written, where that was later than the last failure. */
  writtenMs?: number;
  failure: Failure;
  /** The record message, ready to be sent again; absent for `unreadable`, and in a reduced letter. */
  message?: RecordMessage;
  /** The body as it was received, in a reduced letter its beginning; only for `unreadable`. */
  unreadableBody?: string;
  /** The row as the source sent it, as JSON; only for `invalid`. */
  row?: string;
  /** Hash of the record's content, where a reduced letter holds no message. */
  hash?: string;
};

/** The letter for a record that could not be loaded; `failure` is what ended it, `nowMs` when it is written. */
export const letterFor = (
  reason: 'rejected' | 'uncertain' | 'exhausted',
  message: RecordMessage,
  failure: Failure,
  nowMs: number = failure.atMs,
): DeadLetter => ({
  v: 1,
  deadLetter: reason,
  integration: message.integration,
  id: message.id,
  ...defined({ number: message.number, target: message.target, generation: message.generation }),
  runId: message.runId,
  attempts: message.attempts,
  firstMs: message.firstSentMs,
  lastMs: failure.atMs,
  ...(nowMs > failure.atMs && { writtenMs: nowMs }),
  failure,
  message: { ...message, lastFailure: failure },
});

/** The letter for a body that is no record message; the body is kept as it came. */
export const letterForUnreadable = (body: string, why: string, nowMs: number): DeadLetter => ({
  v: 1,
  deadLetter: 'unreadable',
  attempts: 0,
  firstMs: nowMs,
  lastMs: nowMs,
  failure: { cause: 'unreadable', excerpt: why, atMs: nowMs },
  unreadableBody: body,
});

/** The letter for a row that could not be read and is left behind. */
export const letterForInvalid = (
  {
    integration,
    runId,
    id,
    reason,
    row,
  }: Record<'integration' | 'runId' | 'id' | 'reason', string> & { row?: JsonValue },
  nowMs: number,
): DeadLetter => ({
  v: 1,
  deadLetter: 'invalid',
  integration,
  id,
  runId,
  attempts: 0,
  firstMs: nowMs,
  lastMs: nowMs,
  failure: { cause: 'invalid', excerpt: reason, atMs: nowMs },
  ...(row !== undefined && { row: stringifyJson(row) }),
});

export const writeLetter = (letter: DeadLetter): string => bodyText(letter as JsonObject);

const REDUCED_CHARACTERS = 10_000;

/** The letter without what may be long: the record's content and the answer. It can be read and closed, not replayed. */
export const reducedLetter = ({ message, unreadableBody, row: _, failure, ...names }: DeadLetter): DeadLetter => ({
  ...names,
  failure: {
    ...failure,
    excerpt: 'the queue refused the whole letter: this one is without the content and the answer',
  },
  ...defined({ hash: message?.hash, unreadableBody: unreadableBody?.slice(0, REDUCED_CHARACTERS) }),
});

/**
 * Whether the dead-letter queue accepted the letter; a queue that cannot be reached did not. One that the queue would
 * never take, since it is too large, is sent in its reduced form.
 */
export const sendLetter = async (queue: Queue, letter: DeadLetter): Promise<boolean> => {
  try {
    const { failed, refused = [] } = await queue.sendAll([{ body: writeLetter(letter) }]);
    if (failed.length === 0) return true;
    if (refused.length === 0) return false;
    return (await queue.sendAll([{ body: writeLetter(reducedLetter(letter)) }])).failed.length === 0;
  } catch {
    return false;
  }
};

/** What the dead-letter queue logs. */
export type LetterEvent = EventsOf<{
  /** It did not accept letters, for no fault of theirs: what they are of comes again. */
  'letters-not-written': { letters: number; error?: string };
  /** A letter that it accepted, of no integration where nobody can read its message. */
  'letter-written': { reason: string; integration?: string; runId?: string; id?: string };
}>;

/**
 * The dead-letter queue, with a line for each letter that it accepts: new ones are told, however many wait already. Where it
 * cannot be written to, that is told, too: a record whose letter is missing comes again for ever.
 */
export const toldLetters = (queue: Queue, log: Log<LetterEvent>): Queue => ({
  sendAll: async (letters) => {
    const end = await queue.sendAll(letters).catch((error: unknown) => {
      log.error('letters-not-written', { letters: letters.length, error: String(error) });
      throw error;
    });
    const left = end.failed.length - (end.refused ?? []).length;
    if (left > 0) log.error('letters-not-written', { letters: left });
    for (const [index, { body }] of letters.entries()) {
      const letter = parsedOrUndefined(body);
      if (end.failed.includes(index) || !isJsonObject(letter)) continue;
      const { deadLetter, integration, runId, id } = letter;
      log.warn('letter-written', {
        reason: String(deadLetter),
        ...(typeof integration === 'string' && { integration }),
        ...(typeof runId === 'string' && { runId }),
        ...(typeof id === 'string' && { id }),
      });
    }
    return end;
  },
});

/** Whether a body is a letter of the loader's. */
const isLetter = (body: string): boolean => {
  const value = parsedOrUndefined(body);
  return isJsonObject(value) && deadLetterReasons.some((reason) => reason === value.deadLetter);
};

/**
 * Puts what the loader cannot read into the dead-letter queue; whether it was accepted. A letter that somebody has moved
 * to the records (SQS: "dead-letter queue redrive") goes back as it is, with its id and its reason.
 */
export const sendUnreadable = async (queue: Queue, body: string, why: string, nowMs: number): Promise<boolean> => {
  if (!isLetter(body)) return await sendLetter(queue, letterForUnreadable(body, why, nowMs));
  try {
    return (await queue.sendAll([{ body }])).failed.length === 0;
  } catch {
    return false;
  }
};

/** A dead letter as an operator sees it. */
export type Letter = {
  reason: DeadLetterReason;
  integration?: string;
  id?: string;
  number?: string;
  runId?: string;
  /** The address of the target that it is for, and which state of the integration it belongs to; absent: the first one. */
  target?: string;
  generation?: number;
  attempts: number;
  firstMs: number;
  lastMs: number;
  /** When it was written, by the clock of who wrote it, where that was later than `lastMs`. */
  writtenMs?: number;
  failure?: Failure;
  /** What would be sent again; absent: there is nothing that the loader could read. */
  message?: RecordMessage;
  /** Hash of the record's content, in a reduced letter: it holds no message. */
  hash?: string;
  /** The body as it is, where it is not a letter of the loader's. */
  body?: string;
  messageId: string;
  handle: string;
};

/** The body of a letter whose integration has another name now, and its record another state. Pure. */
export const renamedLetter = (
  { messageId: _, handle: __, reason, failure, message, body, ...facts }: Letter,
  { integration, generation }: { integration: string; generation: number },
): string => {
  const renamed = <Named extends { generation?: number }>({ generation: _, ...rest }: Named) => ({
    ...rest,
    integration,
    ...(generation > 0 && { generation }),
  });
  const sent = message && renamed(message);
  if (reason === 'crashed' && sent !== undefined) return writeMessage(sent);
  const letter: DeadLetter = {
    ...(facts.integration === undefined ? facts : renamed(facts)),
    v: 1,
    deadLetter: reason === 'crashed' ? 'unreadable' : reason,
    failure: failure ?? { cause: 'unknown', atMs: facts.lastMs },
  };
  if (reason === 'invalid') return writeLetter({ ...letter, ...defined({ row: body }) });
  if (reason !== 'unreadable') return writeLetter({ ...letter, ...defined({ message: sent }) });
  return writeLetter({ ...letter, ...defined({ unreadableBody: sent === undefined ? body : writeMessage(sent) }) });
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
    ...defined({
      number: message.number,
      target: message.target,
      generation: message.generation,
      failure: message.lastFailure,
    }),
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
      target: text(letter.target),
      writtenMs: typeof letter.writtenMs === 'number' ? letter.writtenMs : undefined,
      generation: typeof letter.generation === 'number' ? letter.generation : undefined,
      failure,
      message: read.kind === 'message' ? read.message : undefined,
      hash: text(letter.hash),
      body: unreadableBody ?? text(letter.row),
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
