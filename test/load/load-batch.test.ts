import { describe, expect, it } from 'vitest';
import { idempotencyKey } from '../../lib/idcheck/hash.ts';
import { loadBatch } from '../../lib/load/load-batch.ts';
import { QueueUnreachableError } from '../../lib/messages/queue.ts';
import { writeMessage } from '../../lib/messages/record-message.ts';
import { noUse } from '../../lib/runs/limits.ts';
import { ConfigurationError } from '../../lib/runtime/fault.ts';
import { drops, fails, loadWorld, refuses, takes, throttles } from './load-world.ts';
import { NOW_MS, recordMessage } from './message.ts';

/** Loads these messages once, as one invocation of `remainingMs`, and says what came back. */
const loadOnce = async (
  world: ReturnType<typeof loadWorld>,
  messages: ReadonlyArray<Parameters<typeof recordMessage>[0]>,
  remainingMs = 60_000,
) => {
  const deliveries = messages.map((changes, index) => ({
    messageId: `m${index}`,
    body: writeMessage(recordMessage(changes)),
  }));
  const endMs = world.clock.nowMs() + remainingMs;
  return world.clock.run(loadBatch(deliveries, world.deps, () => endMs - world.clock.nowMs()));
};

/** What was put back, as `id: why in delay s`. */
const putBack = (world: ReturnType<typeof loadWorld>) =>
  world.logged
    .filter(({ event }) => event === 'put-back')
    .map(({ fields }) => `${fields.id}: ${fields.why}`)
    .sort();
const settledAs = (world: ReturnType<typeof loadWorld>) =>
  world.logged.filter(({ event }) => event === 'settled').map(({ fields }) => `${fields.id}: ${fields.as}`);
const copies = (world: ReturnType<typeof loadWorld>) => world.records.bodies().map((body) => JSON.parse(body));

describe('a record that the target takes', () => {
  it('is POSTed once, with a key of its id and content, and settled as loaded', async () => {
    const world = loadWorld();
    expect(await loadOnce(world, [{ id: '0' }])).toEqual({ failedMessageIds: [] });
    expect(world.posts.map(({ records }) => records)).toEqual([
      [{ id: '0', body: { id: '0', name: 'A' }, idempotencyKey: idempotencyKey('groups', '0', 'A') }],
    ]);
    expect(world.idStore.items('groups')).toMatchObject([{ id: '0', loaded: { hash: 'A', versionMs: NOW_MS } }]);
    expect(world.idStore.items('groups')[0]).not.toHaveProperty('claim');
    expect(world.logged.find(({ event }) => event === 'loaded')?.fields).toEqual({
      integration: 'groups',
      runId: recordMessage().runId,
      id: '0',
      messageId: 'm0',
      attempt: 1,
    });
    expect(settledAs(world)).toEqual(['0: loaded']);
    expect(world.counted).toEqual(new Map([[recordMessage().runId, { ...noUse(), requests: 1, writes: 1 }]]));
  });

  it('is not POSTed when it comes again, as often as it comes', async () => {
    const world = loadWorld();
    await loadOnce(world, [{}, {}]);
    await loadOnce(world, [{}]);
    expect(world.applied('1')).toEqual(['A']);
    expect(settledAs(world)).toEqual(['1: loaded', '1: already-loaded', '1: already-loaded']);
  });

  it('is loaded in the order of its messages where one batch holds several of one id', async () => {
    const world = loadWorld();
    await loadOnce(world, [{ hash: 'A' }, { hash: 'B', versionMs: NOW_MS + 1 }, { hash: 'A', versionMs: NOW_MS - 1 }]);
    expect(world.applied('1')).toEqual(['A', 'B']);
    expect(settledAs(world)).toEqual(['1: loaded', '1: loaded', '1: superseded']);
  });

  it('goes with others in one request where the target takes several, in requests of that size at most', async () => {
    const world = loadWorld({ rows: 4 });
    await loadOnce(
      world,
      Array.from({ length: 10 }, (_, id) => ({ id: String(id) })),
    );
    expect(world.posts.map(({ records }) => records.length).sort()).toEqual([2, 4, 4]);
    expect(world.idStore.items('groups').every(({ loaded }) => loaded?.hash === 'A')).toBe(true);
    expect(world.counted.get(recordMessage().runId)).toMatchObject({ requests: 3, writes: 1 });
  });

  it('is counted to its own run, and a run that cannot be counted fails nothing', async () => {
    const world = loadWorld({
      deps: {
        runs: {
          ends: async () => undefined,
          addTargetUse: () => Promise.reject(new Error('down')),
          noteRest: async () => {},
        },
      },
    });
    expect(await loadOnce(world, [{}])).toEqual({ failedMessageIds: [] });
    expect(world.logged.some(({ event }) => event === 'requests-not-counted')).toBe(true);
    const counting = loadWorld();
    await loadOnce(counting, [
      { id: '1', runId: 'a' },
      { id: '2', runId: 'b' },
      { id: '3', runId: 'b' },
    ]);
    expect([...counting.counted].map(([runId, { requests, writes }]) => [runId, requests, writes])).toEqual([
      ['a', 1, 1],
      ['b', 2, 1],
    ]);
  });

  it('never has more requests under way than the target allows one worker', async () => {
    const world = loadWorld({ concurrency: 3 });
    await loadOnce(
      world,
      Array.from({ length: 10 }, (_, id) => ({ id: String(id) })),
    );
    const starts = world.posts.map(({ atMs }) => atMs - NOW_MS);
    expect(starts).toEqual([0, 0, 0, 200, 200, 200, 400, 400, 400, 600]);
  });
});

