import { describe, expect, it } from 'vitest';
import { plan } from '../../lib/fetch/plan.ts';
import { DUE_MS, type FetchWorld, fetchWorld, group, loadedItem, NAME } from './fetch-world.ts';

const options = { fullRefresh: false, samplePerKind: 3 };
const planOf = (world: FetchWorld, changes: Partial<typeof options> = {}) =>
  world.clock.run(plan(world.fetching, world.deps, { ...options, ...changes }, () => 300_000));

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

describe('a plan', () => {
  it('says what the run then does', async () => {
    const world = await mixedWorld();
    const { counts, vanished, requests } = await planOf(world);
    expect(counts).toEqual({
      fetched: 6,
      create: 2,
      overwrite: 1,
      unchanged: 0,
      skip: 0,
      filter: 1,
      merge: 1,
      reject: 1,
    });
    expect([vanished, requests]).toEqual([['gone'], 2]);
    await world.invoke();
    expect((await world.run())?.counts).toMatchObject({
      fetched: counts.fetched,
      enqueued: counts.create + counts.overwrite,
      unchanged: counts.unchanged,
      skipped: counts.skip,
      filtered: counts.filter,
      merged: counts.merge,
      invalid: counts.reject,
    });
  });

  it('sends nothing, writes nothing, takes no lease', async () => {
    const world = await mixedWorld();
    const before = world.idStore.items(NAME);
    await planOf(world, { fullRefresh: true });
    expect(world.faults.calls.filter((call) => !/^(source|idStore\.(scan|read))/.test(call))).toEqual([]);
    expect([world.idStore.items(NAME), world.records.bodies()]).toEqual([before, []]);
  });

  it('shows the first records of each kind, with reason or body', async () => {
    const world = fetchWorld({ pages: [[...[1, 2, 3, 4, 5].map((id) => group(id)), group(6, '')]] });
    const { sample } = await planOf(world);
    expect(sample.filter(({ planned }) => planned === 'create').map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect(sample[0]?.body).toMatchObject({ 编码: '分组1' });
    expect(sample.find(({ planned }) => planned === 'filter')).toMatchObject({ id: '6', reason: 'name: is blank' });
  });

  it('names a place that counts through all pages for a record without an id', async () => {
    const { sample } = await planOf(await mixedWorld());
    expect(sample.find(({ planned }) => planned === 'reject')?.id).toBe('record 4');
  });

  it.each([
    { answer: { kind: 'failed', code: 'source-refused', message: 'no' } as const, code: 'source-refused' },
    { answer: { kind: 'later', retryAtMs: DUE_MS + 1 } as const, code: 'no-time' },
  ])('of a source that cannot be read to its end says so ($code), and concludes nothing', async ({ answer, code }) => {
    const world = await mixedWorld();
    world.answers.set(1, { ...answer, requests: 1, warnings: [] });
    const { failure, vanished, counts } = await planOf(world);
    expect([failure?.code, vanished, counts.fetched]).toEqual([code, [], 3]);
  });
});
