import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Embedded, startEmbedded } from '../../cli/stack/embedded.ts';
import type { LimitHits } from '../../lib/runs/limits.ts';
import type { RunRecord, Unsettled } from '../../lib/runs/record.ts';
import { type Ended, jsonOf, newDir, program, runJson } from './program.ts';
import { appliedRequests } from './sandbox-store.ts';

const CRM = 'okki-product-groups-to-crm';
const REFUSED = ['5203300118', '5203300254'];
const dataDir = newDir();
const groups = path.join(dataDir, 'groups.json');
const on = (...args: string[]) => program([...args, '--data-dir', dataDir]);
/** A run of the list, by a target that refuses two of its four records. */
const run = (...faults: string[]) =>
  runJson([
    '--integration',
    CRM,
    '--groups',
    groups,
    '--data-dir',
    dataDir,
    ...faults.flatMap((one) => ['--fault', one]),
  ]);
const REFUSAL = `target-refuse:ids=${REFUSED}`;

let runId = '';
// From here on this process holds the data directory: commands look at it through this one's servers, as they do while
// a run goes on in another terminal.
let held: Embedded;
beforeAll(async () => {
  const list = [...REFUSED, '5203300300', '5203300301'].map((id) => ({ id: Number(id), name: `分组${id}` }));
  writeFileSync(groups, JSON.stringify(list));
  const { code, report } = await run(REFUSAL, 'target-429:times=1:retryAfter=1');
  expect(code).toBe(1);
  expect(report).toMatchObject({ balanced: true, deadLetters: 2 });
  ({ runId } = report);
  held = await startEmbedded({ dataDir });
});
afterAll(async () => {
  await held.close();
});

describe('runs', () => {
  test('lists the recent runs, newest first', async () => {
    const ended = await on('runs', '--json');
    expect(ended.code).toBe(0);
    expect(jsonOf<{ runs: RunRecord[] }>(ended).runs.map((run) => run.runId)).toEqual([runId]);
  });

  test('of one integration only', async () => {
    const ended = await on('runs', '--json', '--integration', 'okki-product-groups-to-qingyiyun');
    expect(jsonOf<{ runs: RunRecord[] }>(ended).runs).toEqual([]);
  });

  test('is as narrow as COLUMNS says, run ids whole, and without colours where it prints to no terminal', async () => {
    const { stdout } = await program(['runs', '--data-dir', dataDir], { COLUMNS: '60' });
    const [header = '', row = ''] = stdout.split('\n');
    expect(Math.max(header.length, row.length)).toBeLessThanOrEqual(60);
    expect(row).toContain(runId.slice(CRM.length + 1));
    expect(stdout).not.toContain('\u001b');
  });
});

test('what the functions counted is kept in the logs of the data directory, one line for each invocation', () => {
  const lines = readFileSync(path.join(dataDir, 'logs', 'fetch.log'), 'utf8').split('\n');
  const counted = lines.filter((line) => line.includes('"message":"counted"')).map((line) => JSON.parse(line));
  expect(counted).toEqual([
    expect.objectContaining({ service: 'okki-sync-local', integration: CRM, RecordsFetched: 4 }),
  ]);
});

describe('status', () => {
  type Status = RunRecord & {
    unsettled: Unsettled;
    balanced: boolean;
    reasons: Record<string, string>;
    limits: { source: LimitHits; target: LimitHits };
  };
  let ended: Ended;
  let status: Status;
  beforeAll(async () => {
    ended = await on('status', 'last', '--json');
    status = jsonOf<Status>(ended);
  });

  test('draws up the books of the last run, and names what is not settled and why', () => {
    expect(status).toMatchObject({
      runId,
      balanced: true,
      counts: { fetched: 4, enqueued: 4, loaded: 2, rejected: 2 },
    });
    expect(status.unsettled.rejected.toSorted()).toEqual(REFUSED);
    expect(status.reasons[REFUSED[0] ?? '']).toContain('422');
    expect(ended.code).toBe(0);
  });

  test('says which limits were hit, and how long they held the run up', async () => {
    const { limits } = status;
    expect(limits.target).toMatchObject({ throttled: 1, putOff: 4 });
    expect(limits.target.heldMs).toBeGreaterThan(900);
    const { stdout } = await on('status', 'last');
    expect(stdout).toMatch(/Load 写入.*\n +limits 限流 +held up for .*1 answer "too many", 4 put off\n/);
  });

  test('of an unknown run exits 2 and says so', async () => {
    const ended = await on('status', 'nothing-like-it');
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('nothing-like-it');
    expect(ended.stdout).toBe('');
  });
});

describe('record', () => {
  test('tells the whole history of a refused record', async () => {
    const ended = await on('record', REFUSED[0] ?? '', '--json');
    expect(ended.code).toBe(0);
    expect(jsonOf<{ records: unknown[] }>(ended).records).toMatchObject([
      {
        integration: CRM,
        item: { trouble: { kind: 'rejected' } },
        runs: [{ runId, outcome: 'enqueued' }],
        letters: [{ reason: 'rejected' }],
      },
    ]);
  });

  test('of a loaded record exits 0', async () => {
    const ended = await on('record', '5203300300', '--integration', CRM, '--json');
    expect(ended.code).toBe(0);
    expect(jsonOf<{ records: unknown[] }>(ended).records).toMatchObject([{ item: { loaded: {} }, letters: [] }]);
  });

  test('nobody has ever seen exits 2', async () => {
    expect((await on('record', '1')).code).toBe(2);
  });
});