describe('waiting is not failing', () => {
  it('puts a record off that another worker has claimed, until that claim ends', async () => {
    const world = loadWorld();
    const claim = { owner: 'other', hash: 'B', versionMs: NOW_MS, sinceMs: NOW_MS, untilMs: NOW_MS + 25_000 };
    await world.idStore.write('groups', { id: '1', rev: 1, claim }, { absent: true });
    expect(await loadOnce(world, [{ attempts: 2 }])).toEqual({ failedMessageIds: [] });
    expect(world.posts).toEqual([]);
    expect(putBack(world)).toEqual(['1: claimed']);
    expect(copies(world)).toMatchObject([{ attempts: 2, deferrals: 1 }]);
    await world.clock.advance(24_999);
    expect(await world.records.receive(1, 1)).toEqual([]);
    await world.clock.advance(2_000);
    expect(await world.records.receive(1, 1)).toHaveLength(1);
  });

  it('puts off what the rate limit does not allow in time, until it does', async () => {
    const world = loadWorld({ limit: { requests: 1, intervalMs: 60_000 } });
    await loadOnce(world, [{ id: '1' }, { id: '2' }]);
    expect(world.posts).toHaveLength(1);
    expect(putBack(world)).toEqual(['2: rate-limit']);
    await world.clock.advance(60_000);
    expect(await world.records.receive(1, 1)).toEqual([]);
    await world.run();
    expect(world.applied('2')).toEqual(['A']);
  });

  it('sends nothing where there is no time left for a POST and its settling', async () => {
    const world = loadWorld();
    await loadOnce(world, [{}], 25_000);
    expect(world.posts).toEqual([]);
    expect(putBack(world)).toEqual(['1: rate-limit']);
    await loadOnce(world, [{}], 25_001);
    expect(world.posts).toHaveLength(1);
  });

  it('sends nothing with a permit that ran out while this worker slept too long', async () => {
    const world = loadWorld({ limit: { requests: 1, intervalMs: 1_000 } });
    const { clock } = world;
    world.deps.clock = { nowMs: clock.nowMs, sleep: (ms) => clock.sleep(ms > 0 ? ms + 30 : 0) };
    await loadOnce(world, [{ id: '1' }, { id: '2' }]);
    expect(world.posts).toHaveLength(1);
    expect(putBack(world)).toEqual(['2: rate-limit']);
  });

  it('says for how long the limit held its run up, and counts each slot once', async () => {
    const world = loadWorld({ concurrency: 4, limit: { requests: 2, intervalMs: 1_000 } });
    await loadOnce(
      world,
      Array.from({ length: 10 }, (_, id) => ({ id: String(id) })),
    );
    const tookMs = (world.posts.at(-1)?.atMs ?? 0) - NOW_MS;
    const { heldMs, ...rest } = world.counted.get(recordMessage().runId) ?? { heldMs: 0 };
    expect(rest).toEqual({ requests: 10, throttled: 0, putOff: 0, writes: 1 });
    expect(heldMs).toBeGreaterThan(tookMs * 0.5);
    expect(heldMs).toBeLessThanOrEqual(tookMs);
  });

  it('counts a pause once, in one write, however many requests were told to wait', async () => {
    const world = loadWorld({ concurrency: 4 });
    world.answer = () => throttles(30_000);
    await loadOnce(
      world,
      Array.from({ length: 10 }, (_, id) => ({ id: String(id) })),
    );
    const { heldMs, throttled, putOff, writes } = world.counted.get(recordMessage().runId) ?? {};
    expect({ throttled, putOff, writes }).toEqual({ throttled: 4, putOff: 10, writes: 1 });
    expect(heldMs).toBeGreaterThanOrEqual(30_000);
    expect(heldMs).toBeLessThan(31_000);
  });

  it('leases permits again where the limit allows more than the target answers', async () => {
    const world = loadWorld({ concurrency: 2, limit: { requests: 50, intervalMs: 1_000 } });
    const records = Array.from({ length: 10 }, (_, id) => ({ id: String(id) }));
    await loadOnce(world, records);
    expect(putBack(world)).toEqual([]);
    expect(world.posts).toHaveLength(10);
  });

  it('sends nothing when this worker slept past its time', async () => {
    const permit = { notBeforeMs: NOW_MS + 1_000, untilMs: NOW_MS + 90_000 };
    const receive = async () => ({ permits: [permit], appointments: [], retryAtMs: 0 });
    const world = loadWorld({ deps: { limiter: { acquire: receive, receive, pause: async () => 0 } } });
    const { clock } = world;
    world.deps.clock = { nowMs: clock.nowMs, sleep: (ms) => clock.sleep(ms + 40_000) };
    await loadOnce(world, [{}]);
    expect(world.posts).toEqual([]);
    expect(putBack(world)).toEqual(['1: no-time']);
  });

  it('gives its claim up unused when it was frozen after claiming', async () => {
    const world = loadWorld();
    const { idStore } = world.deps;
    let isFirst = true;
    world.deps.idStore = {
      read: idStore.read,
      scan: idStore.scan,
      write: async (...args) => {
        const result = await idStore.write(...args);
        if (isFirst) await world.clock.sleep(10_001);
        isFirst = false;
        return result;
      },
    };
    await loadOnce(world, [{}]);
    expect(world.posts).toEqual([]);
    expect(putBack(world)).toEqual(['1: claim-too-old']);
    expect(world.idStore.items('groups')).toEqual([{ id: '1', rev: 2 }]);
  });

  it('after a 429 holds everyone: the rest of the batch, and later batches', async () => {
    const world = loadWorld({ concurrency: 1 });
    world.answer = (_records, index) => (index === 0 ? throttles(120_000) : takes);
    await loadOnce(world, [{ id: '1', attempts: 2 }, { id: '2' }, { id: '3' }]);
    expect(world.posts).toHaveLength(1);
    expect(putBack(world)).toEqual(['1: throttled', '2: paused', '3: paused']);
    expect(copies(world).map(({ attempts }) => attempts)).toEqual([2, 0, 0]);
    expect(world.idStore.items('groups')).toEqual([{ id: '1', rev: 2 }]);
    await loadOnce(world, [{ id: '4' }]);
    expect(world.posts).toHaveLength(1);
    await world.clock.advance(119_000);
    expect(await world.records.receive(10, 1)).toEqual([]);
    await world.run();
    expect(['1', '2', '3', '4'].map(world.applied)).toEqual([['A'], ['A'], ['A'], ['A']]);
    expect(await world.letters()).toEqual([]);
  });

  it('takes a wait without a length for a short one', async () => {
    const world = loadWorld();
    const outcome = { kind: 'notApplied', failure: { cause: 'no-time' }, waits: true } as const;
    world.answer = (_records, index) => (index === 0 ? { applies: false, outcomes: outcome } : takes);
    await loadOnce(world, [{}]);
    expect(putBack(world)).toEqual(['1: throttled']);
    await world.run(10_000);
    expect(world.applied('1')).toEqual(['A']);
  });
});

