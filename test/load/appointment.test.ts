import { describe, expect, it } from 'vitest';
import { loadBatch } from '../../lib/load/load-batch.ts';
import { readMessage, writeMessage } from '../../lib/messages/record-message.ts';
import { loadWorld, takes, throttles } from './load-world.ts';
import { NOW_MS, recordMessage } from './message.ts';

const A_MINUTE = { requests: 60, intervalMs: 60_000 };

type World = ReturnType<typeof loadWorld>;
type Changes = Parameters<typeof recordMessage>[0];

/** One invocation with these messages; gives how long it slept at a time, at most. */
const loadOnce = async (world: World, messages: readonly Changes[]): Promise<number> => {
  const deliveries = messages.map((changes, index) => ({
    messageId: `m${index}`,
    body: writeMessage(recordMessage(changes)),
  }));
  const endMs = world.clock.nowMs() + 60_000;
  let longestMs = 0;
  const { clock } = world;
  world.deps.clock = {
    nowMs: clock.nowMs,
    sleep: (ms) => {
      longestMs = Math.max(longestMs, ms);
      return clock.sleep(ms);
    },
  };
  await clock.run(loadBatch(deliveries, world.deps, () => endMs - clock.nowMs()));
  return longestMs;
};
const records = (count: number, changes: Changes = {}) =>
  Array.from({ length: count }, (_, id) => ({ id: String(id), ...changes }));
const copies = (world: World) => world.records.bodies().map((body) => JSON.parse(body));
const events = (world: World, event: string) => world.logged.filter((one) => one.event === event);

describe('a record whose turn at the limit is later', () => {
  it('gets an appointment and goes back: no attempt, no deferral, and nobody sleeps for it', async () => {
    const world = loadWorld({ limit: A_MINUTE });
    const sleptMs = await loadOnce(world, records(30));
    expect(world.posts).toHaveLength(20);
    expect(sleptMs).toBeLessThanOrEqual(2_000);
    expect(copies(world)).toHaveLength(10);
    for (const { dueMs, attempts, deferrals } of copies(world)) {
      expect({ attempts, deferrals }).toEqual({ attempts: 0, deferrals: 0 });
      expect(dueMs).toBeGreaterThan(NOW_MS + 20_000);
    }
    const [{ dueMs }] = copies(world);
    // A moment before its time, in whole seconds: the queue is late by some of it.
    await world.clock.advance(dueMs - 1_600 - world.clock.nowMs());
    expect(await world.records.receive(10, 1)).toEqual([]);
    await world.clock.advance(1_600);
    expect(await world.records.receive(10, 1)).toHaveLength(10);
  });

  it('is loaded when it comes, in the end all of them, at the pace of the limit', async () => {
    const world = loadWorld({ limit: A_MINUTE });
    await world.send(...records(200).map((changes) => recordMessage(changes)));
    await world.run();
    expect(world.posts).toHaveLength(200);
    const sentMs = world.posts.map(({ atMs }) => atMs);
    for (const [index, atMs] of sentMs.slice(60).entries()) {
      expect(atMs - (sentMs[index] ?? 0)).toBeGreaterThanOrEqual(60_000);
    }
    expect((sentMs.at(-1) ?? 0) - NOW_MS).toBeLessThan(240_000);
  });

  it('goes back when it comes too early, without a read, a write or a line in the log', async () => {
    const world = loadWorld({ limit: A_MINUTE });
    const dueMs = NOW_MS + 600_000;
    await loadOnce(world, records(20, { dueMs }));
    expect(world.faults.calls).toEqual(['records.sendAll']);
    expect(world.logged).toEqual([]);
    expect(copies(world)).toEqual(records(20).map(({ id }) => recordMessage({ id, dueMs })));
    await world.clock.advance(598_000);
    expect(await world.records.receive(1, 1)).toEqual([]);
    await world.clock.advance(2_000);
    expect(await world.records.receive(1, 1)).toHaveLength(1);
  });

  it('takes the next free permit when it comes late, before those who have no appointment', async () => {
    const world = loadWorld({ limit: A_MINUTE });
    await loadOnce(world, [...records(20, {}), { id: 'late', dueMs: NOW_MS - 500_000 }]);
    expect(world.posts.map(({ records: [one] }) => one?.id)).toContain('late');
    expect(copies(world).map(({ id }) => id)).toEqual(['19']);
  });

  it('loses its appointment with its turn: a retry stands at the end of the line', async () => {
    const world = loadWorld({ limit: A_MINUTE });
    await world.deps.limiter.receive('target', A_MINUTE, { due: 0, fresh: 200, together: 1 }, NOW_MS);
    world.answer = () => ({
      applies: false,
      outcomes: { kind: 'notApplied', failure: { cause: 'status', status: 403 }, waits: false },
    });
    await loadOnce(world, [{ id: '1', dueMs: NOW_MS }]);
    const [failed] = copies(world);
    expect(failed).toMatchObject({ attempts: 1 });
    expect(failed).not.toHaveProperty('dueMs');
    world.answer = () => takes;
    await loadOnce(world, [failed]);
    expect(world.posts).toHaveLength(1);
    expect(copies(world).at(-1).dueMs).toBeGreaterThan(NOW_MS + 180_000);
  });

  it('that no line can have given is asked for now', async () => {
    const world = loadWorld({ limit: A_MINUTE });
    await loadOnce(world, [{ dueMs: NOW_MS + 400 * 24 * 3_600_000 }]);
    expect(world.posts).toHaveLength(1);
  });

  it('ends where its message has waited for too long, also when it comes early', async () => {
    const world = loadWorld({ limit: A_MINUTE });
    await loadOnce(world, [{ dueMs: NOW_MS + 600_000, firstSentMs: NOW_MS - 8 * 24 * 3_600_000 }]);
    expect(copies(world)).toEqual([]);
    expect(events(world, 'aged')).toMatchObject([{ fields: { id: '1', why: 'rate-limit' } }]);
  });
});