describe('dlq', () => {
  test('list tells the words of the target', async () => {
    const { stdout } = await on('dlq', 'list');
    for (const words of ['rejected', '422', ...REFUSED]) expect(stdout).toContain(words);
  });

  test('list groups by reason', async () => {
    const ended = await on('dlq', 'list', '--json');
    expect(ended.code).toBe(0);
    const { byReason, letters } = jsonOf<{ byReason: object; letters: Array<{ id: string }> }>(ended);
    expect(byReason).toEqual({ rejected: 2 });
    expect(letters.map(({ id }) => id).sort()).toEqual(REFUSED);
  });

  test('list takes only what is older than a span', async () => {
    expect(jsonOf<{ letters: unknown[] }>(await on('dlq', 'list', '--json', '--older-than', '2h')).letters).toEqual([]);
    expect((await on('dlq', 'list', '--older-than', 'a while')).code).toBe(2);
  });

  test('show says what would be sent', async () => {
    const { code, stdout } = await on('dlq', 'show', REFUSED[0] ?? '');
    expect(code).toBe(0);
    expect(stdout).toContain(`{"group_id":${REFUSED[0]},"group_name":"分组${REFUSED[0]}"}`);
    expect((await on('dlq', 'show', '1')).code).toBe(2);
  });

  test('replay leaves what nobody can read, and says so; looking at it is no attempt', async () => {
    await held.stores.deadLetters.sendAll([{ body: 'not JSON' }]);
    const ended = await on('dlq', 'replay', '--reason', 'unreadable', '--json');
    expect(jsonOf<object>(ended)).toMatchObject({ replayed: [], notReplayable: 1, deadLetters: 3 });
    expect(ended.code).toBe(1);
    const { letters } = jsonOf<{ letters: object[] }>(await on('dlq', 'list', '--reason', 'unreadable', '--json'));
    expect(letters).toMatchObject([{ attempts: 0, body: 'not JSON' }]);
    const discarded = await on('dlq', 'discard', '--reason', 'unreadable', '--yes', '--why', 'a test');
    expect(discarded.code).toBe(0);
  });

  test('discard wants to know which, and touches one integration only: the default one unless another is named', async () => {
    expect((await on('dlq', 'discard', '--yes', '--why', 'x')).code).toBe(2);
    const ended = await on('dlq', 'discard', '--all', '--json');
    expect(jsonOf<object>(ended)).toMatchObject({ discarded: [], others: [CRM] });
    expect(jsonOf<{ letters: unknown[] }>(await on('dlq', 'list', '--json')).letters).toHaveLength(2);
  });

  test('discard asks for a yes and why where the target is real', async () => {
    const real = (...args: string[]) =>
      program(['dlq', 'discard', '--integration', CRM, ...args, '--data-dir', dataDir], {
        CRM_BASE_URL: 'http://127.0.0.1:9',
      });
    const refused = await Promise.all([real('--why', 'x'), real('--yes')]);
    expect(refused.map(({ code }) => code)).toEqual([2, 2]);
    expect(refused[0]?.stderr).toContain('--yes');
    expect(jsonOf<{ letters: unknown[] }>(await on('dlq', 'list', '--json')).letters).toHaveLength(2);
  });

  test('resolve leaves alone what is not uncertain', async () => {
    const ended = await on('dlq', 'resolve', REFUSED[0] ?? '', '--loaded', '--json');
    expect(ended.code).toBe(2);
    expect(jsonOf<object>(ended)).toMatchObject({ results: [{ kind: 'unresolvable', why: 'not-uncertain' }] });
    expect((await on('dlq', 'resolve', REFUSED[0] ?? '')).code).toBe(2);
  });

  test('discard gives a letter up, and says who and why', async () => {
    const [, second = ''] = REFUSED;
    const signed = ['--why', '源数据已废弃', '--by', 'li'];
    const discarded = await on('dlq', 'discard', '--integration', CRM, '--id', second, ...signed, '--json');
    expect(jsonOf<object>(discarded)).toMatchObject({ discarded: [{ id: second }] });
    const history = jsonOf<object>(await on('record', second, '--json'));
    expect(history).toMatchObject({
      records: [{ letters: [], audit: [{ action: 'discarded', by: 'li', why: '源数据已废弃' }] }],
    });
  });

  test('a refused record waits through later runs; a replay after the mending loads it and only it', async () => {
    const [first = ''] = REFUSED;
    // Running and replaying need workers, and the data directory for themselves.
    await held.close();
    const again = await run(REFUSAL);
    expect(again.code, 'it waits still').toBe(1);
    expect(again.report.counts).toMatchObject({ unchanged: 2, skipped: 2, enqueued: 0 });
    expect(again.report.requests.target, 'what was refused is not sent again by itself').toBe(0);

    const before = appliedRequests(dataDir).flat().length;
    const replayed = await on('dlq', 'replay', '--id', first, '--json');
    expect(jsonOf<object>(replayed)).toMatchObject({ replayed: [{ id: first }], backInQueue: 0, deadLetters: 0 });
    expect(replayed.code).toBe(0);
    expect(
      appliedRequests(dataDir)
        .flat()
        .slice(before)
        .map(({ id }) => id),
    ).toEqual([first]);

    const last = await run();
    expect(last.report).toMatchObject({ deadLetters: 0, counts: { unchanged: 3, skipped: 1, enqueued: 0 } });
    expect(jsonOf<object>(await on('record', first, '--json'))).toMatchObject({
      records: [{ item: { loaded: {} }, audit: [{ action: 'replayed', reason: 'rejected' }] }],
    });
  }, 90_000);
});
