import { describe, expect, it } from 'vitest';
import { askedAnew } from '../../lib/connection/limit/rest.ts';
import { type Answer, drops, type LoadWorld, loadWorld, mumbles, refuses, takes, throttles } from './load-world.ts';
import { recordMessage } from './message.ts';

const refusesConnections: Answer = {
  applies: false,
  outcomes: { kind: 'notApplied', failure: { cause: 'refused', excerpt: 'ECONNREFUSED' }, waits: false },
};
const isDown: Answer = { applies: false, outcomes: { kind: 'uncertain', failure: { cause: 'status', status: 503 } } };
const MINUTE_MS = 60_000;

const ids = (count: number): string[] => Array.from({ length: count }, (_, id) => String(id));
const send = (world: LoadWorld, count: number) => world.send(...ids(count).map((id) => recordMessage({ id })));
const loaded = (world: LoadWorld) => world.idStore.items('groups').filter((item) => item.loaded !== undefined).length;
const attempts = (world: LoadWorld) =>
  world.records.bodies().map((body) => (JSON.parse(body) as { attempts: number }).attempts);

/** A target that answers so for a while and then takes all. */
const downFor = (world: LoadWorld, answer: Answer, ms: number) => {
  const untilMs = world.clock.nowMs() + ms;
  world.answer = () => (world.clock.nowMs() < untilMs ? answer : takes);
};

describe('a target that is down', () => {
  it.each([1, 2, 40])(
    'without a connection costs %i records neither an attempt nor a letter, however long',
    async (count) => {
      const world = loadWorld({ retry: { maxAttempts: 2 } });
      await send(world, count);
      downFor(world, refusesConnections, 60 * MINUTE_MS);
      await world.run(59 * MINUTE_MS);
      expect(attempts(world)).toEqual(ids(count).map(() => 0));
      await world.run();
      expect(await world.letters()).toEqual([]);
      expect(loaded(world)).toBe(count);
      // One record every five minutes in the end.
      expect(world.posts.length).toBeLessThan(2 * count + 35);
    },
  );

  it('with answers of its gateway uses up no attempt more once it rests, and no letter is written', async () => {
    const world = loadWorld({ retry: { maxAttempts: 3, baseMs: 60_000, capMs: 60_000 } });
    await send(world, 40);
    downFor(world, isDown, 60 * MINUTE_MS);
    await world.run(59 * MINUTE_MS);
    expect(Math.max(...attempts(world))).toBeLessThan(2);
    expect(attempts(world).filter((used) => used > 0).length).toBeLessThan(14);
    await world.run();
    expect(await world.letters()).toEqual([]);
    expect(loaded(world)).toBe(40);
  });

  it('is tried with one record alone, by one worker, with pauses that grow', async () => {
    const world = loadWorld({ rows: 5 });
    await send(world, 50);
    world.answer = () => isDown;
    await world.run(30 * MINUTE_MS);
    const restsSinceMs = (await world.health.read('target')).health.rests[0]?.sinceMs ?? 0;
    const probes = world.posts.filter(({ atMs }) => atMs > restsSinceMs);
    expect(probes.length).toBeGreaterThan(8);
    expect(probes.every(({ records }) => records.length === 1)).toBe(true);
    const gaps = probes.slice(1).map(({ atMs }, index) => atMs - (probes[index]?.atMs ?? 0));
    expect(gaps.slice(0, 6).every((gap, index) => gap > (gaps[index - 1] ?? 0))).toBe(true);
    expect(Math.max(...gaps)).toBeLessThan(10 * MINUTE_MS);
  });

  it('under park is not uncertain for what was never sent', async () => {
    const world = loadWorld({ policy: { onUncertain: 'park' } });
    await send(world, 40);
    world.answer = () => drops(false);
    await world.run(10 * MINUTE_MS);
    const parked = world.idStore.items('groups').filter(({ trouble }) => trouble?.kind === 'parked').length;
    expect(parked).toBe(world.posts.length);
    expect(await world.letters()).toHaveLength(parked);
    expect(parked).toBeLessThan(25);
  });

  it('is told of once as it begins and once as it ends, and both stand in the books of the runs that waited', async () => {
    const world = loadWorld();
    await send(world, 20);
    await world.send(...ids(5).map((id) => recordMessage({ id: `later ${id}`, runId: 'run-2' })));
    downFor(world, refusesConnections, 10 * MINUTE_MS);
    await world.run();
    expect(world.told.map(({ kind }) => kind)).toEqual(['began', 'ended']);
    const [began] = world.told;
    const ended = world.noted.filter(({ endedMs }) => endedMs !== undefined);
    expect(ended.map(({ runId }) => runId).sort()).toEqual(['run-2', recordMessage().runId].sort());
    expect(ended[0]).toMatchObject({ connection: 'target', cause: 'down', why: 'refused ECONNREFUSED' });
    expect(world.noted.every(({ sinceMs }) => sinceMs === began?.rest.sinceMs)).toBe(true);
    expect(world.noted).toHaveLength(4);
  });

  it.each([
    ['refuses content', refuses],
    ['asks to wait', throttles(1_000)],
  ])('is not one that %s', async (_, answer) => {
    const world = loadWorld();
    await send(world, 40);
    world.answer = () => answer;
    await world.run(MINUTE_MS);
    expect((await world.health.read('target')).health.rests).toEqual([]);
  });

  it('costs no write while all is well, and no more than one read a second', async () => {
    const world = loadWorld();
    await send(world, 40);
    const beganMs = world.clock.nowMs();
    await world.run();
    const calls = world.faults.calls.filter((call) => call.startsWith('health.'));
    expect(calls.filter((call) => call !== 'health.read')).toEqual([]);
    expect(calls.length).toBeLessThanOrEqual(1 + (world.clock.nowMs() - beganMs) / 1_000);
  });

  it('of which nobody can tell whether it rests is sent nothing', async () => {
    const world = loadWorld();
    const health = { ...world.deps.health, look: () => Promise.reject(new Error('unreachable')) };
    const blind = loadWorld({ deps: { health } });
    await send(blind, 3);
    await blind.deliver();
    expect(blind.posts).toEqual([]);
    expect(attempts(blind)).toEqual([0, 0, 0]);
  });
});

