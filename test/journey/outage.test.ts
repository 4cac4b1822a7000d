import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startEmbedded } from '../../cli/stack/embedded.ts';
import { lastingPort } from './http-server.ts';
import { quickIntegration } from './integration-copy.ts';
import { groups, sourceEnv, startOwnSource } from './own-source.ts';
import { type OwnTarget, startOwnTarget, targetEnv } from './own-target.ts';
import { jsonOf, newDir, program, runJson, startProgram } from './program.ts';

const servers = async (count: number) => {
  const source = await startOwnSource({ rows: groups(count) });
  const target = await startOwnTarget(await lastingPort());
  onTestFinished(async () => {
    await Promise.all([source.close(), target.close()]);
  });
  return { source, target, env: { ...sourceEnv(source), ...targetEnv(target) } };
};

const appliedMoreThanOnce = (target: OwnTarget): string[] =>
  [...target.timesById()].filter(([, times]) => times > 1).map(([id]) => id);

test('a target that is down: the waiting is shown, all ends as dead letters; what a later run has loaded is not sent again', async () => {
  const { target, env } = await servers(8);
  const dir = newDir();
  const args = ['--data-dir', dir, '--integration', quickIntegration(dir)];
  await target.close();

  const down = await runJson(args, env);
  expect(down.code).toBe(1);
  expect(down.stderr).toMatch(/8 waiting to be tried again \(last: connection refused\)/);
  expect(down.report).toMatchObject({ balanced: false, deadLetters: 8, counts: { enqueued: 8, open: 8, loaded: 0 } });

  const mended = await startOwnTarget(target.port);
  onTestFinished(mended.close);
  expect((await program(['dlq', 'replay', '--limit', '3', ...args], env)).code).toBe(1);
  expect(mended.timesById().size).toBe(3);

  const next = await runJson(args, env);
  expect(next.code).toBe(1);
  expect(next.report).toMatchObject({ deadLetters: 5, counts: { unchanged: 3, loaded: 5 } });
  const { letters } = jsonOf<{ letters: object[] }>(await program(['dlq', 'list', ...args, '--json'], env));
  expect(letters).toMatchObject(Array.from({ length: 5 }, () => ({ loadedSince: true })));
  expect((await program(['dlq', 'list', ...args], env)).stdout).toContain('5 loaded since by a later run');

  const emptied = await program(['dlq', 'replay', ...args, '--json'], env);
  expect(emptied.code).toBe(0);
  expect(jsonOf<object>(emptied)).toMatchObject({ deadLetters: 0 });
  expect(mended.timesById().size).toBe(8);
  expect(appliedMoreThanOnce(mended)).toEqual([]);
}, 90_000);

test('uncertain POSTs are sent again under their key, and a message that nobody can read is set aside with its body', async () => {
  const { target, env } = await servers(10);
  const dir = newDir();
  const body = '{"v":99,"who":"a message of the future"}';
  const embedded = await startEmbedded({ dataDir: dir });
  await embedded.stores.records.sendAll([{ body }]);
  await embedded.close();
  let drops = 6;
  target.behave(() => (drops-- > 0 ? 'apply-and-drop' : undefined));

  const { report } = await runJson(['--data-dir', dir, '--integration', quickIntegration(dir)], env);
  expect(report.counts.loaded).toBe(10);
  expect(target.timesById().size).toBe(10);
  for (const id of target.timesById().keys()) {
    const keys = target.applied.filter((application) => application.id === id).map(({ key }) => key);
    expect(new Set(keys).size, `keys of ${id}`).toBe(1);
  }
  const listed = await program(['dlq', 'list', '--json', '--data-dir', dir], env);
  expect(listed.code).toBe(1);
  expect(jsonOf<object>(listed)).toMatchObject({ letters: [{ reason: 'unreadable', body }] });
}, 90_000);

test('Ctrl-C ends the run in order, and the next run goes on: every record is applied once', async () => {
  const { target, env } = await servers(250);
  const args = ['--data-dir', newDir()];
  const run = startProgram(['run', ...args], { ...env, QINGYIYUN_RATE_LIMIT: '60/1s' });
  while (target.applied.length < 30) await sleep(20);
  run.kill('SIGINT');
  const stopped = await run.ended;
  expect(stopped.code).toBe(3);
  expect(stopped.stderr).toContain('the next run goes on with the rest');
  expect(stopped.stderr).not.toMatch(/\n\s+at /);
  expect(target.timesById().size).toBeLessThan(250);

  const next = await runJson(args, env);
  expect(next.code).toBe(0);
  expect(next.report.balanced).toBe(true);
  expect(target.timesById().size).toBe(250);
  expect(appliedMoreThanOnce(target)).toEqual([]);
}, 90_000);
