import { describe, expect, it } from 'vitest';
import { healthy } from '../../lib/connection/limit/health.ts';
import type { RateLimit } from '../../lib/connection/limit/rate-limit.ts';
import { type DispatchDeps, type DispatchPlan, dispatch } from '../../lib/dispatch/dispatch.ts';
import { waitInLine } from '../../lib/dispatch/wait-in-line.ts';
import { type RecordMessage, readMessage } from '../../lib/messages/record-message.ts';
import { leftIn } from '../../lib/runs/line.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import { runIdOf } from '../../lib/runs/record.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { withEachCallWrong } from '../fakes/one-call-wrong.ts';
import { DUE_MS, type FetchWorld, fetchWorld, group, NAME, schedule } from '../fetch/fetch-world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const TICK_MS = 5 * MINUTE_MS;
const limit: RateLimit = { requests: 60, intervalMs: MINUTE_MS };

const groups = (count: number, name?: string) => Array.from({ length: count }, (_, index) => group(index + 1, name));

const worldOf = (count: number, plan: Partial<FetchWorld['plan']> = {}) =>
  fetchWorld({ pages: [groups(count)], plan: { limit, ...plan } });

const messages = ({ records }: FetchWorld): RecordMessage[] =>
  records.bodies().flatMap((body) => {
    const read = readMessage(body);
    return read.kind === 'message' ? [read.message] : [];
  });

const depsOf = ({ deps, faults, runs, records, health }: FetchWorld, sends = records): DispatchDeps => ({
  ...deps,
  runs: faults.wrap('line', runs),
  health: faults.wrap('health', health),
  records: faults.wrap('queue', { sendAll: sends.sendAll }),
});

const planOf = ({ plan }: FetchWorld, integration = NAME): DispatchPlan => ({ ...plan, integration });

/** One tick. */
const tick = (world: FetchWorld, plans = [planOf(world)]) =>
  world.clock.run(dispatch(plans, depsOf(world), () => 240_000)).catch(() => 'broken' as const);

const left = async ({ runs }: FetchWorld, integration = NAME) => leftIn(await runs.line(integration));

/** Ticks until nothing waits any more. */
const untilSent = async (world: FetchWorld): Promise<void> => {
  for (let ticks = 0; (await left(world)) > 0; ticks++) {
    if (ticks > 5_000) throw new Error('it never ends');
    await world.clock.advance(TICK_MS);
    await tick(world);
  }
};

const runAt = async (world: FetchWorld, hour: number, changes: Parameters<typeof schedule>[0] = {}) => {
  const scheduledMs = DUE_MS + hour * HOUR_MS;
  if (scheduledMs > world.clock.nowMs()) await world.clock.advance(scheduledMs - world.clock.nowMs());
  await world.invoke(schedule({ scheduledMs, ...changes }));
  return runIdOf(NAME, scheduledMs);
};

it('what waits goes on past messages that the queue would never take', async () => {
  const world = worldOf(3_000);
  await runAt(world, 0);
  const before = await left(world);
  const sendAll: DispatchDeps['records']['sendAll'] = async (outgoing) => {
    const refused = outgoing.map((_, index) => index);
    return { failed: refused, refused };
  };
  await world.clock.advance(TICK_MS);
  await world.clock.run(dispatch([planOf(world)], depsOf(world, { ...world.records, sendAll }), () => 240_000));
  expect(before).toBeGreaterThan(0);
  expect(await left(world)).toBeLessThan(before);
});

