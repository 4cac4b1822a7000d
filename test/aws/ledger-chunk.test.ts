import { brotliCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packChunk, unpackChunk } from '../../lib/aws/dynamodb/runs/chunk.ts';
import { extractOutcomes } from '../../lib/runs/ledger.ts';

const unicode = fc.string({ unit: 'binary', maxLength: 30 });
const entry = fc.record(
  { id: unicode, outcome: fc.constantFrom(...extractOutcomes), reason: unicode, hash: unicode },
  { requiredKeys: ['id', 'outcome'], noNullPrototype: true },
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

  it('is refused when it is cut off', async () => {
    const packed = await packChunk({ entries: [{ id: '1', outcome: 'unchanged' }], memory: ['key'] });
    await expect(unpackChunk(packed.subarray(0, -3))).rejects.toThrow();
  });
});
