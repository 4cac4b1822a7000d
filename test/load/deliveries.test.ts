import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTombstone, tombstoneHash } from '../../lib/idcheck/hash.ts';
import {
  inRequests,
  LoadEventError,
  type RecordDelivery,
  readDeliveries,
  readLoadEvent,
  roundsById,
} from '../../lib/load/deliveries.ts';
import { readMessage, writeMessage } from '../../lib/messages/record-message.ts';
import { recordMessage } from './message.ts';

describe('an event of functions/load', () => {
  it('gives its deliveries, each with the id to report it by', () => {
    const sample = JSON.parse(readFileSync(join(import.meta.dirname, '../../events/records.json'), 'utf8'));
    const deliveries = readLoadEvent(sample);
    expect(deliveries.map(({ messageId }) => messageId)).toEqual(
      sample.Records.map(({ messageId }: { messageId: string }) => messageId),
    );
    expect(deliveries.map(({ body }) => readMessage(body).kind)).toEqual(['message', 'message']);
  });

  it.each([
    [{}, 'Records'],
    [null, 'the whole'],
    [{ Records: {} }, 'Records'],
    [{ Records: [{ messageId: 'm1' }] }, 'Records.0.body'],
    [{ Records: [{ body: '' }] }, 'Records.0.messageId'],
    [{ Records: [{ messageId: 'm1', body: '' }, null] }, 'Records.1'],
  ])('%j is refused, naming %s', (event, places) => {
    const refusal = `not an event of a queue; missing or wrong: ${places}`;
    expect(() => readLoadEvent(event)).toThrow(new LoadEventError(refusal));
  });

  it('is read, or refused with LoadEventError, whatever it is', () => {
    const record = fc.record({ messageId: fc.string(), body: fc.string() }, { requiredKeys: [] });
    const nearly = fc.record({ Records: fc.array(fc.oneof(record, fc.jsonValue())) });
    fc.assert(
      fc.property(fc.oneof(nearly, fc.anything()), (event) => {
        try {
          const deliveries = readLoadEvent(event);
          expect(deliveries).toHaveLength((event as { Records: unknown[] }).Records.length);
        } catch (error) {
          expect(error).toBeInstanceOf(LoadEventError);
        }
      }),
    );
  });
});

describe('reading a batch', () => {
  it('sorts messages by integration and names what cannot be read, and loses none', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom('groups', 'customers'), fc.constant(undefined))), (kinds) => {
        const deliveries = kinds.map((integration, index) => ({
          messageId: `m${index}`,
          body: integration === undefined ? `{${index}` : writeMessage(recordMessage({ integration })),
        }));
        const { byIntegration, unreadable } = readDeliveries(deliveries, () => false);
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

describe('requests', () => {
  it('hold up to so many records each, in their order; every deletion goes by itself', () => {
    const hashes = fc.array(fc.constantFrom('A', tombstoneHash(1)));
    fc.assert(
      fc.property(hashes, fc.integer({ min: 1, max: 4 }), (all, rows) => {
        const deliveries = all.map((hash, index): RecordDelivery => {
          const message = recordMessage({ id: String(index), hash });
          return { messageId: `m${index}`, body: writeMessage(message), message };
        });
        const requests = inRequests(deliveries, rows);
        const [deleting, loading] = [true, false].map((wanted) =>
          requests.filter(([first]) => isTombstone(first?.message.hash ?? '') === wanted),
        );
        expect(deleting?.map(({ length }) => length)).toEqual(deleting?.map(() => 1));
        expect(loading?.slice(0, -1).map(({ length }) => length)).toEqual(loading?.slice(0, -1).map(() => rows));
        expect(loading?.flat()).toEqual(deliveries.filter(({ message }) => !isTombstone(message.hash)));
        expect(requests.flat()).toHaveLength(deliveries.length);
      }),
    );
  });
});