describe('fail closed', () => {
  it('sends nothing while idCheck cannot be read', async () => {
    const world = loadWorld();
    world.faults.arm(1, 'refused');
    expect(await loadOnce(world, [{ id: '1' }, { id: '2' }])).toEqual({ failedMessageIds: [] });
    expect([world.faults.calls[1], world.posts]).toEqual(['idStore.read', []]);
    expect(putBack(world)).toEqual(['1: idcheck-unreachable', '2: idcheck-unreachable']);
    await world.clock.advance(29_000);
    expect(await world.records.receive(1, 1)).toEqual([]);
  });

  it('sends nothing while the rate limit cannot be asked', async () => {
    const down = () => Promise.reject(new Error('down'));
    const world = loadWorld({ deps: { limiter: { acquire: down, receive: down, pause: down } } });
    expect(await loadOnce(world, [{}])).toEqual({ failedMessageIds: [] });
    expect(world.posts).toEqual([]);
    expect(putBack(world)).toEqual(['1: rate-limit']);
    await world.clock.advance(29_000);
    expect(await world.records.receive(1, 1)).toEqual([]);
  });

  it('sends nothing of an id that cannot be claimed, and the others all the same', async () => {
    const world = loadWorld();
    const { idStore } = world.deps;
    const down = () => Promise.reject(new Error('down'));
    world.deps.idStore = {
      scan: idStore.scan,
      read: (integration, ids) => (ids.length === 1 ? down() : idStore.read(integration, ids)),
      write: (integration, item, condition) => (item.id === '1' ? down() : idStore.write(integration, item, condition)),
    };
    await loadOnce(world, [{ id: '1' }, { id: '2' }]);
    expect([world.applied('1'), world.applied('2')]).toEqual([[], ['A']]);
    expect(putBack(world)).toEqual(['1: idcheck-unreachable']);
  });

  it.each([
    { what: 'faulty configuration', error: new ConfigurationError([]), waitSec: 300 },
    { what: 'a secret that cannot be read', error: new Error('cannot be read'), waitSec: 30 },
  ])('$what of the target lets records wait, unclaimed, not fail', async ({ error, waitSec }) => {
    const world = loadWorld({ rows: 2 });
    const open = world.deps.open;
    world.deps.open = async (name) => {
      const plan = await open(name);
      return plan && { ...plan, target: { ...plan.target, post: () => Promise.reject(error) } };
    };
    expect(await loadOnce(world, [{ id: '1' }, { id: '2', attempts: 2 }])).toEqual({ failedMessageIds: [] });
    expect(putBack(world)).toEqual(['1: target-not-opened', '2: target-not-opened']);
    expect(world.idStore.items('groups').every(({ claim, trouble }) => !claim && !trouble)).toBe(true);
    expect(copies(world).map(({ attempts }) => attempts)).toEqual([0, 2]);
    await world.clock.advance((waitSec - 1) * 1_000);
    expect(await world.records.receive(1, 1)).toEqual([]);
  });

  it('an integration that cannot be opened lets its records wait for some minutes, and says so', async () => {
    const world = loadWorld();
    const { open } = world.deps;
    let isMended = false;
    world.deps.open = async (name) => {
      if (!isMended) throw new ConfigurationError([{ file: 'groups.json', path: 'target', expected: 'x', found: 'y' }]);
      return open(name);
    };
    expect(await loadOnce(world, [{ id: '1', attempts: 2 }, { id: '2' }])).toEqual({ failedMessageIds: [] });
    expect(world.logged).toContainEqual({
      event: 'not-opened',
      fields: {
        integration: 'groups',
        messages: 2,
        error: 'ConfigurationError: groups.json target: expected x; found y',
      },
    });
    expect(copies(world)).toMatchObject([
      { attempts: 2, deferrals: 1 },
      { attempts: 0, deferrals: 1 },
    ]);
    await world.clock.advance(299_000);
    expect(await world.records.receive(1, 1)).toEqual([]);
    isMended = true;
    await world.run();
    expect([world.applied('1'), world.applied('2'), await world.letters()]).toEqual([['A'], ['A'], []]);
  });
});

