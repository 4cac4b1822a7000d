import { type RecordMessage, readMessage } from '../messages/record-message.ts';

/** A message as the queue delivered it. */
export type Delivery = { messageId: string; body: string };

export type RecordDelivery = Delivery & { message: RecordMessage };
export type UnreadableDelivery = { messageId: string; body: string; why: string };

/** Parses a batch: record messages by integration, and what cannot be read with the reason. */
export const readDeliveries = (
  deliveries: readonly Delivery[],
): { byIntegration: Map<string, RecordDelivery[]>; unreadable: UnreadableDelivery[] } => {
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
    const sameIntegration = byIntegration.get(integration);
    if (sameIntegration) sameIntegration.push(delivery);
    else byIntegration.set(integration, [delivery]);
  }
  return { byIntegration, unreadable };
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
