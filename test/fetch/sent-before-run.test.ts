import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dryRun } from '../../lib/fetch/dry-run.ts';
import { asTrouble, withClaim } from '../../lib/idcheck/transitions.ts';
import { readMessage } from '../../lib/messages/record-message.ts';
import { drawnBy, gatherEvidence, readItems } from '../../lib/runs/evidence.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import type { RunRecord } from '../../lib/runs/record.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { DUE_MS, type FetchWorld, fetchWorld, group, NAME, runId, schedule } from './fetch-world.ts';

const HOUR_MS = 3_600_000;
const DEADLINE_MS = 2 * HOUR_MS;
const { maxAgeMs } = standardTuning.load;
const at = (hour: number) => DUE_MS + hour * HOUR_MS;

/** The run of that hour, and how many messages it sent. */
const runAt = async (
  world: FetchWorld,
  hour: number,
  changes: Parameters<typeof schedule>[0] = {},
): Promise<{ run: RunRecord; sent: string[] }> => {
  const before = world.sentIds().length;
  if (at(hour) > world.clock.nowMs()) await world.clock.advance(at(hour) - world.clock.nowMs());
  await world.invoke(schedule({ scheduledMs: at(hour), ...changes }));
  const run = await world.run(at(hour));
  if (run === undefined) throw new Error('no run');
  return { run, sent: world.sentIds().slice(before) };
};

/** As if a loader had POSTed what the messages say: each record's newest content. */
const loadAll = async (world: FetchWorld): Promise<void> => {
  for (const body of world.records.bodies()) {
    const read = readMessage(body);
    if (read.kind !== 'message') throw new Error(read.why);
    const { id, hash, versionMs } = read.message;
    const stored = (await world.idStore.read(NAME, [id])).get(id);
    const item = { id, rev: (stored?.rev ?? 0) + 1, loaded: { hash, versionMs, atMs: world.clock.nowMs() } };
    await world.idStore.write(NAME, item, stored === undefined ? { absent: true } : { rev: stored.rev });
  }
};

/** The tick that closes books. */
const tick = (world: FetchWorld): Promise<RunRecord[]> =>
  reconcile({ integration: NAME, policy: world.plan.policy, deadlineMs: DEADLINE_MS }, world.deps);

const three = () => fetchWorld({ pages: [[group(1), group(2)], [group(3)]] });

