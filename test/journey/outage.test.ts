import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startEmbedded } from '../../cli/stack/embedded.ts';
import { lastingPort } from './http-server.ts';
import { groups, sourceEnv, startOwnSource } from './own-source.ts';
import { type OwnTarget, startOwnTarget, targetEnv } from './own-target.ts';
import { newDir, program, runJson, startProgram } from './program.ts';
import { quickIntegration } from './quick-integration.ts';

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

test('a target that is down all the time: the waiting is shown, everything ends as a dead letter, a replay loads it', async () => {
  const { target, env } = await servers(8);
  const dir = newDir();
  const args = ['--data-dir', dir, '--integration', quickIntegration(dir)];
  await target.close();

  const down = await runJson(args, env);
  expect(down.code).toBe(1);
  expect(down.stderr).toMatch(/8 waiting to be tried again \(last: connection refused\)/);
  expect(down.report).toMatchObject({ balanced: true, deadLetters: 8, counts: { enqueued: 8, open: 8, loaded: 0 } });

  const mended = await startOwnTarget(target.port);
  onTestFinished(mended.close);
  const replayed = await program(['dlq', 'replay', ...args], env);
  expect(replayed.code).toBe(0);
  expect(mended.timesById().size).toBe(8);

  const last = await runJson(args, env);
  expect(last.code).toBe(0);
  expect(last.report.counts).toMatchObject({ unchanged: 8, enqueued: 0 });
  expect(appliedMoreThanOnce(mended)).toEqual([]);
}, 90_000);

test('letters of an outage whose records a later run has loaded say so, and a replay only deletes them', async () => {
  const { target, env } = await servers(4);
  const dir = newDir();
  const args = ['--data-dir', dir, '--integration', quickIntegration(dir)];
  await target.close();
  expect((await runJson(args, env)).report.deadLetters).toBe(4);
  const mended = await startOwnTarget(target.port);
  onTestFinished(mended.close);

  const next = await runJson(args, env);
  expect([next.code, next.report.counts.loaded, next.report.deadLetters]).toEqual([1, 4, 4]);
  const listed = await program(['dlq', 'list', ...args, '--json'], env);
  const { letters } = JSON.parse(listed.stdout);
  expect(letters.map(({ loadedSince }: { loadedSince?: boolean }) => loadedSince)).toEqual([true, true, true, true]);
  expect((await program(['dlq', 'list', ...args], env)).stdout).toContain('4 loaded since by a later run');

  expect((await program(['dlq', 'replay', ...args], env)).code).toBe(0);
  expect((await program(['dlq', 'list', ...args], env)).stdout).toContain('No dead letters');
  expect(appliedMoreThanOnce(mended)).toEqual([]);
}, 90_000);

test('a target that drops connections for a while: uncertain POSTs are sent again under their key, nothing is lost', async () => {
  const { target, env } = await servers(10);
  const dir = newDir();
  let drops = 6;
  target.behave(() => (drops-- > 0 ? 'apply-and-drop' : undefined));
  const { code, report } = await runJson(['--data-dir', dir, '--integration', quickIntegration(dir)], env);
  expect({ code, loaded: report.counts.loaded }).toEqual({ code: 0, loaded: 10 });
  expect(target.timesById().size).toBe(10);
  for (const id of target.timesById().keys()) {
    const keys = target.applied.filter((application) => application.id === id).map(({ key }) => key);
    expect(new Set(keys).size, `keys of ${id}`).toBe(1);
  }
}, 90_000);

test('Ctrl-C ends the run in order, and the next run goes on: every record is applied once', async () => {
  const { target, env } = await servers(300);
  const args = ['--data-dir', newDir()];
  const run = startProgram(['run', ...args], env);
  while (target.applied.length < 30) await sleep(20);
  run.kill('SIGINT');
  const stopped = await run.ended;
  expect(stopped.code).toBe(3);
  expect(stopped.stderr).toContain('the next run goes on with the rest');
  expect(stopped.stderr).not.toMatch(/\n\s+at /);
  expect(target.timesById().size).toBeLessThan(300);

  const next = await runJson(args, env);
  expect(next.code).toBe(0);
  expect(next.report.balanced).toBe(true);
  expect(target.timesById().size).toBe(300);
  expect(appliedMoreThanOnce(target)).toEqual([]);
}, 90_000);

test('a message that nobody can read becomes a dead letter with its body, and the run goes on', async () => {
  const { target, env } = await servers(3);
  const dataDir = newDir();
  const body = '{"v":99,"who":"a message of the future"}';
  const embedded = await startEmbedded({ dataDir });
  await embedded.stores.records.sendAll([{ body }]);
  await embedded.close();

  const { report } = await runJson(['--data-dir', dataDir], env);
  expect(report.counts.loaded).toBe(3);
  const listed = await program(['dlq', 'list', '--json', '--data-dir', dataDir], env);
  expect(listed.code).toBe(1);
  expect(JSON.parse(listed.stdout).letters).toMatchObject([{ reason: 'unreadable', body }]);
  expect(target.timesById().size).toBe(3);
}, 90_000);
