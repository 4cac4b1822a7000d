import { describe, expect, test } from 'vitest';
import { statusText } from '../../cli/screen/status.ts';
import { healthy } from '../../lib/connection/limit/health.ts';
import { lookAtRun } from '../../lib/operate/status.ts';
import { enqueued, groups, operateWorld, runAt, startedMs } from '../operate/operate-world.ts';

const rest = { cause: 'down', why: 'connection refused', sinceMs: startedMs, failedProbes: 1, runs: [] } as const;

/** What is shown of a run whose record waits while the target rests; `noted`: the run knows of it. */
const shownOf = async (isNoted: boolean): Promise<string[]> => {
  const world = operateWorld();
  const { runs: _, failedProbes: __, ...words } = rest;
  const noted = { ...words, connection: groups.target.connection.name };
  const run = await world.ran(runAt(0, isNoted ? { rests: [noted] } : {}), enqueued('1'));
  await world.health.write(noted.connection, { ...healthy, rests: [{ ...rest, runs: [] }] }, 0);
  return statusText(await lookAtRun(run, groups, world)).split('\n');
};

describe('the status of a run whose target rests', () => {
  test.each([
    ['although none of its records was tried since', false],
    ['as the run has noted it', true],
  ])('says so once, %s', async (_, isNoted) => {
    const lines = (await shownOf(isNoted)).filter((line) => line.includes('rests 停发'));
    expect(lines).toEqual([expect.stringContaining('connection refused')]);
  });
});
