import { expect, it } from 'vitest';
import { loadWorld } from './load-world.ts';
import { NOW_MS, recordMessage } from './message.ts';

const trouble = (kind: 'rejected' | 'uncertain') => ({
  kind,
  hash: 'A',
  versionMs: NOW_MS,
  sinceMs: NOW_MS,
  reason: 'status 422',
});

it('a child of a refused parent is refused by name, without a POST', async () => {
  const world = loadWorld();
  await world.idStore.write('groups', { id: '5', rev: 1, trouble: trouble('rejected') }, { absent: true });
  await world.send(recordMessage({ id: '7', parentId: '5' }));
  await world.run();
  expect(world.posts).toEqual([]);
  const item = (await world.idStore.read('groups', ['7'])).get('7');
  expect(item?.trouble).toMatchObject({ kind: 'rejected', parentId: '5', reason: 'parent 5 was rejected' });
});

it('a child whose own POST is in doubt is settled first: the doubt is not overwritten by the refusal', async () => {
  const world = loadWorld();
  await world.idStore.write('groups', { id: '5', rev: 1, trouble: trouble('rejected') }, { absent: true });
  await world.idStore.write('groups', { id: '7', rev: 1, trouble: trouble('uncertain') }, { absent: true });
  await world.send(recordMessage({ id: '7', parentId: '5' }));
  await world.run();
  expect(world.posts.map(({ records }) => records[0]?.id)).toEqual(['7']);
  expect((await world.idStore.read('groups', ['7'])).get('7')).toMatchObject({ loaded: { hash: 'A' } });
});

it('a child in doubt does not wait for a parent that is not there yet: it was sent when one was', async () => {
  const world = loadWorld();
  await world.idStore.write('groups', { id: '7', rev: 1, trouble: trouble('uncertain') }, { absent: true });
  await world.send(recordMessage({ id: '7', parentId: '5' }));
  await world.run(1_000);
  expect(world.posts.map(({ records }) => records[0]?.id)).toEqual(['7']);
});

it('other content of a child in doubt waits for its parent', async () => {
  const world = loadWorld();
  await world.idStore.write('groups', { id: '7', rev: 1, trouble: trouble('uncertain') }, { absent: true });
  await world.send(recordMessage({ id: '7', parentId: '5', hash: 'B' }));
  await world.run(10_000);
  expect([world.posts, world.records.bodies()]).toEqual([[], [expect.stringContaining('"parentId":"5"')]]);
});
