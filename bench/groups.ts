import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readIntegrations } from '../lib/integration/read.ts';
import type { Integration } from '../lib/integration/schema/schema.ts';
import type { JsonValue } from '../lib/json/json.ts';
import { isJsonObject, type JsonObject, parseJson } from '../lib/json/json.ts';
import { setPath } from '../lib/json/path.ts';
import type { Source } from '../lib/source/source.ts';
import { groupRecord } from '../local/sandbox/group-tree.ts';

export const PAGE_RECORDS = 500;

export const SHIPPED_FILE = fileURLToPath(
  new URL('../integrations/okki-product-groups-to-qingyiyun.json', import.meta.url),
);

/**
 * The shipped file, for lists of exactly so many groups: it declares that this source has no ceiling at round numbers.
 */
export const fileWithoutCeiling = (): JsonObject => {
  const file = parseJson(readFileSync(SHIPPED_FILE, 'utf8'));
  if (!isJsonObject(file)) throw new Error(`${SHIPPED_FILE} holds no integration`);
  return setPath(file, 'source.paging.ceiling', false);
};

/** The shipped integration that the measurements are made with. */
export const shippedIntegration = (): Integration => {
  const [integration] = readIntegrations([SHIPPED_FILE]).integrations;
  if (integration === undefined) throw new Error(`${SHIPPED_FILE} holds no integration`);
  return integration;
};

const FIRST_ID = 5_203_300_076;

/** Group number `n`, with all the fields that OKKI sends. */
const groupAt = (n: number): JsonValue =>
  groupRecord({ id: FIRST_ID + n * 7, parentId: 0, layer: 1, prefix: '0-', name: `产品分组 ${n}`, rank: n });

/** The groups of one page, from 0. */
export const groupsOfPage = (page: number, total: number): JsonValue[] =>
  Array.from({ length: Math.max(0, Math.min(PAGE_RECORDS, total - page * PAGE_RECORDS)) }, (_, index) =>
    groupAt(page * PAGE_RECORDS + index),
  );

/** A list of so many groups, made page by page: nothing of it is kept. */
export const groupSource = (total: number): Source => ({
  readPage: async (at) => {
    const page = Number(at?.page ?? 0);
    const isLast = (page + 1) * PAGE_RECORDS >= total;
    return {
      kind: 'page',
      records: groupsOfPage(page, total),
      ...(isLast ? {} : { next: { page: page + 1 } }),
      requests: 1,
      warnings: [],
    };
  },
});