describe('real failures', () => {
  it('are counted, one for each try, and end as exhausted with a letter; the next run may try again', async () => {
    const world = loadWorld({ retry: { maxAttempts: 3 } });
    world.answer = () => fails;
    await world.send(recordMessage());
    await world.run();
    expect(world.posts).toHaveLength(3);
    expect(await world.letters()).toMatchObject([
      { reason: 'exhausted', id: '1', attempts: 3, failure: { cause: 'status', status: 403 } },
    ]);
    expect(world.idStore.items('groups')).toMatchObject([{ trouble: { kind: 'exhausted', reason: 'status 403' } }]);
    world.answer = () => takes;
    await world.send(recordMessage({ versionMs: NOW_MS + 1 }));
    await world.run();
    expect(world.applied('1')).toEqual(['A']);
  });

  it.each(['resend', 'park'] as const)(
    'that were surely not applied leave no doubt behind under %s',
    async (onUncertain) => {
      const world = loadWorld({ policy: { onUncertain } });
      world.answer = (_records, index) => (index === 0 ? fails : takes);
      await loadOnce(world, [{}]);
      expect(putBack(world)).toEqual(['1: status 403']);
      expect(world.idStore.items('groups')).toEqual([{ id: '1', rev: 2 }]);
      expect(copies(world)).toMatchObject([
        { attempts: 1, deferrals: 0, lastFailure: { cause: 'status', status: 403, atMs: NOW_MS + 200 } },
      ]);
      await world.run();
      expect([world.applied('1'), await world.letters()]).toEqual([['A'], []]);
    },
  );

  it('are retried with growing waits: full jitter under the cap', async () => {
    const world = loadWorld({ retry: { maxAttempts: 5, baseMs: 4_000, capMs: 8_000 } });
    world.deps.random = { fraction: () => 0.999, token: () => 'owner' };
    world.answer = () => fails;
    await world.send(recordMessage());
    await world.run();
    const starts = world.posts.map(({ atMs }) => atMs);
    const waits = starts.slice(1).map((atMs, index) => Math.round((atMs - (starts[index] ?? 0)) / 1_000));
    expect(waits).toEqual([4, 8, 8, 8]);
  });

  it('of unknown outcome are sent again with the same key under resend, and stay uncertain when given up', async () => {
    const world = loadWorld({ retry: { maxAttempts: 3 } });
    world.answer = () => drops(true);
    await world.send(recordMessage());
    await world.run();
    expect(new Set(world.posts.map(({ records }) => records[0]?.idempotencyKey)).size).toBe(1);
    expect(world.posts).toHaveLength(3);
    expect(await world.letters()).toMatchObject([{ reason: 'exhausted', attempts: 3, failure: { cause: 'reset' } }]);
    expect(world.idStore.items('groups')).toMatchObject([{ trouble: { kind: 'uncertain', reason: 'reset' } }]);
  });

  it('of unknown outcome are never sent again under park until someone replays them', async () => {
    const world = loadWorld({ policy: { onUncertain: 'park' } });
    world.answer = () => drops(true);
    await world.send(recordMessage(), recordMessage({ versionMs: NOW_MS + 1, hash: 'B' }));
    await world.run();
    await world.send(recordMessage({ versionMs: NOW_MS + 2 }));
    await world.run();
    expect(world.posts).toHaveLength(1);
    expect(await world.letters()).toMatchObject([{ reason: 'uncertain', attempts: 1 }]);
    expect(settledAs(world)).toEqual(['1: uncertain', '1: already-parked', '1: already-parked']);
    world.answer = () => takes;
    const replayedMs = world.clock.nowMs();
    await world.send(recordMessage({ versionMs: NOW_MS + 2, replayedMs }));
    await world.run();
    expect(world.applied('1')).toEqual(['A', 'A']);
    expect(world.idStore.items('groups')).toMatchObject([{ loaded: { hash: 'A', versionMs: NOW_MS + 2 } }]);
  });

  it('let other content wait until the doubtful POST can no longer arrive', async () => {
    const world = loadWorld();
    world.answer = (_records, index) => (index === 0 ? drops(true) : takes);
    await loadOnce(world, [{ hash: 'A' }, { hash: 'B', versionMs: NOW_MS + 1 }]);
    expect(putBack(world)).toEqual(['1: in-doubt', '1: reset']);
    await world.run();
    const [first, second] = world.posts.map(({ records, atMs }) => ({ name: records[0]?.body.name, atMs }));
    expect(first?.name).toBe('A');
    if (second?.name === 'B') expect(second.atMs).toBeGreaterThanOrEqual(NOW_MS + 25_000);
    expect(world.applied('1').at(-1)).toBe('B');
  });

  it('that the target does not mention are uncertain', async () => {
    const world = loadWorld({ rows: 2 });
    world.answer = () => ({ applies: true, outcomes: [{ kind: 'loaded' }] });
    await loadOnce(world, [{ id: '1' }, { id: '2' }]);
    expect(world.idStore.items('groups')).toMatchObject([
      { id: '1', loaded: { hash: 'A' } },
      { id: '2', trouble: { kind: 'uncertain', reason: 'no-result' } },
    ]);
  });
});

