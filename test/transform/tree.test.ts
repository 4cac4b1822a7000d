import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { DependsOn } from '../../lib/integration/schema/schema.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { parentOf, placePostponed, postponedOf, type TreeNode } from '../../lib/transform/tree.ts';

const rules = (changes: Partial<DependsOn> = {}): DependsOn => ({
  parent: 'parent_id',
  roots: ['0', ''],
  missingParent: 'reject',
  cycle: 'reject',
  rejectedParent: 'reject',
  ...changes,
});

describe('the parent of a record', () => {
  test.each<[string, JsonObject, string, object]>([
    ['a number', { parent_id: 5 }, '7', { parentId: '5' }],
    ['a text', { parent_id: '5' }, '7', { parentId: '5' }],
    ['a number past 2^53', { parent_id: 9007199254740993n }, '7', { parentId: '9007199254740993' }],
    ['0: a root', { parent_id: 0 }, '7', {}],
    ['"0": a root', { parent_id: '0' }, '7', {}],
    ['null: a root', { parent_id: null }, '7', {}],
    ['missing: a root', {}, '7', {}],
    ['0 of group 0: its own root', { parent_id: 0 }, '0', {}],
    ['its own id: a root', { parent_id: 7 }, '7', {}],
  ])('is %s', (_, record, id, expected) => {
    expect(parentOf(record, id, rules())).toEqual(expected);
  });

  it('counts numbers among the roots as their text', () => {
    expect(parentOf({ parent_id: '-1' }, '7', rules({ roots: [-1] }))).toEqual({});
  });

  it('is no object: such a record is refused', () => {
    expect(parentOf({ parent_id: { id: 5 } }, '7', rules())).toEqual({
      reason: 'parent_id: is an object, not the id of a parent',
    });
  });
});

const node = (id: string, parentId?: string): TreeNode => ({ id, ...(parentId === undefined ? {} : { parentId }) });

describe('what a page postpones', () => {
  test.each<[string, TreeNode[], string[], string[]]>([
    ['nothing where all parents are there', [node('2', '1'), node('3', '1')], ['1'], []],
    ['nothing where the parent comes later on the page', [node('2', '1'), node('1')], [], []],
    ['a child of an unseen parent', [node('2', '9'), node('3')], [], ['2']],
    ['all below an unseen parent', [node('3', '2'), node('2', '9')], [], ['2', '3']],
    ['a circle and what hangs on it', [node('1', '2'), node('2', '1'), node('3', '2')], [], ['1', '2', '3']],
  ])('is %s', (_, page, there, expected) => {
    expect([...postponedOf(page, (id) => there.includes(id))].sort()).toEqual(expected);
  });

  it('is found without recursion: a chain may be as long as the page', () => {
    const chain = Array.from({ length: 50_000 }, (_, n) => node(String(n), n === 0 ? undefined : String(n - 1)));
    expect(postponedOf(chain.reverse(), () => false).size).toBe(0);
  });
});

const judged = (parents: Record<string, string>, there: string[], changes: Partial<DependsOn> = {}) => {
  const placementOf = placePostponed(new Map(Object.entries(parents)), (id) => there.includes(id), rules(changes));
  return Object.fromEntries(
    Object.keys(parents).map((id) => {
      const placement = placementOf(id);
      return [id, placement.kind === 'rejected' ? placement.reason : placement.kind];
    }),
  );
};

describe('the place at the end of the snapshot', () => {
  it('is below its parent where an ancestor came at the end of the snapshot', () => {
    expect(judged({ 2: '1', 3: '2' }, ['1'])).toEqual({ 2: 'child', 3: 'child' });
  });

  it('rejects by name a record without its parent, and the records below it', () => {
    expect(judged({ 2: '9', 3: '2' }, [])).toEqual({
      2: 'parent 9 is missing: it is not among the records to be loaded',
      3: 'parent 2 was rejected',
    });
  });

  it('makes roots of them where the file says so', () => {
    expect(judged({ 2: '9', 3: '2' }, [], { missingParent: 'root' })).toEqual({ 2: 'root', 3: 'child' });
    expect(judged({ 2: '9', 3: '2' }, [], { rejectedParent: 'root' })).toMatchObject({ 3: 'root' });
  });

  it('names a circle in the same words to each of its members', () => {
    const words = 'parents run in a circle: 1 → 2 → 3 → 1';
    expect(judged({ 2: '3', 3: '1', 1: '2', 4: '2' }, [])).toEqual({
      1: words,
      2: words,
      3: words,
      4: 'parent 2 was rejected',
    });
    expect(judged({ 1: '2', 2: '1' }, [], { cycle: 'root' })).toEqual({ 1: 'root', 2: 'root' });
  });

  it('does not depend on the order in which records are asked for, and no record waits for one that will not come', () => {
    const ids = ['1', '2', '3', '4', '5', '6'];
    const forest = fc.dictionary(fc.constantFrom(...ids), fc.constantFrom(...ids, '9'), { noNullPrototype: true });
    fc.assert(
      fc.property(forest, fc.shuffledSubarray(ids, { minLength: 6 }), (parents, order) => {
        const postponed = new Map(Object.entries(parents).filter(([id, parent]) => id !== parent));
        const isThere = (id: string) => ids.includes(id) && !postponed.has(id);
        const one = placePostponed(postponed, isThere, rules());
        const other = placePostponed(postponed, isThere, rules());
        const placements = new Map(ids.map((id) => [id, one(id)]));
        for (const id of order) expect(other(id)).toEqual(placements.get(id));
        for (const [id, parent] of postponed) {
          if (placements.get(id)?.kind !== 'child') continue;
          expect(postponed.has(parent) ? placements.get(parent)?.kind : isThere(parent)).toBe(
            postponed.has(parent) ? 'child' : true,
          );
        }
      }),
    );
  });
});