describe('answers that are not understood', () => {
  it.each([1, 2])('stop the integration after five requests in a row of %i records', async (rows) => {
    const world = loadWorld({ rows, concurrency: 1 });
    await send(world, 30);
    world.answer = () => mumbles(false);
    await world.run(120 * MINUTE_MS);
    expect(world.posts).toHaveLength(5);
    expect(attempts(world)).toEqual(ids(30 - 5 * rows).map(() => 0));
    expect(world.told).toMatchObject([{ kind: 'began', rest: { cause: 'not-understood', integration: 'groups' } }]);
  });

  it('are asked for once more when a run begins: what is not understood again stops all, what is goes on', async () => {
    const world = loadWorld({ concurrency: 1 });
    await send(world, 30);
    world.answer = () => mumbles(false);
    await world.run(MINUTE_MS);
    const nextRun = () =>
      world.deps.health.change('target', (known) => askedAnew(known, 'groups', world.clock.nowMs()));
    await nextRun();
    await world.run(60 * MINUTE_MS);
    expect(world.posts).toHaveLength(6);
    world.answer = () => takes;
    await nextRun();
    await world.run();
    expect(loaded(world)).toBe(24);
    expect(world.told.map(({ kind }) => kind)).toEqual(['began', 'ended']);
  });

  it('between others stop nothing', async () => {
    const world = loadWorld({ concurrency: 1 });
    await send(world, 40);
    world.answer = (_, index) => (index % 5 === 4 ? takes : mumbles(false));
    await world.run();
    expect(world.posts).toHaveLength(40);
  });
});
