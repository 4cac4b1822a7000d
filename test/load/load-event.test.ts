import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LoadEventError, readLoadEvent } from '../../lib/load/load-event.ts';
import { readMessage } from '../../lib/messages/record-message.ts';

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