describe('what waits for a target that rests', () => {
  const rest = { cause: 'down', why: 'refused', sinceMs: 1, probeAtMs: 2, failedProbes: 3, runs: [] } as const;

  it('stays in the ledger, but for one request a tick that tries it; all goes on as the rest ends', async () => {
    const world = worldOf(3_000);
    await runAt(world, 0);
    const { health } = world;
    await health.write(world.plan.target, { ...healthy, rests: [{ ...rest, runs: [] }] }, 0);
    const before = await left(world);
    for (const ticks of [1, 2, 3]) {
      await world.clock.advance(TICK_MS);
      await tick(world);
      expect(await left(world)).toBe(before - ticks);
    }
    const { rev } = await health.read(world.plan.target);
    await health.write(world.plan.target, healthy, rev);
    await tick(world);
    expect(await left(world)).toBeLessThan(before - 800);
  });

  it('goes on where another integration rests that has the same connection', async () => {
    const world = worldOf(3_000);
    await runAt(world, 0);
    await world.health.write(
      world.plan.target,
      { ...healthy, rests: [{ ...rest, runs: [], integration: 'another' }] },
      0,
    );
    const before = await left(world);
    await world.clock.advance(TICK_MS);
    await tick(world);
    expect(await left(world)).toBeLessThan(before - 200);
  });
});

describe('what is due later than a message can be delayed', () => {
  it('waits in the ledger, counted as enqueued; what is due sooner is sent with its appointment', async () => {
    const world = worldOf(3_000);
    await runAt(world, 0);
    const sent = messages(world);
    expect(sent.length).toBeGreaterThan(800);
    expect(sent.length).toBeLessThan(1_000);
    expect(sent.every(({ dueMs = 0 }) => dueMs > DUE_MS && dueMs <= DUE_MS + standardTuning.dispatch.aheadMs)).toBe(
      true,
    );
    expect(await left(world)).toBe(3_000 - sent.length);
    expect(await world.run()).toMatchObject({ status: 'loading', counts: { enqueued: 3_000 }, loadMs: 3_030_000 });
  });

  it('is sent tick by tick, each record once and in the order of the ledger, no faster than the limit', async () => {
    const world = worldOf(3_000);
    await runAt(world, 0);
    await untilSent(world);
    const sent = messages(world);
    expect(sent.map(({ id }) => id)).toEqual(groups(3_000).map((_, index) => String(index + 1)));
    const dues = sent.map(({ dueMs = 0 }) => dueMs);
    expect(dues).toEqual([...dues].sort((a, b) => a - b));
    // One in twenty more is asked to come than the limit has permits for.
    const spanMs = (dues.at(-1) ?? 0) - (dues[0] ?? 0);
    expect(spanMs).toBeGreaterThan(0.93 * 3_000 * 1_000);
    expect(spanMs).toBeLessThan(1.1 * 3_000 * 1_000);
    // Its age counts from when it was sent.
    expect(sent.every(({ firstSentMs, dueMs = 0 }) => dueMs - firstSentMs <= standardTuning.dispatch.aheadMs)).toBe(
      true,
    );
  });

  it('goes all at once where there is no limit, then and later', async () => {
    const world = worldOf(1_500);
    await runAt(world, 0);
    const { limit: _, ...unlimited } = world.plan;
    await world.clock.advance(HOUR_MS);
    await tick(world, [{ ...unlimited, integration: NAME }]);
    expect([await left(world), messages(world).length]).toEqual([0, 1_500]);
    const free = fetchWorld({ pages: [groups(1_500)] });
    await runAt(free, 0);
    expect([await left(free), messages(free).length]).toEqual([0, 1_500]);
  });

  it('is not sent again by later schedules, also while the queue is empty; once it is sent and lost it is', async () => {
    const world = worldOf(2_000);
    await runAt(world, 0);
    const lose = async () => {
      const found = [];
      for (let got = await world.records.receive(10, 1); got.length > 0; got = await world.records.receive(10, 1)) {
        found.push(...got);
        await world.records.delete(got.map(({ handle }) => handle));
      }
      return found.length;
    };
    await world.clock.advance(30 * MINUTE_MS);
    await lose();
    const second = await runAt(world, 1);
    expect((await world.runs.run(NAME, second))?.counts).toMatchObject({ waiting: 2_000, enqueued: 0 });
    await untilSent(world);
    await world.clock.advance(HOUR_MS);
    await lose();
    const third = await runAt(world, 9);
    expect((await world.runs.run(NAME, third))?.counts).toMatchObject({ waiting: 0, enqueued: 2_000 });
  });

  it('is sent again when so much time has passed since it was sent, not since it was read', async () => {
    const slow: RateLimit = { requests: 10, intervalMs: HOUR_MS };
    const world = worldOf(1_000, { limit: slow });
    await runAt(world, 0);
    await untilSent(world);
    const sentHours = Math.ceil((world.clock.nowMs() - DUE_MS) / HOUR_MS);
    const ageHours = standardTuning.load.maxAgeMs / HOUR_MS;
    expect(sentHours).toBeGreaterThan(90);
    const before = await runAt(world, ageHours + 1);
    expect((await world.runs.run(NAME, before))?.counts).toMatchObject({ waiting: 1_000, enqueued: 0 });
    const after = await runAt(world, sentHours + ageHours + 1);
    expect((await world.runs.run(NAME, after))?.counts).toMatchObject({ waiting: 0, enqueued: 1_000 });
  });
});

