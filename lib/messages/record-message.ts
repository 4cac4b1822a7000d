import * as z from 'zod/mini';
import {
  isJsonObject,
  isNestedDeeperThan,
  type JsonObject,
  type JsonValue,
  parseJson,
  stringifyJson,
} from '../json/json.ts';
import type { Outgoing } from './queue.ts';

/** Why a POST did not load its record, in the target's words. */
const failureSchema = z.object({
  /** A short closed word, such as `status`, `business-error`, `timeout`, `refused`. */
  cause: z.string(),
  status: z.exactOptional(z.number()),
  /** The beginning of the target's answer. */
  excerpt: z.exactOptional(z.string()),
  atMs: z.number(),
});
export type Failure = z.infer<typeof failureSchema>;

// A body nested deeper than any mapping could be read, but not written again: JSON.stringify recurses.
const MAX_LEVELS = 200;

const recordMessageSchema = z.object({
  v: z.literal(1),
  integration: z.string().check(z.minLength(1)),
  /** The run that sent it. */
  runId: z.string().check(z.minLength(1)),
  /** The source's id, as a string. */
  id: z.string(),
  /** Business code, for people. */
  number: z.exactOptional(z.string()),
  /** Hash of the mapped content (`lib/idcheck/hash.ts`). */
  hash: z.string().check(z.minLength(1)),
  /** Start of the snapshot it came from, ms since the epoch: the newer version wins. */
  versionMs: z.number(),
  /** The mapped body that the target gets. */
  body: z.custom<JsonObject>((value) => isJsonObject(value) && !isNestedDeeperThan(value, MAX_LEVELS), 'an object'),
  /** Real failures so far. Waiting is not failing and does not count. */
  attempts: z.int().check(z.minimum(0)),
  /** How often it was put off; spreads the next try, nothing more. */
  deferrals: z.int().check(z.minimum(0)),
  /** When it was first sent, ms since the epoch. */
  firstSentMs: z.number(),
  /** The last real failure, kept for the dead letter. */
  lastFailure: z.exactOptional(failureSchema),
  /** The record that must be loaded before this one, as a source's id. */
  parentId: z.exactOptional(z.string()),
  /** A full refresh: sent although idCheck knows this content. */
  refresh: z.exactOptional(z.literal(true)),
  /** The address of the target that it is for, as a short hash; absent in messages of earlier versions. */
  target: z.exactOptional(z.string()),
  /** Which state of the integration it was compared with; absent: the first one. */
  generation: z.exactOptional(z.int().check(z.minimum(1))),
  /** An operator replayed it on purpose at this time, ms since the epoch. */
  replayedMs: z.exactOptional(z.number()),
  /** Name of the connection that it goes over; absent in messages of earlier versions. */
  connection: z.exactOptional(z.string()),
  /** When its turn at the target's limit is to come, ms since the epoch: the time to come back, and no right to send. */
  dueMs: z.exactOptional(z.number()),
  /** How often it was replayed. */
  replays: z.exactOptional(z.int().check(z.minimum(1))),
});

/** One record on its way from fetch to load: the body of a message on the records queue. */
export type RecordMessage = z.infer<typeof recordMessageSchema>;

// SQS refuses a body with other characters than XML 1.0 allows (SendMessage, MessageBody). JSON text already escapes
// control characters; U+FFFE and U+FFFF are left. SQS takes characters past U+FFFF, but not every queue that speaks its
// protocol does, so their two halves are escaped as well.
const TO_ESCAPE = /[\uD800-\uDFFF\uFFFE\uFFFF]/g;

/** JSON text that every queue takes as a body, whatever characters the value holds. */
export const bodyText = (value: JsonObject): string =>
  stringifyJson(value).replace(TO_ESCAPE, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);

export const writeMessage = (message: RecordMessage): string => bodyText(message as JsonObject);

/** A record message as it is sent: with those of its connection. */
export const outgoingRecord = (message: RecordMessage, delaySec: number): Outgoing => ({
  body: writeMessage(message),
  group: message.connection ?? message.integration,
  ...(delaySec > 0 && { delaySec }),
});

export type ReadMessage = { kind: 'message'; message: RecordMessage } | { kind: 'unreadable'; why: string };

/** Reads a message body. Never throws: what cannot be read says why, in a few words. */
export const readMessage = (body: string): ReadMessage => {
  let value: JsonValue;
  try {
    value = parseJson(body);
  } catch {
    return { kind: 'unreadable', why: 'the body is not JSON' };
  }
  return checkMessage(value);
};

/** As `readMessage`, for a value that is parsed already (a dead letter holds its message as JSON). */
export const checkMessage = (value: unknown): ReadMessage => {
  if (isJsonObject(value) && value.v !== undefined && value.v !== 1) {
    const version = typeof value.v === 'object' ? 'of another kind' : String(value.v);
    return { kind: 'unreadable', why: `version ${version} of the message is unknown` };
  }
  const { success, data, error } = z.safeParse(recordMessageSchema, value);
  if (success) return { kind: 'message', message: data };
  const places = error.issues.map(({ path }) => path.join('.') || 'the whole').join(', ');
  return { kind: 'unreadable', why: `not a record message; missing or wrong: ${places}` };
};
