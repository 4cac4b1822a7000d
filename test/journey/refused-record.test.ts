import { expect, onTestFinished, test } from 'vitest';
import { groups, sourceEnv, startOwnSource } from './own-source.ts';
import { startOwnTarget, targetEnv } from './own-target.ts';
import { newDir, program, runJson } from './program.ts';

test('a record that the target refuses waits with its words, and a replay after the mending loads it and only it', async () => {
  const rows = groups(12);
  const refusedId = String(rows[4]?.id);
  const words = '名称含有非法字符 “&”';
  const source = await startOwnSource({ rows });
  const target = await startOwnTarget();
  onTestFinished(async () => {
    await Promise.all([source.close(), target.close()]);
  });
  const env = { ...sourceEnv(source), ...targetEnv(target) };
  const dir = ['--data-dir', newDir()];
  target.behave(([record]) =>
    record?.id === refusedId ? { status: 422, text: JSON.stringify({ message: words }) } : undefined,
  );

  const first = await runJson(dir, env);
  expect(first.code).toBe(1);
  expect(first.report.counts).toMatchObject({ enqueued: 12, loaded: 11, rejected: 1 });
  expect(first.report).toMatchObject({ balanced: true, deadLetters: 1 });

  const listed = await program(['dlq', 'list', ...dir], env);
  expect(listed.code).toBe(1);
  expect(listed.stdout).toContain('rejected');
  expect(listed.stdout).toContain(refusedId);
  expect(listed.stdout).toContain(words);
  expect(listed.stdout).toContain('422');

  const again = await runJson(dir, env);
  expect(again.code, 'it waits still').toBe(1);
  expect(again.report.counts).toMatchObject({ unchanged: 11, skipped: 1, enqueued: 0 });
  expect(again.report.requests.target, 'what was refused is not sent again by itself').toBe(0);

  target.behave(undefined);
  const before = target.applied.length;
  const replayed = await program(['dlq', 'replay', ...dir], env);
  expect(replayed.code).toBe(0);
  expect(target.applied.slice(before).map(({ id }) => id)).toEqual([refusedId]);

  const last = await runJson(dir, env);
  expect(last.code).toBe(0);
  expect(last.report.counts).toMatchObject({ unchanged: 12, enqueued: 0 });
  expect(last.report.deadLetters).toBe(0);
}, 90_000);
