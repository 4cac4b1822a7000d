import { describe, expect, test } from 'vitest';
import { type Outcome, type OutcomeCause, signOf, signOfRequest } from '../../lib/target/target.ts';
import { everyStatus } from '../fakes/every-end.ts';

const uncertain = (cause: OutcomeCause, status?: number): Outcome => ({
  kind: 'uncertain',
  failure: { cause, ...(status !== undefined && { status }) },
});
const notApplied = (cause: OutcomeCause, waits = false): Outcome => ({ kind: 'notApplied', failure: { cause }, waits });
const refused: Outcome = { kind: 'rejected', failure: { cause: 'status', status: 422 } };
const unclear = uncertain('no-known-status', 200);

/** What a failure of each cause says, whatever else is known of it. */
const signs: Readonly<Record<OutcomeCause, ReturnType<typeof signOf>>> = {
  dns: 'unsent',
  refused: 'unsent',
  unreachable: 'unsent',
  tls: 'unsent',
  'token-unavailable': 'unsent',
  timeout: 'down',
  reset: 'down',
  network: 'down',
  tooLarge: 'well',
  status: 'well',
  'business-error': 'well',
  throttled: 'well',
  'row-refused': 'well',
  'no-result': 'well',
  'unreadable-answer': 'unclear',
  'no-known-status': 'unclear',
  'no-rows': 'unclear',
  'no-row-result': 'unclear',
  'access-refused': 'refused',
  'no-token': undefined,
  'no-time': undefined,
  'foreign-link': undefined,
  'no-deletion-endpoint': undefined,
};

test.each(Object.keys(signs) as OutcomeCause[])('of the cause %s, by every kind of failure', (cause) => {
  for (const kind of ['rejected', 'uncertain', 'conflict'] as const) {
    expect(signOf({ kind, failure: { cause } }), kind).toBe(signs[cause]);
  }
  expect(signOf(notApplied(cause))).toBe(signs[cause]);
  expect(signOf(notApplied(cause, true))).toBeUndefined();
});

test('of every status: gateways speak of what is behind them', () => {
  const down = everyStatus.filter((status) => signOf(uncertain('status', status)) === 'down');
  expect(down).toEqual([502, 503, 504]);
  expect(signOf(uncertain('business-error', 502))).toBe('well');
});

describe('what an outcome says of the target', () => {
  test.each<[string, Outcome, ReturnType<typeof signOf>]>([
    ['loaded', { kind: 'loaded' }, 'well'],
    ['refused content', refused, 'well'],
    ['a refusal in a 2xx', { kind: 'rejected', failure: { cause: 'business-error', status: 200 } }, 'well'],
    ['a 409', { kind: 'conflict', failure: { cause: 'status', status: 409 } }, 'well'],
    ['a 401', { kind: 'notApplied', failure: { cause: 'status', status: 401 }, waits: false }, 'well'],
    ['a 500', uncertain('status', 500), 'well'],
    ['a 502', uncertain('status', 502), 'down'],
    ['a 503', uncertain('status', 503), 'down'],
    ['a 504', uncertain('status', 504), 'down'],
    ['a time-out', uncertain('timeout'), 'down'],
    ['a reset', uncertain('reset'), 'down'],
    ['a refused connection', notApplied('refused'), 'unsent'],
    ['DNS', notApplied('dns'), 'unsent'],
    ['TLS', notApplied('tls'), 'unsent'],
    ['no connection', notApplied('unreachable'), 'unsent'],
    ['an answer that nobody can read', uncertain('unreadable-answer', 200), 'unclear'],
    ['an answer without a known status', unclear, 'unclear'],
    ['a 429', { kind: 'notApplied', failure: { cause: 'status', status: 429 }, waits: true, pauseMs: 1 }, undefined],
    ['a 503 that says when', { kind: 'notApplied', failure: { cause: 'status', status: 503 }, waits: true }, undefined],
    ['a token endpoint that is down', notApplied('token-unavailable'), 'unsent'],
    ['a refused token', notApplied('no-token'), undefined],
    ['no time to send', notApplied('no-time', true), undefined],
    ['no endpoint for deletions', { kind: 'rejected', failure: { cause: 'no-deletion-endpoint' } }, undefined],
  ])('%s', (_, outcome, sign) => {
    expect(signOf(outcome)).toBe(sign);
  });
});

test('an answer is understood where one row of it is', () => {
  expect(signOfRequest([unclear, unclear])).toBe('unclear');
  expect(signOfRequest([unclear, refused])).toBe('well');
  expect(signOfRequest([])).toBeUndefined();
});