describe('a refused record', () => {
  it('ends at once, with one letter that has the words of the target, and is not sent again until it changes', async () => {
    const world = loadWorld();
    world.answer = () => refuses;
    await loadOnce(world, [{ number: 'G-1' }]);
    await loadOnce(world, [{ versionMs: NOW_MS + 1 }]);
    expect(world.posts).toHaveLength(1);
    expect(await world.letters()).toMatchObject([
      {
        reason: 'rejected',
        id: '1',
        number: 'G-1',
        attempts: 1,
        failure: { cause: 'status', status: 422, excerpt: '名称重复' },
      },
    ]);
    expect(settledAs(world)).toEqual(['1: rejected', '1: already-rejected']);
    world.answer = () => takes;
    await loadOnce(world, [{ versionMs: NOW_MS + 2, hash: 'B' }]);
    expect(world.applied('1')).toEqual(['B']);
  });

  it('has one letter for one content, and another once that was replayed and refused again', async () => {
    const world = loadWorld();
    world.answer = () => refuses;
    await loadOnce(world, [{}]);
    await loadOnce(world, [{ versionMs: NOW_MS + 1, refresh: true }]);
    expect([world.posts.length, (await world.letters()).length]).toEqual([2, 1]);
    await loadOnce(world, [{ versionMs: NOW_MS + 1, replayedMs: world.clock.nowMs() }]);
    expect([world.posts.length, (await world.letters()).length]).toEqual([3, 2]);
  });

  it('does not take the others of its request with it', async () => {
    const world = loadWorld({ rows: 4 });
    world.answer = (records) => (records.some(({ id }) => id === '2') ? refuses : takes);
    await loadOnce(
      world,
      ['1', '2', '3'].map((id) => ({ id })),
    );
    expect(world.posts.map(({ records }) => records.map(({ id }) => id).join())).toEqual(['1,2,3', '1', '2', '3']);
    expect(settledAs(world)).toEqual(['1: loaded', '2: rejected', '3: loaded']);
    expect((await world.letters()).map(({ id }) => id)).toEqual(['2']);
  });

  it('lets the others of its request wait where the rate limit has no requests left', async () => {
    const world = loadWorld({ rows: 3, limit: { requests: 2, intervalMs: 60_000 } });
    world.answer = (records) => (records.some(({ id }) => id === '1') ? refuses : takes);
    await loadOnce(
      world,
      ['1', '2', '3'].map((id) => ({ id })),
    );
    expect(world.posts.map(({ records }) => records.length)).toEqual([3, 1]);
    expect(putBack(world)).toEqual(['2: rate-limit', '3: rate-limit']);
    expect(world.idStore.items('groups').map(({ trouble, claim }) => [trouble?.kind, claim])).toEqual([
      ['rejected', undefined],
      [undefined, undefined],
      [undefined, undefined],
    ]);
    // Not before the limit allows it: the next permit is 60 s away.
    await world.clock.advance(30_000);
    expect(await world.records.receive(1, 1)).toEqual([]);
    await world.run();
    expect([world.applied('2'), world.applied('3')]).toEqual([['A'], ['A']]);
  });
});

describe('what cannot be written down', () => {
  const writesFail = (world: ReturnType<typeof loadWorld>, isDown: (write: number) => boolean) => {
    const { idStore } = world.deps;
    let writes = 0;
    world.deps.idStore = {
      read: idStore.read,
      scan: idStore.scan,
      write: (...args) => (isDown(++writes) ? Promise.reject(new Error('down')) : idStore.write(...args)),
    };
  };

  it('is tried three times', async () => {
    const world = loadWorld();
    writesFail(world, (write) => write === 2 || write === 3);
    await loadOnce(world, [{}]);
    expect(settledAs(world)).toEqual(['1: loaded']);
    expect(world.clock.nowMs() - NOW_MS).toBe(200 + 200 + 400);
  });

  it('is not acknowledged: after the claim has ended it counts as uncertain', async () => {
    const world = loadWorld();
    writesFail(world, (write) => write >= 2 && write <= 4);
    await loadOnce(world, [{ attempts: 1 }]);
    expect(putBack(world)).toEqual(['1: not-settled']);
    expect(copies(world)).toMatchObject([{ attempts: 1, deferrals: 1 }]);
    await world.clock.advance(23_000);
    expect(await world.records.receive(1, 1)).toEqual([]);
    expect(world.logged.filter(({ event }) => event === 'settle-failed').map(({ fields }) => fields)).toEqual(
      [1, 2, 3].map((tried) => ({ integration: 'groups', id: '1', tried, error: 'Error: down' })),
    );
    await world.run(10_000);
    expect(world.applied('1')).toEqual(['A', 'A']);
    expect(world.idStore.items('groups')).toMatchObject([{ loaded: { hash: 'A' } }]);
  });

  it('does not end while its dead letter cannot be written', async () => {
    for (const answer of [refuses, drops(false)]) {
      let isDown = true;
      const world = loadWorld({ policy: { onUncertain: 'park' } });
      const { deadLetters } = world.deps;
      world.deps.deadLetters = { sendAll: async (all) => (isDown ? { failed: [0] } : deadLetters.sendAll(all)) };
      world.answer = () => answer;
      await loadOnce(world, [{}]);
      expect(putBack(world)).toEqual(['1: no-dead-letter']);
      await world.clock.advance(59_000);
      expect(await world.records.receive(1, 1)).toEqual([]);
      await world.run(600_000);
      expect(await world.letters()).toEqual([]);
      expect(world.records.bodies()).toHaveLength(1);
      isDown = false;
      await world.run();
      const reason = answer === refuses ? 'rejected' : 'uncertain';
      expect((await world.letters()).map((letter) => letter.reason)).toEqual([reason]);
      expect(world.records.bodies()).toEqual([]);
      expect(world.posts).toHaveLength(1);
    }
  });

  it('by a worker that was too slow is not written over what another worker knows by then', async () => {
    const world = loadWorld();
    // The first POST comes back long after its claim: its worker was frozen.
    world.answer = (_records, index) => (index === 0 ? { ...drops(true), afterMs: 50_000 } : takes);
    const body = writeMessage(recordMessage());
    const slow = loadBatch([{ messageId: 'slow', body }], world.deps, () => 60_000);
    await world.clock.advance(26_000);
    await loadOnce(world, [{ hash: 'B', versionMs: NOW_MS + 1 }]);
    const settled = world.idStore.items('groups');
    expect(settled).toMatchObject([{ loaded: { hash: 'B' } }]);
    await world.clock.run(slow);
    expect(world.idStore.items('groups')).toEqual(settled);
    expect(world.logged.filter(({ event }) => event === 'claim-lost')).toEqual([
      { event: 'claim-lost', fields: { integration: 'groups', id: '1' } },
    ]);
  });
});

