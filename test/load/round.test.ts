import { expect, it } from 'vitest';
import type { Rest } from '../../lib/connection/limit/health.ts';
import { pauseAll } from '../../lib/load/permits.ts';
import { closedNow } from '../../lib/load/resting.ts';
import { beginRound } from '../../lib/load/round.ts';
import { loadWorld } from './load-world.ts';
import { NOW_MS } from './message.ts';

const roundIn = async (world: ReturnType<typeof loadWorld>) =>
  beginRound(await world.plan(), world.deps, NOW_MS + 60_000, { putBack: [], useByRun: new Map() });

it('of two pauses the longer one holds everybody, whichever came first', async () => {
  for (const pausesMs of [
    [1_000, 90_000],
    [90_000, 1_000],
  ]) {
    const world = loadWorld();
    const round = await roundIn(world);
    for (const pauseMs of pausesMs) await pauseAll(round, 'run', pauseMs, { cause: 'status', status: 429 });
    expect(round.pausedUntilMs).toBe(NOW_MS + 90_000);
    const { permits, retryAtMs } = await world.deps.limiter.acquire('target', undefined, 1, NOW_MS + 60_000);
    expect([permits, retryAtMs]).toEqual([[], NOW_MS + 90_000]);
  }
});

it('of two rests the longer one is waited out', async () => {
  const rest = { why: 'status 503', sinceMs: NOW_MS, failedProbes: 0, runs: [] };
  const down: Rest = { ...rest, cause: 'down', probeAtMs: NOW_MS + 10_000 };
  const later: Rest = { ...down, probeAtMs: NOW_MS + 40_000 };
  const untilNextRun: Rest = { ...rest, cause: 'not-understood', integration: 'groups' };
  for (const [rests, waitMs] of [
    [[down], 10_000],
    [[down, later], 40_000],
    [[later, down], 40_000],
    [[down, untilNextRun], 600_000],
    [[untilNextRun, down], 600_000],
  ] as const) {
    const world = loadWorld();
    await world.health.write('target', { tries: [], unclear: {}, rests }, 0);
    expect(await closedNow(await roundIn(world))).toMatchObject({ why: 'resting', waitMs });
  }
});
