import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../../lib/fetch/compare.ts';
import { dryRun } from '../../lib/fetch/dry-run.ts';
import { fetchPlanOf } from '../../lib/fetch/fetch-plan.ts';
import type { IdCheck } from '../../lib/idcheck/item.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { policies } from '../idcheck/arbitraries.ts';
import { integrationWith } from '../integration/sample.ts';
import { DUE_MS, type FetchWorld, fetchWorld, group, loadedItem, NAME, schedule } from './fetch-world.ts';

const options = { fullRefresh: false, samplePerKind: 3 };
const dryRunOf = (world: FetchWorld, changes: Partial<typeof options> = {}) =>
  world.clock.run(dryRun(world.plan, world.deps, { ...options, ...changes }, () => 300_000));

const mixedWorld = async () => {
  const world = fetchWorld({
    pages: [
      [group(1), group(2), group(3)],
      [{ name: 'no id' }, group(4, ' '), group(1)],
    ],
  });
  await world.idStore.write(NAME, loadedItem('2'), { absent: true });
  await world.idStore.write(NAME, loadedItem('gone'), { absent: true });
  return world;
};

describe('a dry run', () => {
  it('says what the run then does', async () => {
    const world = await mixedWorld();
    const { counts, vanished, requests, warnings } = await dryRunOf(world);
    expect(counts).toEqual({
      fetched: 6,
      create: 2,
      overwrite: 1,
      unchanged: 0,
      skip: 0,
      wait: 0,
      filter: 1,
      merge: 1,
      reject: 1,
    });
    expect([vanished, requests]).toEqual([[], 2]);
    // A row has no id that can be read: it could be the one that seems to be gone.
    expect(warnings.map(({ code }) => code)).toEqual(['vanished-unclear']);
    await world.invoke();
    expect((await world.run())?.counts).toMatchObject({
      fetched: counts.fetched,
      enqueued: counts.create + counts.overwrite,
      unchanged: counts.unchanged,
      skipped: counts.skip,
      waiting: counts.wait,
      filtered: counts.filter,
      merged: counts.merge,
      invalid: counts.reject,
    });
  });

  it('sends nothing, writes nothing, takes no lease', async () => {
    const world = await mixedWorld();
    const before = world.idStore.items(NAME);
    await dryRunOf(world, { fullRefresh: true });
    expect(world.faults.calls.filter((call) => !/^(source|idStore\.(scan|read)|runs\.(runs|ends))/.test(call))).toEqual(
      [],
    );
    expect([world.idStore.items(NAME), world.records.bodies()]).toEqual([before, []]);
  });

  it('shows the first records of each kind, with reason or body', async () => {
    const world = fetchWorld({ pages: [[...[1, 2, 3, 4, 5].map((id) => group(id)), group(6, '')]] });
    const { sample } = await dryRunOf(world);
    expect(sample.filter(({ planned }) => planned === 'create').map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect(sample[0]?.body).toMatchObject({ 编码: '分组1' });
    expect(sample.find(({ planned }) => planned === 'filter')).toMatchObject({ id: '6', reason: 'name: is blank' });
  });

  it('names a place that counts through all pages for a record without an id', async () => {
    const { sample } = await dryRunOf(await mixedWorld());
    expect(sample.find(({ planned }) => planned === 'reject')?.id).toBe('record 4');
  });

  it.each([
    { answer: { kind: 'failed', code: 'source-refused', message: 'no' } as const, code: 'source-refused' },
    { answer: { kind: 'later', retryAtMs: DUE_MS + 1 } as const, code: 'no-time' },
  ])('of a source that cannot be read to its end says so ($code), and concludes nothing', async ({ answer, code }) => {
    const world = await mixedWorld();
    world.answers.set(1, { ...answer, requests: 1, warnings: [] });
    const { failure, vanished, counts } = await dryRunOf(world);
    expect([failure?.code, vanished, counts.fetched]).toEqual([code, [], 3]);
  });
});

/** What the ledger says of an entry, in the words of a dry run. */
const plannedOf = {
  filtered: 'filter',
  invalid: 'reject',
  merged: 'merge',
  unchanged: 'unchanged',
  skipped: 'skip',
  waiting: 'wait',
};

/** A resumed run knows that an id repeats, not whether its content does. */
const reasonOf = ({ reason }: { reason?: string }) => (reason?.startsWith('repeats') ? 'repeats' : reason);

/** Asserts that the next run does what the dry run said, record by record. Gives what both say. */
const agrees = async (world: FetchWorld, fullRefresh = false) => {
  const all = { fullRefresh, samplePerKind: 100_000, showsUnchanged: true };
  const { counts, sample, vanished, failure } = await dryRunOf(world, all);
  await world.untilExtracted(schedule({ fullRefresh }));
  const run = await world.run();
  expect(run?.extractedMs).toBeDefined();
  expect(run?.failure).toEqual(failure);
  expect(run?.counts).toMatchObject({
    fetched: counts.fetched,
    enqueued: counts.create + counts.overwrite,
    unchanged: counts.unchanged,
    skipped: counts.skip,
    filtered: counts.filter,
    merged: counts.merge,
    invalid: counts.reject,
  });
  expect([run?.vanished, run?.vanishedSample]).toEqual([vanished.length, vanished.slice(0, 20)]);
  const entries = (await world.ledger()).flatMap((chunk) => chunk.entries);
  const said = sample.map((one) => [one.id, one.planned, reasonOf(one)]);
  expect(said).toEqual(
    entries.map((entry, place) => {
      const { id, outcome } = entry;
      // The ledger does not tell the two apart.
      const enqueued = sample[place]?.planned === 'create' ? 'create' : 'overwrite';
      return [id, outcome === 'enqueued' ? enqueued : plannedOf[outcome], reasonOf(entry)];
    }),
  );
  return { counts, vanished, sample };
};

describe('a dry run and the run after it agree', () => {
  const id = fc.constantFrom(...Array.from({ length: 8 }, (_, n) => n));
  const records = fc.array(
    fc.record(
      { id, name: fc.constantFrom('a', 'b', ' ', null), parent_id: fc.constantFrom(0, 1, 2, 3, 4, 5, 9) },
      { requiredKeys: ['name'] },
    ),
    { maxLength: 12 },
  );
  const states = fc.array(
    fc.record({
      id: fc.integer({ min: 0, max: 11 }).map(String),
      state: fc.constantFrom('loaded', 'claimed', 'rejected', 'parked', 'uncertain', 'for its parent'),
      isSame: fc.boolean(),
      wasLoaded: fc.boolean(),
    }),
    { maxLength: 8 },
  );
  const trees = fc.option(
    fc.record({
      missingParent: fc.constantFrom('reject', 'root'),
      cycle: fc.constantFrom('reject', 'root'),
      rejectedParent: fc.constantFrom('reject', 'root'),
    }),
    { nil: undefined },
  );
  const worlds = fc.record({
    records,
    states,
    tree: trees,
    policy: policies,
    fullRefresh: fc.boolean(),
    duplicates: fc.constantFrom<JsonValue[]>([], [{ by: ['name'], action: 'merge' }]),
    isWindow: fc.boolean(),
    pageSize: fc.integer({ min: 1, max: 5 }),
    pageMs: fc.constantFrom(0, 200_000),
  });
  type Setting = typeof worlds extends fc.Arbitrary<infer Value> ? Value : never;

  const worldOf = async (setting: Setting): Promise<FetchWorld> => {
    const { tree, duplicates, policy, isWindow, pageSize, pageMs } = setting;
    const pages = Array.from({ length: Math.ceil(setting.records.length / pageSize) }, (_, page) =>
      setting.records.slice(page * pageSize, (page + 1) * pageSize),
    );
    const integration = integrationWith(NAME, {
      'transform.duplicates': duplicates,
      'transform.dependsOn': tree && { parent: 'parent_id', ...tree },
    });
    const world = fetchWorld({ pages });
    const { source } = world.plan;
    Object.assign(world.plan, fetchPlanOf(integration, source, world.plan.ends, {}), {
      policy,
      ...(isWindow && { window: { initialMs: 0, overlapMs: 600_000, staysAtInvalid: false } }),
    });
    world.pageMs = pageMs;
    const hashes = new Map<string, string>();
    for (const one of world.plan.transform.begin().prepare(setting.records, String).prepared) {
      if (one.outcome === 'ready') hashes.set(one.id, one.hash);
    }
    for (const { id: itemId, state, isSame, wasLoaded } of setting.states) {
      const hash = (isSame && hashes.get(itemId)) || 'other';
      const times = { versionMs: 1, sinceMs: 1 };
      const trouble = (kind: 'rejected' | 'parked' | 'uncertain') => ({ kind, hash, ...times, reason: 'status 422' });
      const item: IdCheck = {
        id: itemId,
        rev: 1,
        ...((wasLoaded || state === 'loaded') && { loaded: { hash, versionMs: 1, atMs: 1 } }),
        ...(state === 'claimed' && { claim: { owner: 'w', hash, ...times, untilMs: 2 } }),
        ...((state === 'rejected' || state === 'parked' || state === 'uncertain') && { trouble: trouble(state) }),
        ...(state === 'for its parent' && { trouble: { ...trouble('rejected'), parentId: '1' } }),
      };
      await world.idStore.write(NAME, item, { absent: true });
    }
    return world;
  };

  it('on every record of any snapshot, whatever idCheck knows, with trees, windows and time budgets', async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(worlds, async (setting) => {
        const { sample, vanished } = await agrees(await worldOf(setting), setting.fullRefresh);
        for (const { planned } of sample) seen.set(planned, (seen.get(planned) ?? 0) + 1);
        if (vanished.length > 0) seen.set('vanished', (seen.get('vanished') ?? 0) + 1);
      }),
      { numRuns: 300 },
    );
    expect([...seen.keys()].sort()).toEqual([
      'create',
      'filter',
      'merge',
      'overwrite',
      'reject',
      'skip',
      'unchanged',
      'vanished',
    ]);
  }, 60_000);

  it('on a record that no message holds', async () => {
    const world = fetchWorld({ pages: [[group(1, 'x'.repeat(MAX_MESSAGE_BYTES)), group(2)]] });
    expect(await agrees(world)).toMatchObject({ counts: { reject: 1, create: 1 } });
  });

  it('also on a loaded record that is too large to wait for its parent: it has not vanished', async () => {
    const integration = integrationWith(NAME, { 'transform.dependsOn': { parent: 'parent_id' } });
    const world = fetchWorld({ pages: [[{ id: 2, parent_id: 1, name: 'x'.repeat(200_000) }], [group(1)]] });
    Object.assign(world.plan, fetchPlanOf(integration, world.plan.source, world.plan.ends, {}));
    await world.idStore.write(NAME, loadedItem('2'), { absent: true });
    const { counts, vanished, sample } = await agrees(world);
    expect([counts.reject, counts.create, vanished]).toEqual([1, 1, []]);
    expect(sample[0]?.reason).toMatch(/^too large to be kept until its parent is known: \d+ bytes, 150000 at most$/);
  });
});