describe('what an earlier run has sent and nobody has settled', () => {
  it('is not sent again by each schedule: it waits, and the ledger names the run that it waits for', async () => {
    const world = three();
    const { run: first } = await runAt(world, 0);
    for (const hour of [1, 2, 3]) {
      const { run, sent } = await runAt(world, hour);
      expect(sent).toEqual([]);
      expect(run).toMatchObject({ status: 'loading', counts: { fetched: 3, waiting: 3, enqueued: 0 } });
      const entries = (await world.ledger(run.runId)).flatMap((chunk) => chunk.entries);
      const behind = { runId: first.runId, versionMs: first.versionMs };
      expect(entries).toMatchObject([1, 2, 3].map((id) => ({ id: String(id), outcome: 'waiting', behind })));
    }
  });

  it('is sent by the later run where its content has changed, and other new records with it', async () => {
    const world = three();
    await runAt(world, 0);
    world.pages = [
      [group(1), group(2, 'other')],
      [group(3), group(4)],
    ];
    expect(await runAt(world, 1)).toMatchObject({ sent: ['2', '4'], run: { counts: { waiting: 2, enqueued: 2 } } });
    // The newest entry of an id is the one that counts.
    expect((await runAt(world, 2)).sent).toEqual([]);
    world.pages = [
      [group(1), group(2)],
      [group(3), group(4)],
    ];
    expect((await runAt(world, 3)).sent).toEqual(['2']);
  });

  it('is sent again when its message must have ended: by the first schedule after the age limit, and not before', async () => {
    const world = three();
    await runAt(world, 0);
    const limitHours = maxAgeMs / HOUR_MS;
    expect((await runAt(world, limitHours - 1)).sent).toEqual([]);
    expect((await runAt(world, limitHours + 1)).sent).toEqual(['1', '2', '3']);
  });

  it('is sent again by the next run where the queue is empty, since then its message is lost', async () => {
    const world = three();
    await runAt(world, 0);
    const lost = await world.records.receive(10, 60);
    await world.records.delete(lost.map(({ handle }) => handle));
    expect((await runAt(world, 1)).sent).toEqual(['1', '2', '3']);
  });

  it('is what a torn ledger still says, and no more', async () => {
    const world = three();
    const { run } = await runAt(world, 0);
    if (run.extractedMs === undefined) throw new Error('not read');
    const [whole] = await world.ledger();
    if (whole === undefined) throw new Error('no chunk');
    await world.runs.saveChunk(NAME, { ...whole, entries: [] });
    await world.runs.saveRun({ ...run, chunks: 9 });
    expect((await runAt(world, 1)).sent).toEqual(['1', '2']);
  });

  it('is no matter of another state of the integration', async () => {
    const world = three();
    await runAt(world, 0);
    await world.runs.saveEnds(NAME, { rev: 2, generation: 1 });
    expect((await runAt(world, 1)).sent).toEqual(['1', '2', '3']);
  });

  it('is sent by a full refresh, and where it is asked for by its id', async () => {
    const world = three();
    await runAt(world, 0);
    expect((await runAt(world, 1, { selection: { ids: ['2'] } })).sent).toEqual(['2']);
    expect((await runAt(world, 2, { fullRefresh: true })).sent).toEqual(['1', '2', '3']);
  });

  it('takes no place of a run with a limit', async () => {
    const world = three();
    await runAt(world, 0);
    world.pages = [
      [group(1), group(2)],
      [group(3), group(4), group(5)],
    ];
    const { run, sent } = await runAt(world, 1, { selection: { limit: 1 } });
    expect(sent).toEqual(['4']);
    expect(run).toMatchObject({ counts: { waiting: 4, enqueued: 1 }, leftOut: 1 });
  });

  it('is planned as it is done', async () => {
    const world = three();
    await runAt(world, 0);
    await world.clock.advance(HOUR_MS);
    const planned = await dryRun(world.plan, world.deps, { fullRefresh: false, samplePerKind: 1 }, () => HOUR_MS);
    expect(planned.counts).toMatchObject({ wait: 3, create: 0 });
    expect(planned.sample).toMatchObject([{ planned: 'wait', reason: `sent by ${runId}, not settled yet` }]);
  });

  it('names only runs that idCheck does not call through', async () => {
    const world = three();
    await runAt(world, 0);
    await loadAll(world);
    await tick(world);
    const { run } = await runAt(world, 1);
    expect(run).toMatchObject({ status: 'balanced', counts: { unchanged: 3, waiting: 0 } });
    expect(run.waitsFor).toBeUndefined();
  });
});

describe('a record that was given up, or that a person wants sent', () => {
  const stored = async (world: FetchWorld, change: 'exhausted' | 'toSend' | 'claimed') => {
    const [body = ''] = world.records.bodies();
    const read = readMessage(body);
    if (read.kind !== 'message') throw new Error(read.why);
    const { id, hash, versionMs } = read.message;
    const claim = { owner: 'w', hash, versionMs, sinceMs: at(0), untilMs: at(0) + 60_000 };
    const claimed = { ...withClaim(undefined, id, claim, undefined), claim };
    const item = {
      claimed,
      exhausted: asTrouble(claimed, { kind: 'exhausted', reason: 'refused' }, at(0), at(0)),
      toSend: { id, rev: 1, toSend: { atMs: at(0) } },
    }[change];
    await world.idStore.write(NAME, item, { absent: true });
  };

  it.each([
    ['exhausted', ['1']],
    ['toSend', ['1']],
    ['claimed', []],
  ] as const)('(%s) is sent by the next run: %j', async (change, sent) => {
    const world = three();
    await runAt(world, 0);
    await stored(world, change);
    expect((await runAt(world, 1)).sent).toEqual(sent);
  });
});

