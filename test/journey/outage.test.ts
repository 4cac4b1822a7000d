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

test('a target that is down rests: the run says so and ends, no record is given up, and the next run loads all once it is back', async () => {
  const { target, env } = await servers(8);
  const dir = newDir();
  const args = ['--data-dir', dir, '--integration', quickIntegration(dir)];
  await target.close();

  const down = await runJson([...args, '--max-wait', '10s'], env);
  expect(down.code).toBe(3);
  expect(down.stderr).toMatch(/qingyiyun is down, its records wait 目标不可用 \(refused/);
  expect(down.report).toMatchObject({
    balanced: false,
    deadLetters: 0,
    counts: { enqueued: 8, open: 8, loaded: 0 },
    rest: { connection: 'qingyiyun', cause: 'down' },
  });
  const status = await program(['status', 'last', ...args], env);
  expect(status.stdout).toMatch(/rests 停发 .*qingyiyun is down/);

  const mended = await startOwnTarget(target.port);
  onTestFinished(mended.close);
  const next = await runJson(args, env);
  expect(next.code).toBe(0);
  // They were sent by the run before, and count as loaded there.
  expect(next.report).toMatchObject({ balanced: true, deadLetters: 0, counts: { unchanged: 8, waiting: 0 } });
  expect(mended.timesById().size).toBe(8);
  expect(appliedMoreThanOnce(mended)).toEqual([]);
  const shown = jsonOf<{ rests: object[] }>(await program(['status', down.report.runId, '--json', ...args], env));
  expect(shown.rests).toMatchObject([{ cause: 'down', endedMs: expect.any(Number) }]);
}, 90_000);

test('answers that nobody understands stop the sending; the next run tries one record first', async () => {
  const { target, env } = await servers(30);
  const dir = newDir();
  const args = ['--data-dir', dir, '--integration', quickIntegration(dir)];
  target.behave(() => ({ text: '<html>busy</html>' }));
  const stopped = await runJson(args, env);
  expect(stopped.code).toBe(1);
  const { uncertain, open } = stopped.report.counts;
  expect(uncertain).toBeGreaterThanOrEqual(5);
  expect(uncertain + open).toBe(30);
  expect(open).toBeGreaterThan(15);
  expect(stopped.report).toMatchObject({ deadLetters: uncertain, rest: { cause: 'not-understood' } });
  expect(stopped.stderr).toContain('target.success says what an answer means');

  const again = await runJson(args, env);
  expect(again.code).toBe(1);
  expect(again.report.counts).toMatchObject({ skipped: uncertain + 1, waiting: open - 1, enqueued: 0 });

  target.behave(() => undefined);
  const mended = await runJson(args, env);
  const { skipped, unchanged, loaded } = mended.report.counts;
  // What still waited in the queue may be loaded before the list is compared.
  expect({ skipped, sent: unchanged + loaded }).toEqual({ skipped: uncertain + 1, sent: open - 1 });
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
  expect(listed.code).toBe(0);
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
