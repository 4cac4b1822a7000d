import { expect, onTestFinished, test } from 'vitest';
import { groups, isListRequest, sourceEnv, startOwnSource } from './own-source.ts';
import { startOwnTarget, targetEnv } from './own-target.ts';
import { newDir, runJson } from './program.ts';

// In what other ways a source cannot be read, and how each is told: test/source/http-source.server.test.ts.
test('a source that refuses the list ends the run with exit 3 and says why; once it is mended the next run loads all', async () => {
  let isMended = false;
  const source = await startOwnSource({
    rows: groups(3),
    instead: (request) =>
      isListRequest(request) && !isMended ? { text: '{"code":404,"message":"No Privilege"}' } : undefined,
  });
  const target = await startOwnTarget();
  onTestFinished(async () => {
    await Promise.all([source.close(), target.close()]);
  });
  const env = { ...sourceEnv(source), ...targetEnv(target) };
  const args = ['--data-dir', newDir()];

  const refused = await runJson(args, env);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(/product\/groups.*No Privilege/);
  expect(refused.stderr, 'no stack trace').not.toMatch(/\n\s+at /);
  expect(refused.report).toMatchObject({ status: 'incomplete', balanced: false });
  expect(target.requests).toEqual([]);

  isMended = true;
  const { code, report } = await runJson(args, env);
  expect({ code, loaded: report.counts.loaded }).toEqual({ code: 0, loaded: 3 });
  expect(target.timesById().size).toBe(3);
}, 90_000);
