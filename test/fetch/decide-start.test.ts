import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideStart, windowOf } from '../../lib/fetch/decide-start.ts';
import type { RunRequest } from '../../lib/messages/run-request.ts';
import type { RunRecord, RunStatus, UnfinishedRun } from '../../lib/runs/record.ts';
import { isUnfinished, runIdOf } from '../../lib/runs/record.ts';
import type { Lease } from '../../lib/runs/store.ts';
import { run } from '../contracts/run-store.contract.ts';
import { loadingRun } from '../runs/run-record.ts';

const RESUME_WITHIN_MS = 6 * 3_600_000;

const NOW_MS = 1_767_571_200_000;
const asked = runIdOf('groups', NOW_MS);
const other = runIdOf('groups', NOW_MS - 3_600_000);
const checkpoint = { page: { page: 2 }, chunks: 1, fetched: 5 };

const schedule: RunRequest = { kind: 'schedule', integration: 'groups', scheduledMs: NOW_MS, fullRefresh: false };
const full: RunRequest = { ...schedule, fullRefresh: true };
const word: RunRequest = { kind: 'continue', integration: 'groups', runId: asked };
const lessThanAll: RunRequest[] = [
  { ...schedule, selection: { limit: 5 } },
  { ...schedule, selection: { ids: ['1'] } },
  { ...schedule, adoption: {} },
  { ...schedule, adoption: { idChunks: 1 } },
];
const lease = (runId: string, untilMs: number): Lease => ({ integration: 'groups', runId, owner: 'w', untilMs });
const stored = (runId: string, status: RunStatus, changes: Partial<UnfinishedRun> = {}): RunRecord =>
  status === 'extracting' || status === 'incomplete'
    ? run(runId, { status, startedMs: NOW_MS - 1_000, ...changes })
    : { ...loadingRun, runId, status, startedMs: NOW_MS - 1_000 };

type Row = [what: string, lease: Lease | undefined, leased: RunRecord | undefined, ask: RunRecord | undefined];
const fresh: Row = ['nothing', undefined, undefined, undefined];
const over = (runId: string, status: RunStatus): Row => [
  `run over (${status})`,
  lease(runId, NOW_MS),
  stored(runId, status),
  runId === asked ? stored(runId, status) : undefined,
];
const left = (runId: string, status: RunStatus, changes: Partial<UnfinishedRun>, untilMs = NOW_MS): Row => [
  `run ${status} (${Object.keys(changes).join()})`,
  lease(runId, untilMs),
  stored(runId, status, changes),
  runId === asked ? stored(runId, status, changes) : undefined,
];

const taking = (idChunks?: number) => ({ adoption: { adopted: 1, known: 0, ...(idChunks && { idChunks }) } });

describe('what to do with a request for a run, where one that does less than all may be meant or left', () => {
  it.each<[left: Partial<UnfinishedRun>, ofSchedule: string, expected: string[]]>([
    [{}, 'resume', ['start', 'start', 'start', 'start']],
    [{ selection: { limit: 5 } }, 'start', ['resume', 'start', 'start', 'start']],
    [{ selection: { ids: ['1'] } }, 'start', ['start', 'resume', 'start', 'start']],
    // What is to be taken over is taken over before anything is sent.
    [taking(), 'resume', ['resume', 'resume', 'resume', 'start']],
    [taking(1), 'resume', ['resume', 'resume', 'start', 'start']],
  ])('%j was left: a schedule %s; a limit, an id, adopt, adopt of a list %j', (changes, ofSchedule, expected) => {
    const leased = stored(other, 'incomplete', { checkpoint, ...changes });
    const kinds = [schedule, ...lessThanAll].map(
      (request) => decideStart(request, lease(other, NOW_MS), leased, undefined, NOW_MS, RESUME_WITHIN_MS).kind,
    );
    expect(kinds).toEqual([ofSchedule, ...expected]);
  });
});

it('goes on with a run that takes over although it has no checkpoint, and with no other', () => {
  const kindWith = (changes: Partial<UnfinishedRun>) =>
    decideStart(
      schedule,
      lease(other, NOW_MS),
      stored(other, 'incomplete', changes),
      undefined,
      NOW_MS,
      RESUME_WITHIN_MS,
    ).kind;
  expect(kindWith({ adoption: { adopted: 0, known: 0 } })).toBe('resume');
  expect(kindWith({})).toBe('start');
});