describe('a later run', () => {
  it('takes over what has changed meanwhile: the old content is never sent, the new one in its turn', async () => {
    const world = worldOf(1_500);
    await runAt(world, 0);
    const before = messages(world).length;
    world.pages = [[...groups(1_499), group(1_500, 'new')]];
    await runAt(world, 1);
    await untilSent(world);
    const last = messages(world).filter(({ id }) => id === '1500');
    expect(last).toMatchObject([{ body: { number: 'new' } }]);
    expect(messages(world).length).toBe(1_500);
    expect(before).toBeLessThan(1_499);
  });

  it('takes over what a full refresh has left waiting of content that is loaded', async () => {
    const world = worldOf(1_500);
    await runAt(world, 0);
    await untilSent(world);
    for (const { id, hash, versionMs } of messages(world)) {
      await world.idStore.write(NAME, { id, rev: 1, loaded: { hash, versionMs, atMs: versionMs } }, { absent: true });
    }
    const refresh = await runAt(world, 1, { fullRefresh: true });
    world.pages = [[...groups(1_499), group(1_500, 'new')]];
    const changed = await runAt(world, 2);
    await untilSent(world);
    const sentOf = messages(world).filter(({ id, runId }) => id === '1500' && [refresh, changed].includes(runId));
    expect(sentOf).toMatchObject([{ body: { number: 'new' } }]);
  });

  it('of named ids goes first, and the older message of the same id is not sent', async () => {
    const world = worldOf(1_500);
    await runAt(world, 0);
    const asked = await runAt(world, 1, { selection: { ids: ['1500'] } });
    expect(messages(world).at(-1)).toMatchObject({ id: '1500', runId: asked });
    await untilSent(world);
    expect(messages(world).filter(({ id }) => id === '1500')).toHaveLength(1);
  });
});

describe('the books of a run whose records wait in its ledger', () => {
  const policy = { idCheck: false, onUncertain: 'resend' } as const;
  const status = async (world: FetchWorld, runId: string) => {
    await reconcile({ integration: NAME, policy, deadlineMs: 2 * HOUR_MS }, world.deps);
    return (await world.runs.run(NAME, runId))?.status;
  };

  it('are not unbalanced while some of it is sent, however much longer than planned that takes', async () => {
    const world = worldOf(2_000);
    const run = await runAt(world, 0);
    for (let hour = 1; hour < 12; hour++) {
      await world.clock.advance(HOUR_MS);
      // Others have most of the line.
      await world.clock.run(world.deps.limiter.book('target', limit, 850, world.clock.nowMs() + 880_000));
      await tick(world);
      expect(await status(world, run)).toBe('loading');
    }
    expect(await left(world)).toBeGreaterThan(0);
  });

  it('are unbalanced when nothing of it was sent for as long as the deadline', async () => {
    const world = worldOf(2_000);
    const run = await runAt(world, 0);
    await world.clock.advance(2_000 * 1_010 * 1.1 + HOUR_MS);
    expect(await status(world, run)).toBe('loading');
    await world.clock.advance(2 * HOUR_MS);
    expect(await status(world, run)).toBe('unbalanced');
  });
});

