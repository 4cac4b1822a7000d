import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FetchEventError,
  isDispatchEvent,
  type RunRequest,
  readFetchEvent,
  writeRunRequest,
} from '../../lib/messages/run-request.ts';

const sample = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../events', `${name}.json`), 'utf8'));
const integration = 'okki-product-groups-to-qingyiyun';
const scheduledMs = Date.UTC(2026, 0, 5, 1);

describe('an event of functions/fetch', () => {
  it('written for the runs queue is read as the same request', () => {
    const name = fc.string({ minLength: 1 });
    const ids = fc.array(name, { minLength: 1 });
    const number = fc.integer({ min: 1 });
    const schedule = fc.record(
      {
        kind: fc.constant('schedule' as const),
        integration: name,
        scheduledMs: fc.date({ noInvalidDate: true }).map((date) => date.getTime()),
        fullRefresh: fc.boolean(),
        selection: fc.record({ limit: number, ids }, { requiredKeys: [] }),
        adoption: fc.record({ idChunks: number }, { requiredKeys: [] }),
      },
      { requiredKeys: ['kind', 'integration', 'scheduledMs', 'fullRefresh'] },
    );
    const goOn = fc.record({ kind: fc.constant('continue' as const), integration: name, runId: name });
    fc.assert(
      fc.property(fc.oneof(schedule, goOn), (request: RunRequest) => {
        expect(readFetchEvent({ Records: [{ body: writeRunRequest(request) }] })).toEqual([request]);
      }),
    );
  });

  it.each([
    ['schedule', { kind: 'schedule', integration, scheduledMs, fullRefresh: false, bySchedule: true }],
    ['full-refresh', { kind: 'schedule', integration, scheduledMs, fullRefresh: true, bySchedule: true }],
    ['continue', { kind: 'continue', integration, runId: `${integration}-20260105T010000Z` }],
  ])('events/%s.json asks for one run', (name, request) => {
    expect(readFetchEvent(sample(name))).toEqual([request]);
  });

  it('events/dispatch.json alone asks to send what waits in ledgers', () => {
    expect(isDispatchEvent(sample('dispatch'))).toBe(true);
    expect(isDispatchEvent(sample('schedule'))).toBe(false);
  });

  it('of the runs queue asks for as many runs as it has messages', () => {
    const bodies = [sample('schedule'), { kind: 'continue', integration, runId: 'run-1' }].map((body) =>
      JSON.stringify(body),
    );
    expect(readFetchEvent({ Records: bodies.map((body) => ({ body })) })).toEqual([
      { kind: 'schedule', integration, scheduledMs, fullRefresh: false },
      { kind: 'continue', integration, runId: 'run-1' },
    ]);
    expect(readFetchEvent({ Records: [] })).toEqual([]);
  });

  it('takes the time in any zone, and any key beside the known ones', () => {
    const event = { kind: 'schedule', integration, scheduledTime: '2026-01-05T09:00:00+08:00', version: '0' };
    expect(readFetchEvent(event)).toMatchObject([{ scheduledMs }]);
  });

  it.each([
    [{}, 'kind'],
    [null, 'kind'],
    [[], 'kind'],
    [{ kind: 'replay' }, 'kind'],
    [{ kind: 'schedule', scheduledTime: '2026-01-05T01:00:00Z' }, 'integration'],
    [{ kind: 'schedule', integration: '', scheduledTime: '2026-01-05T01:00:00Z' }, 'integration'],
    [{ kind: 'schedule', integration }, 'scheduledTime'],
    [{ kind: 'schedule', integration, scheduledTime: '<aws.scheduler.scheduled-time>' }, 'scheduledTime'],
    [{ kind: 'schedule', integration, scheduledTime: 1_767_574_800_000 }, 'scheduledTime'],
    [{ kind: 'schedule', integration, scheduledTime: '2026-01-05', fullRefresh: 'yes' }, 'fullRefresh'],
    [{ kind: 'continue', integration }, 'runId'],
    [{ kind: 'continue', integration, runId: '' }, 'runId'],
    [{ kind: 'continue' }, 'integration, runId'],
  ])('%j is refused, naming %s', (event, places) => {
    const refusal = `not a schedule or continue event; missing or wrong: ${places}`;
    expect(() => readFetchEvent(event)).toThrow(new FetchEventError(refusal));
    expect(() => readFetchEvent({ Records: [{ body: JSON.stringify(event) }] })).toThrow(refusal);
  });

  it.each(['', '{', '[1234567890123456,'.repeat(20_000)])('a message that is not JSON is refused: %#', (body) => {
    const read = () => readFetchEvent({ Records: [{ body }] });
    expect(read).toThrow(FetchEventError);
    expect(read).toThrow('the message on the runs queue is not JSON');
  });

  it('is read, or refused with FetchEventError, whatever it is', () => {
    const nearly = fc.record(
      {
        kind: fc.oneof(fc.constantFrom('schedule', 'continue'), fc.jsonValue()),
        integration: fc.oneof(fc.constant(integration), fc.jsonValue()),
        scheduledTime: fc.oneof(fc.constant('2026-01-05T01:00:00Z'), fc.string(), fc.jsonValue()),
        runId: fc.oneof(fc.string(), fc.jsonValue()),
        fullRefresh: fc.oneof(fc.boolean(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      nearly.map((value) => JSON.stringify(value)),
    );
    const queued = fc.record({ Records: fc.array(fc.oneof(fc.record({ body }), fc.jsonValue())) });
    fc.assert(
      fc.property(fc.oneof(nearly, queued, fc.jsonValue(), fc.anything()), (event) => {
        try {
          for (const request of readFetchEvent(event)) {
            expect(request.integration).not.toBe('');
            if (request.kind === 'schedule') expect(Number.isFinite(request.scheduledMs)).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(FetchEventError);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