describe('what to do with a request for a run', () => {
  it.each<[row: Row, ofSchedule: string, ofFullRefresh: string, ofWord: string]>([
    [fresh, 'start', 'start', 'stale'],
    [over(other, 'loading'), 'start', 'start', 'stale'],
    [over(other, 'balanced'), 'start', 'start', 'stale'],
    [over(other, 'unbalanced'), 'start', 'start', 'stale'],
    [over(asked, 'loading'), 'duplicate', 'duplicate', 'stale'],
    [over(asked, 'balanced'), 'duplicate', 'duplicate', 'stale'],
    [over(asked, 'unbalanced'), 'duplicate', 'duplicate', 'stale'],
    [left(asked, 'extracting', { checkpoint }, NOW_MS + 1), 'duplicate', 'duplicate', 'duplicate'],
    [left(other, 'extracting', { checkpoint }, NOW_MS + 1), 'overlap', 'overlap', 'overlap'],
    [left(asked, 'extracting', { checkpoint }), 'resume', 'start', 'resume'],
    [left(asked, 'incomplete', { checkpoint }), 'resume', 'start', 'resume'],
    [left(asked, 'extracting', {}), 'resume', 'start', 'resume'],
    [left(other, 'extracting', { checkpoint }), 'resume', 'start', 'stale'],
    [left(other, 'incomplete', { checkpoint }), 'resume', 'start', 'stale'],
    [left(other, 'incomplete', { checkpoint, fullRefresh: true }), 'resume', 'resume', 'stale'],
    [left(other, 'incomplete', {}), 'start', 'start', 'stale'],
    [left(asked, 'incomplete', { checkpoint, startedMs: NOW_MS - RESUME_WITHIN_MS }), 'start', 'start', 'stale'],
    [left(asked, 'incomplete', { checkpoint, startedMs: NOW_MS - RESUME_WITHIN_MS + 1 }), 'resume', 'start', 'resume'],
  ])('%j: a schedule %s, a full refresh %s, a continuation %s', ([, held, leased, ask], ...expected) => {
    const starts = [schedule, full, word].map((request) =>
      decideStart(request, held, leased, ask, NOW_MS, RESUME_WITHIN_MS),
    );
    expect(starts.map(({ kind }) => kind)).toEqual(expected);
    for (const start of starts) {
      if (start.kind === 'start') expect(start.runId).toBe(asked);
      if (start.kind === 'resume') expect(start.run).toBe(leased);
      if (start.kind === 'duplicate' || start.kind === 'stale') expect(start.runId).toBe(asked);
      if (start.kind === 'overlap') expect([start.runId, start.untilMs]).toEqual([other, NOW_MS + 1]);
    }
  });

  it('under a live lease of another run, nothing is ever started or resumed', () => {
    const statuses = fc.constantFrom<RunStatus>('extracting', 'incomplete', 'loading', 'balanced', 'unbalanced');
    const record = fc.option(
      statuses.map((status) => stored(asked, status, { checkpoint })),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.constantFrom(schedule, full, word), record, statuses, (request, ask, status) => {
        const held = lease(other, NOW_MS + 1);
        const { kind } = decideStart(
          request,
          held,
          stored(other, status, { checkpoint }),
          ask,
          NOW_MS,
          RESUME_WITHIN_MS,
        );
        expect(['duplicate', 'overlap', 'stale']).toContain(kind);
      }),
    );
  });
});

describe('a run id', () => {
  it('is stable for a second, and sorts by time', () => {
    expect(runIdOf('groups', Date.UTC(2026, 0, 5, 1, 0, 0, 999))).toBe('groups-20260105T010000Z');
    const times = fc.tuple(fc.nat(4e12), fc.nat(4e12));
    fc.assert(
      fc.property(times, ([a, b]) => {
        const [first, second] = [Math.floor(a / 1_000), Math.floor(b / 1_000)];
        const [idA, idB] = [runIdOf('groups', a), runIdOf('groups', b)];
        expect(Math.sign(first - second)).toBe(idA < idB ? -1 : idA > idB ? 1 : 0);
      }),
    );
  });
});

it('a run is unfinished while pages are to be read', () => {
  const statuses: RunStatus[] = ['extracting', 'incomplete', 'loading', 'balanced', 'unbalanced'];
  expect(statuses.filter((status) => isUnfinished(stored('run-1', status)))).toEqual(['extracting', 'incomplete']);
  expect(isUnfinished(undefined)).toBe(false);
});

const INITIAL_MS = Date.UTC(2026, 0, 1);
const setting = { initialMs: INITIAL_MS, overlapMs: 600_000, staysAtInvalid: false };

describe('the window of a run', () => {
  it('begins at the initial time as long as nothing was loaded', () => {
    expect(windowOf(setting, undefined, false, NOW_MS)).toEqual({ fromMs: INITIAL_MS, toMs: NOW_MS });
  });

  it('begins where the last one ended, less the overlap', () => {
    const lastMs = NOW_MS - 3_600_000;
    expect(windowOf(setting, lastMs, false, NOW_MS)).toEqual({ fromMs: lastMs - 600_000, toMs: NOW_MS });
  });

  it('never begins before the initial time', () => {
    expect(windowOf(setting, INITIAL_MS + 60_000, false, NOW_MS).fromMs).toBe(INITIAL_MS);
  });

  it('begins at the beginning again for a full refresh', () => {
    expect(windowOf(setting, NOW_MS - 1, true, NOW_MS).fromMs).toBe(INITIAL_MS);
  });

  it('begins at the beginning again where the last one ended ahead of now: a clock was wrong', () => {
    expect(windowOf(setting, NOW_MS + 300_000, false, NOW_MS).fromMs).toBe(NOW_MS - 300_000);
    expect(windowOf(setting, NOW_MS + 3_600_000, false, NOW_MS)).toEqual({ fromMs: INITIAL_MS, toMs: NOW_MS });
  });
});

it('a lease that ends later than any invocation can is none: a clock was wrong', () => {
  const start = (untilMs: number) =>
    decideStart(schedule, lease(other, untilMs), undefined, undefined, NOW_MS, RESUME_WITHIN_MS).kind;
  expect([start(NOW_MS + 900_000), start(NOW_MS + 3_600_000)]).toEqual(['overlap', 'start']);
});
