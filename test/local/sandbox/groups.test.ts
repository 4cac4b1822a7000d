import { expect, test } from 'vitest';
import type { JsonObject } from '../../../lib/json/json.ts';
import { builtInFacts, builtInGroups } from '../../../local/sandbox/groups.ts';

const records = builtInGroups as readonly JsonObject[];
const idOf = (record: JsonObject): string => String(record.id);
const nameOf = (record: JsonObject): string => String(record.name);
const isBlank = (record: JsonObject): boolean => nameOf(record).trim() === '';
const firstAt = new Map([...records.entries()].reverse().map(([at, record]) => [idOf(record), at]));
const distinct = records.filter((record, at) => firstAt.get(idOf(record)) === at);

test('the built-in groups are what builtInFacts says of them', () => {
  const named = distinct.filter((record) => !isBlank(record));
  const siblings = named.map((record) => `${record.parent_id}/${nameOf(record)}`);
  const parentsOf = new Map<string, Set<string>>();
  for (const record of named) {
    const name = nameOf(record);
    parentsOf.set(name, new Set([...(parentsOf.get(name) ?? []), String(record.parent_id)]));
  }
  expect({
    records: records.length,
    blankNames: records.filter(isBlank).length,
    repeatedIds: records.length - distinct.length,
    clean: named.length,
    repeatedNamesUnderOneParent: siblings.length - new Set(siblings).size,
    namesUnderSeveralParents: [...parentsOf.values()].filter((parents) => parents.size > 1).length,
    stringIds: records.filter(({ id }) => typeof id === 'string').length,
    childrenBeforeParent: records.filter((record, at) => (firstAt.get(String(record.parent_id)) ?? 0) > at).length,
    paddedNames: named.filter((record) => nameOf(record) !== nameOf(record).trim()).length,
  }).toEqual(builtInFacts);
});

test('every group hangs in the tree: its parent is listed, its layer and prefix follow from it', () => {
  const byId = new Map(distinct.map((record) => [idOf(record), record]));
  for (const record of distinct) {
    if (record.parent_id === 0) {
      expect(record).toMatchObject({ layer: 1, prefix: '0-' });
      continue;
    }
    const parent = byId.get(String(record.parent_id));
    expect(record.layer).toBe(Number(parent?.layer) + 1);
    expect(record.prefix).toBe(`${parent?.prefix}${record.parent_id}-`);
  }
});

test('ids have ten digits above 2^31, but for the system group 0', () => {
  const [system, ...others] = distinct;
  expect(system).toMatchObject({ id: 0, name: '未分组', is_sys: 1 });
  for (const record of others) {
    expect(idOf(record)).toMatch(/^\d{10}$/);
    expect(Number(record.id)).toBeGreaterThan(2 ** 31);
  }
});

test('a record repeated under the same type of id is the same record', () => {
  for (const record of records) {
    const first = records[firstAt.get(idOf(record)) ?? -1];
    expect({ ...record, id: idOf(record) }).toEqual({ ...first, id: idOf(record) });
  }
});
