import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { packChunk } from '../../lib/aws/dynamodb/ledger.ts';
import { fetchWorld, group } from './fetch-world.ts';

const ITEM_BYTES = 400 * 1024;
/** Nothing packs random bytes; 900 characters is nearly the longest id. */
const longIds = (count: number): string[] => Array.from({ length: count }, () => randomBytes(675).toString('base64'));

const largest = async (chunks: Parameters<typeof packChunk>[0][]): Promise<number> =>
  Math.max(...(await Promise.all(chunks.map(async (chunk) => (await packChunk(chunk)).length))));

it('a page of long ids is cut into ledger chunks that an item can hold', async () => {
  const world = fetchWorld({ pages: [longIds(3_000).map((id) => group(id))] });
  await world.invoke();
  const run = await world.run();
  expect(run?.counts).toMatchObject({ fetched: 3_000, enqueued: 3_000 });
  const chunks = await world.ledger();
  expect(chunks.flatMap(({ entries }) => entries)).toHaveLength(3_000);
  expect(await largest(chunks)).toBeLessThan(ITEM_BYTES);
});
