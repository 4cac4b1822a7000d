import { describe, expect, it } from 'vitest';
import { DUE_MS, fetchWorld, group, NAME, runId, schedule } from './fetch-world.ts';

const HOUR_MS = 3_600_000;
const secondMs = DUE_MS + HOUR_MS;

/** A world in which the run of `DUE_MS` is under way in another invocation until `untilMs`. */
const busyWorld = async (untilMs: number, waitsForMs?: number) => {
  const world = fetchWorld({
    pages: [[group(1)]],
    plan: waitsForMs === undefined ? {} : { waitsForMs },
  });
  await world.runs.takeLease({ integration: NAME, runId, owner: 'another', untilMs }, undefined);
  await world.clock.advance(HOUR_MS);
  return world;
};

const word = async (world: Awaited<ReturnType<typeof busyWorld>>) => {
  const [message] = await world.runRequests.receive(1, 60);
  return message === undefined ? undefined : JSON.parse(message.body);
};

describe('a scheduled run that is due while another is under way', () => {
  it('yields by default: nothing is started and no request is left', async () => {
    const world = await busyWorld(secondMs + 300_000);
    expect(await world.invoke(schedule({ scheduledMs: secondMs }))).toEqual({ runId, end: 'overlap' });
    expect([await word(world), world.reads]).toEqual([undefined, []]);
  });

  it('waits where the file says so, and starts when the other has ended', async () => {
    const world = await busyWorld(secondMs + 90_000, HOUR_MS);
    expect(await world.invoke(schedule({ scheduledMs: secondMs }))).toMatchObject({ end: 'waiting' });
    await world.clock.advance(59_000);
    expect(await word(world)).toBeUndefined();
    await world.clock.advance(1_000);
    expect(await word(world)).toEqual({
      kind: 'schedule',
      integration: NAME,
      scheduledTime: new Date(secondMs).toISOString(),
      fullRefresh: false,
    });
    expect(await world.invoke(schedule({ scheduledMs: secondMs }))).toMatchObject({ end: 'waiting' });
    await world.clock.advance(30_000);
    expect(await world.invoke(schedule({ scheduledMs: secondMs }))).toMatchObject({ end: 'extracted' });
    expect((await world.run(secondMs))?.counts.fetched).toBe(1);
  });

  it('waits no longer than its deadline', async () => {
    const world = await busyWorld(secondMs + 900_000, 600_000);
    await world.clock.advance(600_001);
    expect(await world.invoke(schedule({ scheduledMs: secondMs }))).toMatchObject({ end: 'overlap' });
    expect(await word(world)).toBeUndefined();
  });

  it('does not keep asking a source that fails', async () => {
    const world = fetchWorld({ pages: [[group(1)], [group(2)]], plan: { waitsForMs: HOUR_MS } });
    for (const read of [1, 2]) {
      world.answers.set(read, { kind: 'failed', code: 'source-down', message: 'down', requests: 1, warnings: [] });
    }
    await world.invoke();
    await world.clock.advance(HOUR_MS);
    expect(await world.invoke(schedule({ scheduledMs: secondMs }))).toEqual({ runId, end: 'incomplete' });
    await world.clock.advance(60_000);
    expect(await word(world)).toBeUndefined();
  });

  it('goes on with an unfinished run first, and then waits for its own turn', async () => {
    const world = fetchWorld({ pages: [[group(1)], [group(2)]], plan: { waitsForMs: HOUR_MS } });
    world.answers.set(1, { kind: 'failed', code: 'source-down', message: 'down', requests: 1, warnings: [] });
    await world.invoke();
    await world.clock.advance(HOUR_MS);
    expect(await world.invoke(schedule({ scheduledMs: secondMs }))).toEqual({ runId, end: 'extracted' });
    await world.clock.advance(1_000);
    expect(await word(world)).toMatchObject({ kind: 'schedule', scheduledTime: new Date(secondMs).toISOString() });
  });
});

describe('one schedule event', () => {
  it('delivered twice starts one run', async () => {
    const world = fetchWorld({ pages: [[group(1)]] });
    expect(await world.invoke()).toEqual({ runId, end: 'extracted' });
    expect(await world.invoke()).toEqual({ runId, end: 'duplicate' });
    expect(world.reads).toHaveLength(1);
  });
});

describe('a time budget', () => {
  it('ends an invocation early, but never before it got on by a page', async () => {
    const world = fetchWorld({ pages: [[group(1)], [group(2)], [group(3)]] });
    world.deps.timeBudgetMs = 2_000;
    world.pageMs = 5_000;
    await world.untilExtracted();
    expect(world.reads).toEqual(['start', { page: 1 }, { page: 2 }]);
    expect(world.logged.filter(({ event }) => event === 'run-resumed')).toHaveLength(2);
    expect(await world.run()).toMatchObject({ counts: { fetched: 3, enqueued: 3 } });
  });
});

describe('a run whose pages do not fit together', () => {
  it('is not resumed: the next run begins at the first page', async () => {
    const world = fetchWorld({ pages: [[group(1)], [group(2)]] });
    world.answers.set(1, {
      kind: 'failed',
      code: 'page-repeated',
      message: 'again',
      startsOver: true,
      requests: 1,
      warnings: [],
    });
    await world.invoke();
    expect((await world.run())?.checkpoint).toBeUndefined();
    await world.clock.advance(HOUR_MS);
    await world.invoke(schedule({ scheduledMs: secondMs }));
    expect(world.reads).toEqual(['start', { page: 1 }, 'start', { page: 1 }]);
  });
});
