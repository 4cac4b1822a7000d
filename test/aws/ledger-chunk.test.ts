import { brotliCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packChunk, unpackChunk } from '../../lib/aws/dynamodb/ledger.ts';
import { extractOutcomes } from '../../lib/runs/ledger.ts';

const unicode = fc.string({ unit: 'binary', maxLength: 30 });
const outcomes = extractOutcomes.filter((outcome) => outcome !== 'waiting');
const behind = fc.record({ runId: unicode, versionMs: fc.nat() }, { noNullPrototype: true });
const entry = fc.oneof(
  fc.record(
    { id: unicode, outcome: fc.constantFrom(...outcomes), reason: unicode, hash: unicode, parentId: unicode },
    { requiredKeys: ['id', 'outcome'], noNullPrototype: true },
  ),
  fc.record(
    { id: unicode, outcome: fc.constant('waiting' as const), reason: unicode, hash: unicode, behind },
    { requiredKeys: ['id', 'outcome'], noNullPrototype: true },
  ),
);

describe('a packed chunk', () => {
  it('gives back exactly what was packed, in order, absent fields absent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry), fc.array(unicode), async (entries, memory) => {
        expect(await unpackChunk(await packChunk({ entries, memory }))).toStrictEqual({ entries, memory });
      }),
    );
  });

  it.each([
    { fault: 'another version', columns: { v: 2, outcomes: '', ids: [], reasons: [], hashes: [], memory: [] } },
    {
      fault: 'a column too short',
      columns: { v: 1, outcomes: 'ee', ids: ['1'], reasons: [null], hashes: [null], memory: [] },
    },
    {
      fault: 'an unknown outcome',
      columns: { v: 1, outcomes: 'x', ids: ['1'], reasons: [null], hashes: [null], memory: [] },
    },
    { fault: 'no columns', columns: [] },
  ])('is refused when it has $fault', async ({ columns }) => {
    await expect(unpackChunk(brotliCompressSync(JSON.stringify(columns)))).rejects.toThrow();
  });

  it('of an earlier commit has the parent for whose sake a record was skipped in the words of its reason', async () => {
    const reasonOf = (parentId: string) => `parent ${parentId} was rejected`;
    const parentIds = ['7', 'a b', '', 'line\nbreak', 'x was rejected'];
    const others = [
      ['s', 'rejected before: parent 7 was rejected once'],
      ['s', 'so it says: parent 7 was rejected'],
      ['i', reasonOf('7')],
      ['u', null],
    ];
    const rows = [...parentIds.map((id) => ['s', reasonOf(id)]), ...others];
    const columns = {
      v: 1,
      outcomes: rows.map(([letter]) => letter).join(''),
      ids: rows.map((_, place) => String(place)),
      reasons: rows.map(([, reason]) => reason),
      hashes: rows.map(() => null),
      memory: [],
    };
    const { entries } = await unpackChunk(brotliCompressSync(JSON.stringify(columns)));
    expect(entries.map(({ parentId }) => parentId)).toEqual([...parentIds, ...others.map(() => undefined)]);
  });

  it('says nothing of a parent where only the words do', async () => {
    const entries = [{ id: '1', outcome: 'skipped' as const, reason: 'parent 7 was rejected' }];
    expect(await unpackChunk(await packChunk({ entries, memory: [] }))).toEqual({ entries, memory: [] });
  });

  it('is refused when it is cut off', async () => {
    const packed = await packChunk({ entries: [{ id: '1', outcome: 'unchanged' }], memory: ['key'] });
    await expect(unpackChunk(packed.subarray(0, -3))).rejects.toThrow();
  });
});
