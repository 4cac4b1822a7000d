import { describe, expect, it, test } from 'vitest';
import { failureOfRows, noteInvalidRows } from '../../lib/fetch/invalid-rows.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import type { RunRecord } from '../../lib/runs/record.ts';
import { loadingFor } from '../runs/load-all.ts';
import { fetchWorld, group, NAME } from './fetch-world.ts';

const rows = [{ id: 'record 1', reason: 'id: id is missing' }];

describe('a run has failed where', () => {
  test.each<[string, invalid: number, fetched: number, maxShare: number, failed: boolean]>([
    ['its only row is invalid', 1, 1, 0.5, true],
    ['all rows are invalid, whatever the share', 3, 3, 1, true],
    ['more than the share of ten is invalid', 6, 10, 0.5, true],
    ['more than a share of nothing is invalid', 1, 10, 0, true],
    ['not: exactly the share is invalid', 5, 10, 0.5, false],
    ['not: most of nine rows are invalid', 8, 9, 0.5, false],
    ['not: the file allows the share', 9, 10, 0.9, false],
    ['not: the list is empty', 0, 0, 0, false],
    ['not: no row is invalid', 0, 100, 0, false],
  ])('%s', (_, invalid, fetched, maxShare, failed) => {
    const failure = failureOfRows({ fetched, invalid }, rows, { maxShare });
    expect(failure?.code).toBe(failed ? 'rows-invalid' : undefined);
    if (failed) expect(failure?.message).toContain('record 1: id: id is missing');
  });
});

test('five invalid rows are named, with no more than 200 characters of the reason', () => {
  const entries = Array.from({ length: 7 }, (_, n) => ({
    id: String(n),
    outcome: n === 0 ? ('filtered' as const) : ('invalid' as const),
    reason: 'x'.repeat(300),
  }));
  const first = noteInvalidRows(undefined, entries.slice(0, 3));
  const { invalidRows } = noteInvalidRows(first.invalidRows, entries.slice(3));
  expect(invalidRows).toEqual(['1', '2', '3', '4', '5'].map((id) => ({ id, reason: 'x'.repeat(200) })));
  expect(noteInvalidRows(undefined, [])).toEqual({});
});

describe('a list whose rows are mostly invalid', () => {
  const required = [...Array.from({ length: 6 }, (_, n) => ({ uid: n })), ...[7, 8, 9, 10].map((n) => group(n))];

  it('fails the run: its valid rows are loaded, its books are drawn up, and it is not resumed', async () => {
    const world = fetchWorld({ pages: [required] });
    await world.invoke();
    await loadingFor(world).all();
    const closed: RunRecord[] = [];
    const onClosed = async (run: RunRecord) => {
      closed.push(run);
    };
    await reconcile(
      { integration: NAME, policy: { idCheck: false, onUncertain: 'resend' }, deadlineMs: 1_000_000 },
      { ...world.deps, onClosed },
    );
    expect(await world.run()).toMatchObject({
      status: 'failed',
      counts: { fetched: 10, invalid: 6, enqueued: 4, loaded: 4, open: 0 },
      failure: { code: 'rows-invalid' },
    });
    expect(closed.map(({ status }) => status)).toEqual(['failed']);
    expect(await world.invoke()).toMatchObject({ end: 'duplicate' });
  });

  it('closes the run at once where nothing is to be loaded, and says so', async () => {
    const world = fetchWorld({ pages: [[{ uid: 1 }], [{ uid: 2 }]] });
    const told: RunRecord[] = [];
    world.deps.onFailed = async (run) => {
      told.push(run);
    };
    await world.invoke();
    const run = await world.run();
    expect(run).toMatchObject({ status: 'failed', invalidRows: [{ id: 'record 1' }, { id: 'record 2' }] });
    expect(told).toEqual([run]);
    expect(world.logged.map(({ event }) => event)).toContain('run-failed');
  });

  it('does not move the watermark', async () => {
    const window = { initialMs: 0, overlapMs: 0, staysAtInvalid: false };
    const world = fetchWorld({ pages: [[{ uid: 1 }]], plan: { window } });
    await world.invoke();
    expect(await world.runs.watermark(NAME)).toBeUndefined();
  });
});