describe('a claim whose owner vanished', () => {
  const dead = { owner: 'gone', hash: 'A', versionMs: NOW_MS, sinceMs: NOW_MS - 30_000, untilMs: NOW_MS - 5_000 };
  const worldWith = async (onUncertain: 'resend' | 'park') => {
    const world = loadWorld({ policy: { onUncertain } });
    await world.idStore.write('groups', { id: '1', rev: 1, claim: dead }, { absent: true });
    return world;
  };

  it('is uncertain: sent again under resend', async () => {
    const world = await worldWith('resend');
    await loadOnce(world, [{}]);
    expect(world.applied('1')).toEqual(['A']);
  });

  it('is left to a person under park, with one letter that says so', async () => {
    const world = await worldWith('park');
    await loadOnce(world, [{}, {}]);
    expect(world.posts).toEqual([]);
    expect(settledAs(world)).toEqual(['1: uncertain', '1: already-parked']);
    expect(await world.letters()).toMatchObject([
      {
        reason: 'uncertain',
        id: '1',
        failure: {
          cause: 'worker-vanished',
          excerpt: 'an earlier POST of this id never reported its outcome',
          atMs: NOW_MS,
        },
      },
    ]);
    expect(world.idStore.items('groups')).toMatchObject([
      { trouble: { kind: 'parked', reason: 'worker-vanished', letterMs: NOW_MS }, doubt: { hash: 'A' } },
    ]);
  });

  it('has no second letter under park where one waits for this content', async () => {
    const world = loadWorld({ policy: { onUncertain: 'park' } });
    const trouble = {
      kind: 'parked',
      hash: 'A',
      versionMs: NOW_MS,
      sinceMs: NOW_MS - 60_000,
      reason: 'reset',
    } as const;
    const letterMs = NOW_MS - 60_000;
    const stored = { id: '1', rev: 1, claim: dead, trouble: { ...trouble, letterMs } };
    await world.idStore.write('groups', stored, { absent: true });
    await loadOnce(world, [{}]);
    expect([settledAs(world), await world.letters()]).toEqual([['1: uncertain'], []]);
    expect(world.idStore.items('groups')).toMatchObject([{ trouble: { kind: 'parked', letterMs } }]);
  });

  it('stays doubtful when the resend was put off', async () => {
    const world = await worldWith('resend');
    world.answer = () => throttles(60_000);
    await loadOnce(world, [{}]);
    expect(world.idStore.items('groups')).toMatchObject([
      { trouble: { kind: 'uncertain', hash: 'A', reason: 'worker-vanished' } },
    ]);
  });

  it('does not end without its letter, and is not sent while that cannot be written', async () => {
    const world = await worldWith('park');
    const { deadLetters } = world.deps;
    let isDown = true;
    world.deps.deadLetters = { sendAll: async (all) => (isDown ? { failed: [0] } : deadLetters.sendAll(all)) };
    await world.send(recordMessage());
    await world.run(600_000);
    expect(world.records.bodies()).toHaveLength(1);
    expect(new Set(putBack(world))).toEqual(new Set(['1: no-dead-letter']));
    isDown = false;
    await world.run();
    expect(await world.letters()).toMatchObject([{ reason: 'uncertain', id: '1' }]);
    expect(world.idStore.items('groups')).toMatchObject([{ trouble: { kind: 'parked' } }]);
    expect([world.posts, world.records.bodies()]).toEqual([[], []]);
  });

  it('is not parked over what changed meanwhile', async () => {
    const raced = await worldWith('park');
    const { idStore } = raced.deps;
    raced.deps.idStore = { read: idStore.read, scan: idStore.scan, write: async () => 'conflict' };
    await loadOnce(raced, [{}]);
    expect([putBack(raced), await raced.letters()]).toEqual([['1: claimed'], []]);
  });
});