describe('a pause', () => {
  it('gives who comes during it one appointment after its end, and nobody else is moved', async () => {
    const world = loadWorld({ limit: A_MINUTE, concurrency: 1 });
    world.answer = (_records, index) => (index === 0 ? throttles(120_000) : takes);
    await loadOnce(world, records(5));
    expect(world.posts).toHaveLength(1);
    const [throttled, ...others] = copies(world);
    expect(throttled).toMatchObject({ id: '0', deferrals: 1 });
    expect(others.map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
    for (const { dueMs } of others) expect(dueMs).toBeGreaterThanOrEqual(NOW_MS + 120_000);
    await world.run();
    expect(world.posts).toHaveLength(6);
    const sentMs = world.posts.slice(1).map(({ atMs }) => atMs);
    for (const atMs of sentMs) expect(atMs).toBeGreaterThanOrEqual(NOW_MS + 120_000);
  });
});

describe('a target that is slow', () => {
  it.each([
    ['under a limit', { limit: A_MINUTE }],
    ['without one', {}],
  ])('is begun with for 20 s by a batch; the rest comes back (%s)', async (_, limit) => {
    const world = loadWorld({ concurrency: 1, ...limit });
    world.answer = () => ({ ...takes, afterMs: 9_000 });
    await loadOnce(world, records(5));
    expect(world.posts).toHaveLength(3);
    expect(copies(world).map(({ id }) => id)).toEqual(['3', '4']);
  });

  it('gets its request with another permit where the first ran out while the record was claimed', async () => {
    const world = loadWorld({ limit: { requests: 1, intervalMs: 1_000 } });
    const { idStore } = world.deps;
    let granted: unknown;
    world.deps.idStore = {
      ...idStore,
      write: async (...args) => {
        await world.clock.sleep(50);
        return idStore.write(...args);
      },
    };
    const { open } = world.deps;
    world.deps.open = async (name) => {
      const plan = await open(name);
      return (
        plan && {
          ...plan,
          target: {
            ...plan.target,
            post: async (sent, awaitPermit) => {
              granted = await awaitPermit();
              return plan.target.post(sent, awaitPermit);
            },
          },
        }
      );
    };
    await loadOnce(world, [{}]);
    expect(granted).toEqual({ granted: true });
    expect(world.posts[0]?.atMs).toBeGreaterThanOrEqual(NOW_MS + 1_000);
  });
});

it('a message of an earlier build has no appointment, and that build reads one that has', () => {
  const { dueMs, ...earlier } = recordMessage({ dueMs: NOW_MS });
  expect(readMessage(JSON.stringify(earlier))).toMatchObject({ kind: 'message', message: earlier });
  expect(readMessage(JSON.stringify({ ...earlier, dueMs }))).toMatchObject({ kind: 'message', message: { dueMs } });
});