describe('the books of a run that waits for an earlier one', () => {
  it('are not drawn up as unbalanced while that one loads, and both balance when it is through', async () => {
    const world = fetchWorld({
      pages: [[group(1), group(2), group(3)]],
      plan: { limit: { requests: 1, intervalMs: 24 * HOUR_MS } },
    });
    // All is sent at once, however late it is due.
    world.deps.tuning = { ...standardTuning, dispatch: { ...standardTuning.dispatch, aheadMs: 100 * 24 * HOUR_MS } };
    await runAt(world, 0);
    await runAt(world, 1);
    await world.clock.advance(40 * HOUR_MS);
    expect((await tick(world)).map(({ status }) => status)).toEqual(['loading']);
    expect((await world.run(at(1)))?.status).toBe('loading');
    await loadAll(world);
    expect(await tick(world)).toMatchObject([
      { status: 'balanced', counts: { waiting: 0, unchanged: 3, enqueued: 0 } },
      { status: 'balanced', counts: { loaded: 3 } },
    ]);
  });

  it('end as unbalanced when the time is over that loading takes by the limit', async () => {
    const limit = { requests: 1, intervalMs: 24 * HOUR_MS };
    const world = fetchWorld({ pages: [[group(1), group(2), group(3)]], plan: { limit } });
    await runAt(world, 0);
    await runAt(world, 1);
    await world.clock.advance(3 * 24 * HOUR_MS * 1.01 * 1.1 + DEADLINE_MS + HOUR_MS);
    expect((await tick(world)).map(({ status }) => status)).toEqual(['unbalanced', 'unbalanced']);
  });

  it('call a record skipped that was refused meanwhile', async () => {
    const world = fetchWorld({ pages: [[group(1)]] });
    await runAt(world, 0);
    const { run } = await runAt(world, 1);
    const [entry] = (await world.ledger(run.runId)).flatMap(({ entries }) => entries);
    const hash = entry?.hash ?? '';
    const trouble = {
      kind: 'rejected' as const,
      hash,
      versionMs: at(0),
      sinceMs: at(1),
      reason: 'no',
      letterMs: at(1),
    };
    await world.idStore.write(NAME, { id: '1', rev: 1, trouble }, { absent: true });
    expect((await tick(world)).find(({ runId: id }) => id === run.runId)).toMatchObject({
      status: 'balanced',
      counts: { waiting: 0, skipped: 1 },
    });
  });

  it('come to the same however often they are drawn up', async () => {
    const world = fetchWorld({ pages: [[group(1), group(2)]] });
    await runAt(world, 0);
    const { run } = await runAt(world, 1);
    await loadAll(world);
    if (run.extractedMs === undefined) throw new Error('not read');
    const items = await readItems(world.idStore, run);
    const evidence = await gatherEvidence(run, items, world.plan.policy, world.runs);
    const once = drawnBy(run, evidence, DEADLINE_MS, at(1));
    expect(once.counts).toMatchObject({ waiting: 0, unchanged: 2 });
    expect(drawnBy(once, evidence, DEADLINE_MS, at(1))).toEqual(once);
  });
});

it('an older run that newer ones wait for is found, however many schedules ago it was', async () => {
  const world = three();
  world.deps.tuning = { ...standardTuning, books: { runsLookedAt: 2 } };
  await runAt(world, 0);
  for (let hour = 1; hour < 6; hour++) expect((await runAt(world, hour)).sent).toEqual([]);
  await loadAll(world);
  for (let looks = 0; looks < 3; looks++) await tick(world);
  expect((await world.run(at(0)))?.status).toBe('balanced');
});

it('no content is sent twice while its message is on its way, whatever changes between schedules', async () => {
  const contents = fc.array(fc.array(fc.constantFrom('A', 'B', 'C'), { minLength: 3, maxLength: 3 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(contents, async (snapshots) => {
      const world = three();
      for (const [hour, names] of snapshots.entries()) {
        world.pages = [names.map((name, place) => group(place + 1, name))];
        await runAt(world, hour);
        const lastSent = new Map<string, string>();
        for (const body of world.records.bodies()) {
          const read = readMessage(body);
          if (read.kind !== 'message') continue;
          const { id, hash } = read.message;
          expect(lastSent.get(id)).not.toBe(hash);
          lastSent.set(id, hash);
        }
      }
    }),
    { numRuns: 50 },
  );
});