describe('a doubt that comes to nothing', () => {
  const NEWER_MS = NOW_MS + 1;
  const NEWEST_MS = NOW_MS + 2;
  it.each([
    { end: 'is refused', last: refuses, as: '1: rejected' },
    { end: 'is given up', last: fails, as: '1: exhausted' },
  ])('leaves what was loaded unsure when it $end: the source returns to it, and it is sent again', async (how) => {
    const world = loadWorld();
    await loadOnce(world, [{ hash: 'A' }]);
    world.answer = (_records, index) => (index === 1 ? drops(true) : how.last);
    await world.send(recordMessage({ hash: 'B', body: { id: '1', name: 'B' }, versionMs: NEWER_MS }));
    await world.run();
    expect([settledAs(world).at(-1), world.applied('1')]).toEqual([how.as, ['A', 'B']]);
    expect(world.idStore.items('groups')).toMatchObject([{ loaded: { hash: 'A', unsureSinceMs: expect.any(Number) } }]);
    world.answer = () => takes;
    await world.send(recordMessage({ hash: 'A', versionMs: NEWEST_MS }));
    await world.run();
    expect(world.applied('1')).toEqual(['A', 'B', 'A']);
    expect(world.idStore.items('groups')[0]?.loaded).toStrictEqual({
      hash: 'A',
      versionMs: NEWEST_MS,
      atMs: expect.any(Number),
    });
  });
});

describe('a letter that was replayed', () => {
  const letterMs = NOW_MS - 60_000;
  const parked = {
    kind: 'parked',
    hash: 'A',
    versionMs: NOW_MS,
    sinceMs: letterMs,
    reason: 'reset',
    letterMs,
  } as const;
  const refused = { ...parked, kind: 'rejected', reason: 'status 422' } as const;
  const replayed = { replayedMs: NOW_MS };

  it('is gone: what waits for a person again gets another, whoever finds it', async () => {
    const world = loadWorld({ policy: { onUncertain: 'park' } });
    await world.idStore.write('groups', { id: '1', rev: 1, trouble: parked }, { absent: true });
    world.answer = () => throttles(60_000);
    await loadOnce(world, [replayed]);
    expect(world.idStore.items('groups')[0]?.trouble).not.toHaveProperty('letterMs');
    await loadOnce(world, [{}]);
    expect(settledAs(world)).toEqual(['1: already-parked']);
    expect(await world.letters()).toMatchObject([{ reason: 'uncertain', id: '1' }]);
  });

  it('is not named any more although nothing was sent for it', async () => {
    const world = loadWorld({ policy: { idCheck: true } });
    const loaded = { hash: 'X', versionMs: NOW_MS - 1, atMs: 1 };
    await world.idStore.write('groups', { id: '1', rev: 1, loaded, trouble: refused }, { absent: true });
    await loadOnce(world, [replayed]);
    expect([settledAs(world), world.posts]).toEqual([['1: duplicate'], []]);
    const { letterMs: _, ...trouble } = refused;
    expect(world.idStore.items('groups')).toStrictEqual([{ id: '1', rev: 2, loaded, trouble }]);
  });

  it('is over with its trouble where the content is loaded after all', async () => {
    const world = loadWorld();
    const loaded = { hash: 'A', versionMs: NOW_MS - 1, atMs: 1 };
    await world.idStore.write('groups', { id: '1', rev: 1, loaded, trouble: refused }, { absent: true });
    await loadOnce(world, [replayed]);
    expect([settledAs(world), world.posts]).toEqual([['1: already-loaded'], []]);
    expect(world.idStore.items('groups')).toStrictEqual([{ id: '1', rev: 2, loaded }]);
  });

  it('waits for the claim on its record to end, since nobody else writes under one', async () => {
    const world = loadWorld();
    const claim = { owner: 'other', hash: 'B', versionMs: NOW_MS + 1, sinceMs: NOW_MS, untilMs: NOW_MS + 5_000 };
    await world.idStore.write('groups', { id: '1', rev: 1, claim, trouble: refused }, { absent: true });
    await loadOnce(world, [replayed]);
    expect([putBack(world), world.posts]).toEqual([['1: claimed'], []]);
    expect(world.logged.find(({ event }) => event === 'put-back')?.fields.delaySec).toBeLessThanOrEqual(6);
    expect(world.idStore.items('groups')).toMatchObject([{ rev: 1, trouble: { letterMs } }]);
  });

  it('comes again where the item changed meanwhile', async () => {
    const world = loadWorld({ policy: { idCheck: true } });
    const loaded = { hash: 'X', versionMs: NOW_MS - 1, atMs: 1 };
    await world.idStore.write('groups', { id: '1', rev: 1, loaded, trouble: refused }, { absent: true });
    const { read, scan } = world.idStore;
    world.deps.idStore = { read, scan, write: async () => 'conflict' };
    await loadOnce(world, [replayed]);
    expect([putBack(world), settledAs(world)]).toEqual([['1: claimed'], []]);
  });

  it('of other content than the item speaks of leaves the item as it is', async () => {
    const world = loadWorld();
    const trouble = { ...refused, hash: 'B', versionMs: NOW_MS + 1 };
    await world.idStore.write('groups', { id: '1', rev: 1, trouble }, { absent: true });
    await loadOnce(world, [replayed]);
    expect(settledAs(world)).toEqual(['1: superseded']);
    expect(world.idStore.items('groups')).toStrictEqual([{ id: '1', rev: 1, trouble }]);
  });
});

