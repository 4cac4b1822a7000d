import { expect, test } from 'vitest';
import { exitCodeOf, type SeenRun } from '../../lib/operate/exit-code.ts';
import type { LoadCounts, RunStatus } from '../../lib/runs/record.ts';
import { loadingRun } from '../runs/run-record.ts';

const run = (status: RunStatus, counts: Partial<LoadCounts> = {}): SeenRun['run'] => {
  const enqueued = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return { status, counts: { ...loadingRun.counts, fetched: enqueued, enqueued, ...counts } };
};
const unequal = { status: 'loading' as const, counts: { ...loadingRun.counts, fetched: 1 } };

const rowsInvalid = { code: 'rows-invalid', message: '' };
const withInvalid = (seen: SeenRun['run']): SeenRun['run'] => ({
  ...seen,
  counts: { ...seen.counts, fetched: seen.counts.fetched + 1, invalid: 1 },
});

const leftOutCounts = { ...loadingRun.counts, fetched: 3, enqueued: 1, loaded: 1, waiting: 2 };
const waitingCounts = { ...loadingRun.counts, fetched: 2, enqueued: 1, loaded: 1, waiting: 1 };
const notGiven = { count: 1, sample: ['9'], chunks: 1 };

type Beside = Partial<Omit<SeenRun, 'run'>>;

test.each<[string, SeenRun['run'], Beside, code: number]>([
  ['is balanced, nothing waits', run('balanced', { loaded: 1, superseded: 1 }), {}, 0],
  ['is balanced, a record was refused', run('balanced', { loaded: 1, rejected: 1 }), {}, 1],
  ['is balanced, an outcome is unknown', run('balanced', { uncertain: 1 }), {}, 1],
  ['is balanced, a letter of an earlier run waits', run('balanced', { loaded: 1 }), { deadLetters: 1 }, 1],
  ['left a record out that was refused before', run('balanced', {}), { setAside: { refused: 1, uncertain: 0 } }, 1],
  ['left a record out that is uncertain', run('balanced', {}), { setAside: { refused: 0, uncertain: 1 } }, 1],
  ['left nothing out', run('balanced', {}), { setAside: { refused: 0, uncertain: 0 } }, 0],
  ['left records out on purpose', { ...run('balanced', { loaded: 1 }), counts: leftOutCounts, leftOut: 2 }, {}, 0],
  ['waits for what an earlier run has sent', { ...run('loading', { loaded: 1 }), counts: waitingCounts }, {}, 1],
  ['asked for an id that is not there', { ...run('balanced', { loaded: 1 }), notGiven }, {}, 1],
  ['did not balance', run('unbalanced', { loaded: 1 }), {}, 1],
  ['did not balance, a record is open', run('unbalanced', { open: 1 }), {}, 1],
  ['is loading, all is loaded', run('loading', { loaded: 1 }), {}, 0],
  ['is loading, a record is open', run('loading', { open: 1 }), {}, 1],
  ['is loading, a record was refused', run('loading', { open: 1, rejected: 1 }), {}, 1],
  ['is loading, the sums do not hold', unequal, {}, 1],
  ['left messages behind with a function that failed', run('loading', { open: 1 }), { stranded: 1 }, 3],
  ['whose target was given up as down', run('loading', { open: 1 }), { rest: { cause: 'down' } }, 3],
  ['whose target is not understood', run('loading', { open: 1 }), { rest: { cause: 'not-understood' } }, 1],
  ['whose target refuses the login', run('loading', { open: 1 }), { rest: { cause: 'refused' } }, 3],
  ['is being read', run('extracting'), {}, 3],
  ['could not be read to its end', run('incomplete'), {}, 3],
  ['could not be read to its end, a record was refused', run('incomplete', { rejected: 1 }), {}, 3],
  ['has failed', { ...run('failed'), failure: rowsInvalid }, {}, 3],
  ['will have failed when its records are loaded', { ...run('loading', { loaded: 1 }), failure: rowsInvalid }, {}, 3],
  ['has failed, records stay open', { ...run('unbalanced', { open: 1 }), failure: rowsInvalid }, {}, 3],
  ['is balanced, a row is invalid', withInvalid(run('balanced', { loaded: 1 })), {}, 1],
  [
    'is balanced, a row is invalid and the file only wants that reported',
    { ...withInvalid(run('balanced', { loaded: 1 })), toleratesInvalid: true },
    {},
    0,
  ],
])('a run that %s', (_, seen, beside, code) => {
  expect(exitCodeOf({ run: seen, ...beside })).toBe(code);
});
