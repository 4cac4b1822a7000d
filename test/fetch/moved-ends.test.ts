import { describe, expect, it } from 'vitest';
import type { Address } from '../../lib/connection/api/connection.ts';
import { dryRun } from '../../lib/fetch/dry-run.ts';
import { fetchPlanOf } from '../../lib/fetch/fetch-plan.ts';
import { stateName } from '../../lib/idcheck/item.ts';
import { readLetter } from '../../lib/messages/dead-letter.ts';
import { decideByHand } from '../../lib/operate/decide-end.ts';
import { replay } from '../../lib/replay/replay.ts';
import type { EndVerdict, Side } from '../../lib/runs/ends.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import { memoryAuditLog } from '../fakes/memory-audit-log.ts';
import { memoryRateLimiter } from '../fakes/memory-rate-limiter.ts';
import { integrationWith } from '../integration/sample.ts';
import { loadingFor, messagesOn } from '../runs/load-all.ts';
import { DUE_MS, fetchWorld, group, NAME, schedule } from './fetch-world.ts';

const HOUR_MS = 3_600_000;
const ids = ['1', '2', '3'];
const at = (id: string): Address => ({ id, origin: `https://${id}.example` });

/** Runs an hour apart of a list of three, whose ends may be moved between them. */
const movingWorld = (changes: Record<string, unknown> = {}) => {
  const integration = integrationWith(NAME, changes as never);
  const world = fetchWorld({ pages: [ids.map((id) => group(id))] });
  const { source: _, ...plan } = fetchPlanOf(integration, world.plan.source, world.plan.ends, {});
  Object.assign(world.plan, plan, { policy: { idCheck: false, onUncertain: 'resend' } });
  const target = loadingFor(world);
  const audit = memoryAuditLog();
  let runs = 0;
  const failed: string[] = [];
  world.deps.onFailed = async (run) => {
    failed.push(run.failure?.code ?? '');
  };
  const read = async (without: readonly string[] = []) => {
    world.pages = [ids.filter((id) => !without.includes(id)).map((id) => group(id))];
    const scheduledMs = DUE_MS + runs++ * HOUR_MS;
    await world.clock.advance(Math.max(0, scheduledMs - world.clock.nowMs()));
    await world.invoke(schedule({ scheduledMs }));
    return scheduledMs;
  };
  const books = () => reconcile({ integration: NAME, policy: world.plan.policy, deadlineMs: 1 }, world.deps);
  const runOnce = async (without: readonly string[] = []) => {
    const scheduledMs = await read(without);
    const sent = messagesOn(world.records);
    await target.all(HOUR_MS / 2);
    await books();
    return { run: await world.run(scheduledMs), sent: sent.map(({ id }) => id), messages: sent };
  };
  const move = (side: Side, id: string) => {
    world.ends = { ...world.ends, [side]: at(id) };
  };
  const say = (side: Side, verdict: EndVerdict) =>
    decideByHand(
      { integration: NAME, connection: side, side, verdict, now: world.ends[side] },
      { by: 'li', why: 'moved' },
      { audit, runs: world.runs, limiter: memoryRateLimiter(world.clock), clock: world.clock },
    );
  return { world, target, audit, failed, read, books, runOnce, move, say };
};

