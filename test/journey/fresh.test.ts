import { expect, onTestFinished, test } from 'vitest';
import { groups, sourceEnv, startOwnSource } from './own-source.ts';
import { startOwnTarget, targetEnv } from './own-target.ts';
import { newDir, program } from './program.ts';

test('--fresh asks before a real target gets all again, and forgets one integration only', async () => {
  const source = await startOwnSource({ rows: groups(2) });
  const target = await startOwnTarget();
  onTestFinished(async () => {
    await Promise.all([source.close(), target.close()]);
  });
  const env = { ...sourceEnv(source), ...targetEnv(target) };
  const dir = newDir();
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await program(['run', '--json', '--data-dir', dir, ...args], env);
    return { code, stderr, counts: stdout === '' ? undefined : JSON.parse(stdout).counts };
  };
  const first = await run();
  expect(first, first.stderr).toMatchObject({ code: 0, counts: { loaded: 2 } });
  expect(await run('--integration', 'okki-product-groups-to-crm')).toMatchObject({ code: 0, counts: { loaded: 2 } });
  const sent = target.requests.length;

  const unasked = await run('--fresh');
  expect(unasked).toMatchObject({ code: 2, counts: undefined });
  expect(unasked.stderr).toMatch(/2 records .* qingyiyun again[\s\S]*--yes/);
  expect(await run()).toMatchObject({ code: 0, counts: { unchanged: 2 } });
  expect(target.requests).toHaveLength(sent);

  expect(await run('--fresh', '--yes')).toMatchObject({ code: 0, counts: { enqueued: 2, loaded: 2 } });
  expect(await run('--integration', 'okki-product-groups-to-crm')).toMatchObject({ counts: { unchanged: 2 } });
}, 180_000);
