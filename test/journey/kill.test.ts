import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { seededRandom } from '../fakes/seeded-random.ts';
import { quickIntegration } from './integration-copy.ts';
import { groups, sourceEnv, startOwnSource } from './own-source.ts';
import { startOwnTarget, targetEnv } from './own-target.ts';
import { newDir, program, runJson, startProgram } from './program.ts';

/** How often the process is killed, and how many records it loads: `OKKI_KILLS=20 OKKI_KILL_RECORDS=2000 vitest run test/journey/kill`. */
const KILLS = Number(process.env.OKKI_KILLS ?? 4);
const RECORDS = Number(process.env.OKKI_KILL_RECORDS ?? 200);
const SEED = Number(process.env.OKKI_KILL_SEED ?? Date.now() % 1_000_000);
/** From the start of a process to its kill: from before its stack stands to deep in its loading. */
const SHORTEST_LIFE_MS = 300;
const LONGEST_LIFE_MS = Number(process.env.OKKI_KILL_LIFE_MS ?? 4_000);
/** POSTs that one process can have under way: five workers with four each. */
const MOST_UNDER_WAY = 20;
const TIMEOUT_MS = KILLS * (LONGEST_LIFE_MS + 3_000) + RECORDS * 100 + 120_000;

test(
  `${RECORDS} records, the process killed ${KILLS} times at any moment (seed ${SEED}): the target is exact in the end`,
  async () => {
    const random = seededRandom(SEED);
    const rows = groups(RECORDS);
    const source = await startOwnSource({ rows, paging: { most: 100 } });
    const target = await startOwnTarget();
    onTestFinished(async () => {
      await Promise.all([source.close(), target.close()]);
    });
    const env = { ...sourceEnv(source), ...targetEnv(target) };
    const dir = newDir();
    // A claim outlives its owner by the time-out of a POST and the time to settle: short ones make short tests.
    const args = ['--data-dir', dir, '--integration', quickIntegration(dir, { 'target.connection.timeoutMs': 1_000 })];

    for (let kill = 0; kill < KILLS; kill++) {
      const run = startProgram(['run', '--json', ...args], env);
      await Promise.race([
        sleep(SHORTEST_LIFE_MS + random.fraction() * (LONGEST_LIFE_MS - SHORTEST_LIFE_MS)),
        run.ended,
      ]);
      run.kill('SIGKILL');
      await run.ended;
    }

    const resumed = await program(['run', '--json', ...args], env);
    expect(resumed.code, resumed.stdout + resumed.stderr).toBeLessThan(2);
    // A message whose worker was killed five times is set aside by SQS: the only letters that there may be.
    const listed = await program(['dlq', 'list', '--json', '--data-dir', dir], env);
    expect(listed.code, listed.stdout + listed.stderr).toBe(0);
    const letters = (JSON.parse(listed.stdout) as { letters: { reason: string; failure?: unknown }[] }).letters;
    expect(letters.filter(({ reason }) => reason !== 'crashed')).toEqual([]);
    if (letters.length > 0) await program(['dlq', 'replay', ...args], env);

    const finished = await runJson(args, env);
    expect(finished.report).toMatchObject({ balanced: true, status: 'balanced', deadLetters: 0 });
    expect(finished.code).toBe(0);
    const times = target.timesById();
    expect(times.size).toBe(RECORDS);
    const repeated = [...times].filter(([, count]) => count > 1);
    console.info(
      `seed ${SEED}: ${repeated.length} of ${RECORDS} records were applied again after ${KILLS} kills, ${letters.length} messages set aside`,
    );
    expect(repeated.length, 'only what was on its way at a kill is uncertain').toBeLessThanOrEqual(
      KILLS * MOST_UNDER_WAY,
    );
    for (const [id] of repeated) {
      const keys = target.applied.filter((application) => application.id === id).map(({ key }) => key);
      expect(new Set(keys).size, `${id} came again under its own key`).toBe(1);
    }

    const again = await runJson(args, env);
    expect(again.report.counts).toMatchObject({ fetched: RECORDS, unchanged: RECORDS, enqueued: 0 });
    expect(again.code).toBe(0);
  },
  TIMEOUT_MS,
);