describe('a worker that finds its claim lost', () => {
  it('puts its message back, so that a letter that nobody wrote is written', async () => {
    const world = loadWorld({ policy: { onUncertain: 'park' } });
    world.answer = () => ({ ...takes, afterMs: 50_000 });
    const slow = loadBatch([{ messageId: 'slow', body: writeMessage(recordMessage()) }], world.deps, () => 60_000);
    await world.clock.advance(26_000);
    // Another takes it for vanished, parks its record, and dies before it can write the letter.
    const [item] = world.idStore.items('groups');
    const { claim: _, ...bare } = item ?? { id: '1', rev: 0 };
    const trouble = {
      kind: 'parked',
      hash: 'A',
      versionMs: NOW_MS,
      sinceMs: NOW_MS,
      reason: 'worker-vanished',
    } as const;
    await world.idStore.write('groups', { ...bare, rev: bare.rev + 1, trouble }, { rev: bare.rev });
    await world.clock.run(slow);
    expect([putBack(world), copies(world)]).toMatchObject([['1: claim-lost'], [{ attempts: 0 }]]);
    await world.run();
    expect(settledAs(world)).toEqual(['1: already-parked']);
    expect(await world.letters()).toMatchObject([{ reason: 'uncertain', id: '1' }]);
    expect(world.posts).toHaveLength(1);
  });
});

it('a worker that finds its claim lost after a failure has its message tried again, with the attempt counted', async () => {
  const world = loadWorld();
  const { read, scan, write } = world.idStore;
  world.deps.idStore = {
    read,
    scan,
    write: async (integration, item, condition) =>
      'owner' in condition ? 'conflict' : write(integration, item, condition),
  };
  world.answer = () => fails;
  await loadOnce(world, [{}]);
  expect([putBack(world), copies(world)]).toMatchObject([['1: status 403'], [{ attempts: 1 }]]);
});

describe('what cannot be read', () => {
  it('goes to the dead letters with its body, and the rest of the batch is loaded', async () => {
    const world = loadWorld();
    const bodies = [
      'not JSON',
      '{"v":2}',
      writeMessage(recordMessage({ integration: 'unknown' })),
      writeMessage(recordMessage()),
    ];
    const deliveries = bodies.map((body, index) => ({ messageId: `m${index}`, body }));
    const result = await world.clock.run(loadBatch(deliveries, world.deps, () => 60_000));
    expect(result).toEqual({ failedMessageIds: [] });
    expect(world.applied('1')).toEqual(['A']);
    const letters = await world.letters();
    expect(letters.map(({ reason, body }) => [reason, body])).toEqual(
      expect.arrayContaining(bodies.slice(0, 3).map((body) => ['unreadable', body])),
    );
    expect(letters.map(({ failure }) => failure?.excerpt)).toContain('there is no integration named "unknown"');
  });

  it('goes back as it was where it is a dead letter that somebody moved to the records', async () => {
    const world = loadWorld();
    world.answer = () => ({
      applies: false,
      outcomes: { kind: 'rejected', failure: { cause: 'status', status: 422 } },
    });
    await world.send(recordMessage({ id: '7' }));
    await world.run();
    const [body = ''] = world.deadLetters.bodies();
    await world.clock.run(loadBatch([{ messageId: 'm', body }], world.deps, () => 60_000));
    expect(world.deadLetters.bodies()).toEqual([body, body]);
    expect(world.posts).toHaveLength(1);
  });

  it('comes again while its letter cannot be written, and nothing else of its batch does', async () => {
    const world = loadWorld({ deps: { deadLetters: { sendAll: () => Promise.reject(new Error('down')) } } });
    const unknown = writeMessage(recordMessage({ integration: 'unknown' }));
    const deliveries = ['{', writeMessage(recordMessage()), unknown].map((body, index) => ({
      messageId: `m${index}`,
      body,
    }));
    const { failedMessageIds } = await world.clock.run(loadBatch(deliveries, world.deps, () => 60_000));
    expect([...failedMessageIds].sort()).toEqual(['m0', 'm2']);
    expect(world.logged).toContainEqual({ event: 'deliveries-failed', fields: { messages: 2 } });
  });
});

describe('what cannot be sent back', () => {
  it('comes again as it is, and only that', async () => {
    const world = loadWorld({ deps: { records: { sendAll: async () => ({ failed: [1] }) } } });
    world.answer = () => fails;
    expect(await loadOnce(world, [{ id: '1' }, { id: '2' }, { id: '3' }])).toEqual({ failedMessageIds: ['m1'] });
    expect(world.logged).toContainEqual({ event: 'deliveries-failed', fields: { messages: 1 } });
  });

  it('comes again as a whole where the queue cannot be reached', async () => {
    const sendAll = () => Promise.reject(new QueueUnreachableError('gone'));
    const world = loadWorld({ deps: { records: { sendAll } } });
    world.answer = (records) => (records[0]?.id === '2' ? takes : fails);
    const { failedMessageIds } = await loadOnce(world, [{ id: '1' }, { id: '2' }, { id: '3' }]);
    expect(failedMessageIds).toEqual(['m0', 'm2']);
  });
});

it('an empty batch is no batch', async () => {
  const world = loadWorld();
  expect(await loadOnce(world, [])).toEqual({ failedMessageIds: [] });
  expect(world.faults.calls).toEqual([]);
});

it('a message whose worker crashes each time ends as crashed, after as many receives as SQS allows, and as it was', async () => {
  const world = loadWorld();
  world.deps.open = () => new Promise(() => {});
  await world.send(recordMessage({ attempts: 1 }));
  await world.run();
  expect(world.records.bodies()).toEqual([]);
  expect(await world.letters()).toMatchObject([
    { reason: 'crashed', id: '1', attempts: 1, message: recordMessage({ attempts: 1 }) },
  ]);
  expect(world.posts).toEqual([]);
});
