import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RecordDelivery, readDeliveries, roundsById } from '../../lib/load/deliveries.ts';
import { writeMessage } from '../../lib/messages/record-message.ts';
import { recordMessage } from './message.ts';

describe('reading a batch', () => {
  it('sorts messages by integration and names what cannot be read, and loses none', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom('groups', 'customers'), fc.constant(undefined))), (kinds) => {
        const deliveries = kinds.map((integration, index) => ({
          messageId: `m${index}`,
          body: integration === undefined ? `{${index}` : writeMessage(recordMessage({ integration })),
        }));
        const { byIntegration, unreadable } = readDeliveries(deliveries);
        for (const [integration, these] of byIntegration) {
          expect(these.map(({ message }) => message.integration)).toEqual(these.map(() => integration));
        }
        expect(unreadable.map(({ why }) => why)).toEqual(unreadable.map(() => 'the body is not JSON'));
        const all = [...unreadable, ...[...byIntegration.values()].flat()];
        const places = ({ messageId, body }: { messageId: string; body: string }) => `${messageId} ${body}`;
        expect(all.map(places).sort()).toEqual(deliveries.map(places).sort());
      }),
    );
  });
});

describe('rounds', () => {
  it('hold every id once, every delivery once, and the deliveries of one id in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('0', '1', '01', '2')), (ids) => {
        const deliveries = ids.map((id, index): RecordDelivery => {
          const message = recordMessage({ id });
          return { messageId: `m${index}`, body: writeMessage(message), message };
        });
        const rounds = roundsById(deliveries);
        for (const round of rounds) {
          expect(new Set(round.map(({ message }) => message.id)).size).toBe(round.length);
          expect(round.length).toBeGreaterThan(0);
        }
        for (const id of new Set(ids)) {
          const inOrder = rounds.flat().filter(({ message }) => message.id === id);
          expect(inOrder).toEqual(deliveries.filter(({ message }) => message.id === id));
        }
      }),
    );
  });
});