describe('a run whose target is another one than the state is of', () => {
  it('reads nothing and sends nothing, has failed, says the two ways on, and tells people once each', async () => {
    const { world, runOnce, move, failed } = movingWorld();
    await runOnce();
    move('target', 'b');
    const reads = world.reads.length;
    const { run, sent } = await runOnce();
    expect(run).toMatchObject({
      status: 'failed',
      failure: { code: 'target-moved' },
      counts: { fetched: 0, unchanged: 0 },
    });
    expect(run?.failure?.message).toContain(`"okki-sync target same ${NAME}"`);
    expect(run?.failure?.message).toContain(`"okki-sync target new ${NAME}"`);
    expect([sent, world.reads.length, failed]).toEqual([[], reads, ['target-moved']]);
    expect((await world.runs.ends(NAME))?.met).toEqual({ target: at('b') });
  });

  it('is followed, after `same`, by one that knows all that was loaded', async () => {
    const { runOnce, move, say, audit } = movingWorld();
    await runOnce();
    move('target', 'b');
    await runOnce();
    await say('target', 'same');
    const { run, sent } = await runOnce();
    expect([run?.status, run?.counts.unchanged, sent]).toEqual(['balanced', 3, []]);
    expect(await audit.list(NAME)).toMatchObject([{ action: 'target-same', id: '', by: 'li', why: 'moved' }]);
  });

  it('is followed, after `new`, by one that sends all, and the state before is left as it was', async () => {
    const { world, runOnce, move, say } = movingWorld();
    await runOnce();
    move('target', 'b');
    await say('target', 'new');
    const { run, sent, messages } = await runOnce();
    expect([run?.status, run?.counts.loaded, sent]).toEqual(['balanced', 3, ids]);
    expect(messages.map(({ target, generation }) => [target, generation])).toEqual(ids.map(() => ['b', 1]));
    expect(world.idStore.items(stateName(NAME, 1)).length).toBe(3);
    expect(world.idStore.items(NAME).length).toBe(3);
  });

  it('is not what a later reading is compared with', async () => {
    const { runOnce, move, say } = movingWorld();
    await runOnce();
    move('target', 'b');
    await runOnce();
    await say('target', 'same');
    expect((await runOnce(['2', '3'])).run).toMatchObject({ shrunkFrom: 3 });
  });
});

describe('messages that wait when the target moves', () => {
  it('are not POSTed before somebody has decided, and use up no attempt', async () => {
    const { world, target, read, move } = movingWorld();
    await read();
    move('target', 'b');
    await target.all(HOUR_MS);
    expect(target.posts).toEqual([]);
    const waiting = messagesOn(world.records).map(({ id, attempts }) => `${id}: ${attempts}`);
    expect(waiting.sort()).toEqual(['1: 0', '2: 0', '3: 0']);
  });

  it('are loaded after `same`', async () => {
    const { target, read, move, say, books } = movingWorld();
    await read();
    move('target', 'b');
    await target.all(HOUR_MS);
    await say('target', 'same');
    await target.all(HOUR_MS);
    expect(target.posts.map(({ id }) => id).sort()).toEqual(ids);
    expect((await books())[0]).toMatchObject({ status: 'balanced', counts: { loaded: 3 } });
  });

  it('are deleted after `new`, and balance as superseded', async () => {
    const { world, target, read, move, say, books } = movingWorld();
    await read();
    move('target', 'b');
    await say('target', 'new');
    await target.all(HOUR_MS);
    expect([target.posts, messagesOn(world.records)]).toEqual([[], []]);
    expect((await books())[0]).toMatchObject({
      status: 'balanced',
      counts: { enqueued: 3, loaded: 0, superseded: 3, open: 0 },
    });
  });
});

describe('a letter of the target before', () => {
  const withLetter = async () => {
    const moving = movingWorld();
    const { world, target, runOnce, move } = moving;
    target.refused.add('2');
    await runOnce();
    target.refused.clear();
    move('target', 'b');
    const again = async () => {
      const { clock, records, deps, runs } = world;
      await clock.advance(5_000);
      return replay({}, { deadLetters: target.deadLetters, records, audit: moving.audit, clock, log: deps.log, runs });
    };
    return { ...moving, again };
  };

  it('is replayed after `same`', async () => {
    const { say, again, target } = await withLetter();
    await say('target', 'same');
    expect(await again()).toMatchObject({ replayed: [{ id: '2' }], otherTarget: [] });
    await target.all(HOUR_MS);
    expect(target.posts.at(-1)?.id).toBe('2');
  });

  it('is refused by name after `new`, and stays to be read', async () => {
    const { say, again, target } = await withLetter();
    await say('target', 'new');
    expect(await again()).toMatchObject({ replayed: [], otherTarget: ['2'] });
    const [body = ''] = target.deadLetters.bodies();
    const letter = readLetter({ messageId: '', handle: '', body, sentMs: 0, receiveCount: 1 });
    expect(letter).toMatchObject({ id: '2', target: 'target-a' });
  });

  it('is refused, too, while a run has met another target and nobody has decided', async () => {
    const { runOnce, again } = await withLetter();
    await runOnce();
    expect(await again()).toMatchObject({ replayed: [], otherTarget: ['2'] });
  });
});

