import { expect, onTestFinished, test } from 'vitest';
import { startEmbedded } from '../../cli/stack/embedded.ts';
import { groups, sourceEnv, startOwnSource } from './own-source.ts';
import { startOwnTarget, targetEnv } from './own-target.ts';
import { newDir, program, runJson } from './program.ts';

const INTEGRATION = 'okki-product-groups-to-qingyiyun';

/** All that a data directory knows of the integration. */
const stored = async (dataDir: string) => {
  const { stores, stack, close } = await startEmbedded({ dataDir });
  try {
    const items = [];
    for await (const page of stores.idStore.scan(INTEGRATION)) items.push(...page);
    items.sort((a, b) => (a.id < b.id ? -1 : 1));
    const runs = await stores.runs.runs(INTEGRATION, 100);
    const lease = await stores.runs.lease(INTEGRATION);
    return { items, runs, lease, backlog: stack.backlog(), letters: await stores.deadLetters.depth() };
  } finally {
    await close();
  }
};

test('a plan says what a run would do, and neither sends nor stores anything', async () => {
  const rows = groups(6);
  const source = await startOwnSource({ rows });
  const target = await startOwnTarget();
  onTestFinished(async () => {
    await Promise.all([source.close(), target.close()]);
  });
  const env = { ...sourceEnv(source), ...targetEnv(target) };
  const dataDir = newDir();
  const plan = async () => {
    const { code, stdout } = await program(['plan', '--json', '--data-dir', dataDir], env);
    return { code, ...(JSON.parse(stdout) as { counts: Record<string, number>; vanished: string[] }) };
  };

  const fresh = await plan();
  expect(fresh).toMatchObject({ code: 0, counts: { fetched: 6, create: 6, unchanged: 0 } });
  expect(target.requests).toEqual([]);
  expect((await stored(dataDir)).items).toEqual([]);
  expect((await stored(dataDir)).runs).toEqual([]);

  const { code } = await runJson(['--data-dir', dataDir], env);
  expect(code).toBe(0);
  const before = await stored(dataDir);
  expect(before.items).toHaveLength(6);
  const requestsBefore = target.requests.length;
  rows.splice(0, 2, { id: 9_999_999_999, name: '新分组', parent_id: 0 });

  const loaded = await plan();
  expect(loaded).toMatchObject({ code: 0, counts: { fetched: 5, create: 1, unchanged: 4 } });
  expect(loaded.vanished).toHaveLength(2);
  expect(target.requests).toHaveLength(requestsBefore);
  expect(await stored(dataDir)).toEqual(before);
}, 90_000);
