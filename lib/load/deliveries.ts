import * as z from 'zod/mini';
import { isTombstone } from '../idcheck/hash.ts';
import { type RecordMessage, readMessage } from '../messages/record-message.ts';

/** A message as the queue delivered it. */
export type Delivery = { messageId: string; body: string };

export type RecordDelivery = Delivery & { message: RecordMessage };
export type UnreadableDelivery = Delivery & { why: string };

/** Thrown for an event that is no batch of the records queue. */
export class LoadEventError extends Error {
  override readonly name = 'LoadEventError';
  readonly code = 'load-event';
}

const queueEvent = z.object({ Records: z.array(z.object({ messageId: z.string(), body: z.string() })) });

/** The deliveries in an SQS event of `functions/load` (Lambda, "Using Lambda with Amazon SQS"). Throws LoadEventError. */
export const readLoadEvent = (event: unknown): Delivery[] => {
  const read = z.safeParse(queueEvent, event);
  if (read.success) return read.data.Records;
  const places = read.error.issues.map(({ path }) => path.join('.') || 'the whole').join(', ');
  throw new LoadEventError(`not an event of a queue; missing or wrong: ${places}`);
};

/**
 * Parses a batch: record messages by integration, those that are `isEarly`, and what cannot be read with the reason.
 */
export const readDeliveries = (
  deliveries: readonly Delivery[],
  isEarly: (message: RecordMessage) => boolean,
): { early: RecordDelivery[]; byIntegration: Map<string, RecordDelivery[]>; unreadable: UnreadableDelivery[] } => {
  const early: RecordDelivery[] = [];
  const byIntegration = new Map<string, RecordDelivery[]>();
  const unreadable: UnreadableDelivery[] = [];
  for (const { messageId, body } of deliveries) {
    const read = readMessage(body);
    if (read.kind === 'unreadable') {
      unreadable.push({ messageId, body, why: read.why });
      continue;
    }
    const { integration } = read.message;
    const delivery = { messageId, body, message: read.message };
    if (isEarly(read.message)) {
      early.push(delivery);
      continue;
    }
    const sameIntegration = byIntegration.get(integration);
    if (sameIntegration) sameIntegration.push(delivery);
    else byIntegration.set(integration, [delivery]);
  }
  return { early, byIntegration, unreadable };
};

/** Splits deliveries into rounds in which every id comes once: two messages of one id are loaded one after the other. */
export const roundsById = (deliveries: readonly RecordDelivery[]): RecordDelivery[][] => {
  const rounds: RecordDelivery[][] = [];
  const seen = new Map<string, number>();
  for (const delivery of deliveries) {
    const round = seen.get(delivery.message.id) ?? 0;
    seen.set(delivery.message.id, round + 1);
    const sameRound = rounds[round];
    if (sameRound) sameRound.push(delivery);
    else rounds[round] = [delivery];
  }
  return rounds;
};

/** Splits deliveries into requests of `rows` records; a deletion goes by itself, to another endpoint. */
export const inRequests = <Of extends RecordDelivery>(deliveries: readonly Of[], rows: number): Of[][] => {
  const deletions = deliveries.filter(({ message }) => isTombstone(message.hash));
  const records = deliveries.filter(({ message }) => !isTombstone(message.hash));
  const requests = deletions.map((deletion) => [deletion]);
  for (let from = 0; from < records.length; from += rows) requests.push(records.slice(from, from + rows));
  return requests;
};