describe('a run that goes on when the target moves', () => {
  it('is not gone on with after `new`: its first pages are known to another state', async () => {
    const { world, read, move, say, runOnce } = movingWorld();
    world.answers.set(1, { kind: 'failed', code: 'source-down', message: 'no', requests: 1, warnings: [] });
    const pages = [[group('1')], [group('2'), group('3')]];
    world.pages = pages;
    await world.invoke(schedule({ scheduledMs: DUE_MS }));
    expect((await world.run(DUE_MS))?.checkpoint?.fetched).toBe(1);
    await read();
    move('target', 'b');
    await say('target', 'new');
    const { run, sent } = await runOnce();
    expect([run?.status, run?.counts.loaded, sent.slice(-3)]).toEqual(['balanced', 3, ids]);
  });
});

describe('a run whose source is another one than the state is of', () => {
  const deletes = { vanished: { action: 'post', maxShare: 1, path: '/remove' }, 'source.minShare': 0 };

  it('concludes nothing from absence, in whatever number of readings, and says so', async () => {
    const { runOnce, move } = movingWorld(deletes);
    await runOnce();
    move('source', 'elsewhere');
    for (let reading = 0; reading < 3; reading++) {
      const { run, sent } = await runOnce(['3']);
      expect([run?.status, run?.vanished, sent]).toEqual(['balanced', 0, []]);
      expect(run?.warnings.map(({ code }) => code)).toEqual(['source-moved', 'vanished-unclear']);
    }
  });

  it('concludes from it again after `same`, by two readings', async () => {
    const { runOnce, move, say } = movingWorld(deletes);
    await runOnce();
    move('source', 'elsewhere');
    await runOnce(['3']);
    await say('source', 'same');
    expect((await runOnce(['3'])).sent).toEqual([]);
    expect((await runOnce(['3'])).sent).toEqual(['3']);
  });

  it('takes nothing for vanished, after `new`, that only the source before had given', async () => {
    const { world, runOnce, move, say } = movingWorld(deletes);
    await runOnce();
    move('source', 'elsewhere');
    await runOnce(['3']);
    await say('source', 'new');
    for (let reading = 0; reading < 3; reading++) {
      const { run, sent } = await runOnce(['3']);
      expect([run?.vanished, run?.warnings, sent]).toEqual([0, [], []]);
    }
    expect(world.idStore.items(NAME).every(({ loaded }) => loaded !== undefined)).toBe(true);
  });

  it('notices, after `new`, what this source has given and lacks', async () => {
    const { world, target, runOnce, move, say } = movingWorld(deletes);
    await runOnce();
    move('source', 'elsewhere');
    await say('source', 'new');
    await world.clock.advance(HOUR_MS / 2);
    world.pages = [[group('1'), group('2'), group('3', 'of this source')]];
    await world.invoke(schedule({ scheduledMs: DUE_MS + HOUR_MS / 2 }));
    await target.all();
    expect((await runOnce(['2', '3'])).run).toMatchObject({ vanished: 1, vanishedSample: ['3'] });
  });
});

describe('state that names no address', () => {
  it('takes those of the next run, which says so once', async () => {
    const { world, runOnce } = movingWorld();
    await runOnce();
    const stored = await world.runs.ends(NAME);
    expect(stored).toMatchObject({ rev: 1, source: world.ends.source, target: world.ends.target });
    // As a version before wrote it.
    const old = movingWorld();
    old.world.ends = {};
    await old.runOnce();
    old.world.ends = world.ends;
    const { run } = await old.runOnce();
    expect([run?.counts.unchanged, run?.warnings.map(({ code }) => code)]).toEqual([3, ['state-taken']]);
    expect((await old.runOnce()).run?.warnings).toEqual([]);
  });
});

it('a dry run compares with the state that the run would', async () => {
  const { world, runOnce, move, say } = movingWorld();
  await runOnce();
  const planned = () => dryRun(world.plan, world.deps, { fullRefresh: false, samplePerKind: 1 }, () => HOUR_MS);
  expect((await planned()).counts.unchanged).toBe(3);
  move('target', 'b');
  await say('target', 'new');
  expect((await planned()).counts).toMatchObject({ create: 3, unchanged: 0 });
  move('source', 'elsewhere');
  expect((await planned()).warnings.map(({ code }) => code)).toEqual(['source-moved']);
});
