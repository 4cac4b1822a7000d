import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { startProgress } from '../../cli/screen/progress.ts';
import { defined } from '../../lib/runtime/defined.ts';
import { loadingRun } from '../runs/run-record.ts';

/** What a person reads of a run with seven messages that come back later. */
const lineOf = (loadMs: number | undefined, why: string | undefined): string => {
  let text = '';
  const stream = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  const backlog = { visible: 0, inFlight: 0, delayed: 7, running: 0 };
  const seen = { run: { ...loadingRun, ...defined({ loadMs }) }, backlog, unsent: 0 };
  startProgress(stream, () => why).onSeen(seen);
  return text;
};

test.each([
  ['under a limit messages have appointments', 60_000, undefined, '7 wait for their turn by the limit'],
  [
    'and some may have failed',
    60_000,
    'HTTP 500',
    '7 wait for their turn by the limit, or to be tried again (last: HTTP 500)',
  ],
  ['without a limit they wait since they failed', undefined, 'HTTP 500', '7 wait to be tried again (last: HTTP 500)'],
  ['or for others', undefined, undefined, '7 wait for their turn'],
])('what comes back later says why: %s', (_, loadMs, why, words) => {
  expect(lineOf(loadMs, why).trimEnd().split(' · ').at(-1)).toBe(words);
});
