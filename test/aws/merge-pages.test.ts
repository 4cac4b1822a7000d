import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergePages } from '../../lib/aws/dynamodb/table.ts';
import { collect } from '../contracts/collect.ts';

const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('mergePages', () => {
  it('gives every page of every list once, each list in order, never more lists at once than allowed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(5), { maxLength: 9 }),
        fc.integer({ min: 1, max: 5 }),
        async (sizes, concurrency) => {
          let open = 0;
          let most = 0;
          const lists = sizes.map(
            (size, list) =>
              async function* () {
                most = Math.max(most, ++open);
                for (let page = 0; page < size; page++) {
                  if ((list + page) % 2) await tick();
                  yield [list, page];
                }
                open -= 1;
              },
          );
          const pages = await collect(mergePages(lists, concurrency));
          sizes.forEach((size, list) => {
            const ofList = pages.filter(([of]) => of === list).map(([, page]) => page);
            expect(ofList).toEqual(Array.from({ length: size }, (_, page) => page));
          });
          expect(pages).toHaveLength(sizes.reduce((sum, size) => sum + size, 0));
          expect(most).toBeLessThanOrEqual(concurrency);
          if (sizes.every((size) => size > 0)) expect(most).toBe(Math.min(concurrency, sizes.length));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('throws the first failure, also when several lists fail', async () => {
    const failing = (words: string) =>
      // biome-ignore lint/correctness/useYield: fails before its first page
      async function* (): AsyncGenerator<number> {
        throw new Error(words);
      };
    await expect(collect(mergePages([failing('first'), failing('second')], 2))).rejects.toThrow('first');
  });

  it('closes its lists when it is left early', async () => {
    let closed = 0;
    const endless = async function* () {
      try {
        for (let page = 0; ; page++) yield page;
      } finally {
        closed += 1;
      }
    };
    for await (const _page of mergePages([endless, endless], 2)) break;
    await tick();
    expect(closed).toBe(2);
  });
});
