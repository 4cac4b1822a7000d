import { expect, test } from 'vitest';
import type { IdCheck, Trouble } from '../../lib/idcheck/item.ts';
import { addSetAside, countedSetAside, noSetAside, setAsideBy } from '../../lib/runs/set-aside.ts';

const loaded = (saidMs?: number): Partial<IdCheck> => ({
  loaded: { hash: 'A', versionMs: 1, atMs: 1, ...(saidMs !== undefined && { saidMs }) },
});
const trouble = (kind: Trouble['kind'], changes: Partial<Trouble> = {}): Partial<IdCheck> => ({
  trouble: { kind, hash: 'A', versionMs: 1, sinceMs: 1, reason: 'status 422', ...changes },
});
const discarded = trouble('rejected', { discardedMs: 2 });
const skipped = { outcome: 'skipped', hash: 'A' } as const;
const sent = { outcome: 'enqueued', hash: 'A' } as const;

test.each<[string, Parameters<typeof setAsideBy>[0], Partial<IdCheck>, Parameters<typeof setAsideBy>[2], unknown]>([
  ['skipped, discarded', skipped, discarded, undefined, 'discarded'],
  ['skipped, other content of it discarded', { ...skipped, hash: 'B' }, discarded, undefined, undefined],
  ['skipped, refused', skipped, trouble('rejected'), undefined, 'refused'],
  ['skipped, parked', skipped, trouble('parked'), undefined, 'uncertain'],
  ['skipped for its parent', { ...skipped, parentId: '5' }, {}, undefined, 'parent'],
  ['skipped for its parent, loaded since', { ...skipped, parentId: '5' }, loaded(), undefined, undefined],
  ['skipped, to be sent since', skipped, { toSend: { atMs: 3 } }, undefined, 'toSend'],
  ['a duplicate', { ...skipped, hash: 'B' }, loaded(), undefined, undefined],
  ['sent, refused and discarded', sent, discarded, 'rejected', 'discarded'],
  ['sent and refused', sent, trouble('rejected'), 'rejected', undefined],
  ['sent, loaded by a person’s word', sent, loaded(3), 'loaded', 'resolved'],
  ['sent and loaded', sent, loaded(), 'loaded', undefined],
  ['unchanged', { outcome: 'unchanged' }, loaded(3), undefined, undefined],
])('a record that is %s', (_, entry, item, fate, why) => {
  expect(setAsideBy(entry, { id: '1', rev: 1, ...item }, fate)).toBe(why);
});

test('records that are left out are counted by their reason, and the first are named', () => {
  const setAside = noSetAside();
  for (const id of ['1', '2', '3']) addSetAside(setAside, id, 'discarded', 2);
  addSetAside(setAside, '4', undefined, 2);
  expect(countedSetAside(setAside)).toEqual([['discarded', 3]]);
  expect(setAside.ids).toEqual(['1', '2']);
});