describe('a dispatcher', () => {
  it('leaves the line to one that is at it, and takes it over when that has vanished', async () => {
    const world = worldOf(2_000);
    await runAt(world, 0);
    await world.clock.advance(TICK_MS);
    const line = (await world.runs.line(NAME)) ?? { rev: 0, runs: [] };
    const untilMs = world.clock.nowMs() + standardTuning.dispatch.leaseMs;
    await world.runs.saveLine(NAME, { ...line, rev: line.rev + 1, sender: { owner: 'other', untilMs } });
    const before = messages(world).length;
    await tick(world);
    expect(messages(world).length).toBe(before);
    await world.clock.advance(TICK_MS);
    await tick(world);
    expect(messages(world).length).toBeGreaterThan(before);
  });

  it('serves the integrations of one connection in turn', async () => {
    const world = worldOf(3_000);
    const other = 'okki-product-groups-to-crm';
    await runAt(world, 0);
    const texts = messages(world)
      .slice(0, 500)
      .map((message) => JSON.stringify({ ...message, integration: other, runId: 'r' }));
    const of = { integration: other, runId: 'r', versionMs: 1 };
    await waitInLine(of, texts, [], { ...world, tuning: standardTuning.dispatch });
    await world.clock.advance(TICK_MS);
    const before = messages(world).length;
    await tick(world, [planOf(world), planOf(world, other)]);
    const sent = messages(world).slice(before);
    const ours = sent.filter(({ integration }) => integration === NAME).length;
    const theirs = sent.filter(({ integration }) => integration === other).length;
    expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(standardTuning.dispatch.requestsAtOnce);
    expect(theirs).toBeGreaterThan(100);
  });

  it('sends nothing of a state that somebody has replaced, and waits where the target has moved', async () => {
    const moved = worldOf(2_000);
    await runAt(moved, 0);
    const before = messages(moved).length;
    const ends = (await moved.runs.ends(NAME)) ?? { rev: 0, generation: 0 };
    const met = { target: { id: 'target-b', origin: 'https://target-b.example' } };
    await moved.runs.saveEnds(NAME, { ...ends, rev: ends.rev + 1, met });
    await moved.clock.advance(TICK_MS);
    await tick(moved);
    expect([messages(moved).length, await left(moved)]).toEqual([before, 2_000 - before]);
    await moved.runs.saveEnds(NAME, { ...ends, rev: ends.rev + 2, generation: 1 });
    await tick(moved);
    expect([messages(moved).length, await left(moved)]).toEqual([before, 0]);
  });

  it('names what is lost of a ledger and goes on behind it', async () => {
    const world = worldOf(1_500);
    await runAt(world, 0);
    const line = (await world.runs.line(NAME)) ?? { rev: 0, runs: [] };
    const [first] = line.runs;
    if (first === undefined) throw new Error('nothing waits');
    const gone = { ...first, runId: 'gone', left: 7, chunks: 1 };
    await world.runs.saveLine(NAME, { ...line, rev: line.rev + 1, runs: [gone, ...line.runs] });
    await untilSent(world);
    expect(world.logged.map(({ event }) => event)).toContain('unsent-lost');
    expect(new Set(messages(world).map(({ id }) => id)).size).toBe(1_500);
  });

  it('with any call gone wrong loses nothing, and repeats a block at most', async () => {
    const small = { ...standardTuning, dispatch: { ...standardTuning.dispatch, requestsAtOnce: 5, aheadMs: 4_000 } };
    await withEachCallWrong(
      {
        start: async () => {
          const world = fetchWorld({
            pages: [groups(12)],
            plan: { limit: { requests: 4, intervalMs: 1_000 } },
          });
          world.deps.tuning = { ...small, dispatch: { ...small.dispatch, aheadMs: 1 } };
          await runAt(world, 0);
          world.deps.tuning = small;
          await world.clock.advance(TICK_MS);
          return world;
        },
        act: (world) => world.clock.run(dispatch([planOf(world)], depsOf(world), () => 240_000)),
      },
      async () => {},
      async (world, told) => {
        await untilSent(world);
        const ids = messages(world).map(({ id }) => id);
        expect(new Set(ids).size, told).toBe(12);
        expect(ids.length, told).toBeLessThanOrEqual(12 + 5);
      },
    );
  });
});
