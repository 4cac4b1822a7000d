import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { transformPlanOf } from '../../lib/integration/compile/run-plan.ts';
import { sourcePlanOf } from '../../lib/integration/compile/source-plan.ts';
import { parseIntegration } from '../../lib/integration/read.ts';
import { savedAnswer } from '../../lib/source/answer.ts';
import { openTransform } from '../../lib/transform/transform.ts';
import { builtInReceipts } from '../../local/sandbox/receipts.ts';

const file = join(import.meta.dirname, '../../examples/okki-receipts-to-qingyiyun.json');

/** As OKKI publishes it: the list stands under data.list, amounts are texts, empty objects are empty lists. */
const published = JSON.stringify({
  code: 200,
  message: 'success',
  data: {
    totalItem: 2,
    list: [
      {
        cash_collection_id: 2_003_140_661,
        cash_collection_no: 'HK0001',
        order_id: 2_003_140_600,
        amount: '1200.50',
        currency: 'USD',
        collection_date: '2026-03-04',
        company: [],
        create_time: '2026-03-04 10:11:12',
        update_time: '2026-03-05 10:11:12',
      },
      { cash_collection_id: 2_003_140_662, cash_collection_no: 'HK0002', amount: '7.00', currency: 'CNY', company: [] },
    ],
  },
});

test('the shipped receipts example reads the answer that OKKI publishes: ids, numbers and amounts arrive', async () => {
  const { integration, faults } = parseIntegration(readFileSync(file), file);
  expect(faults).toEqual([]);
  if (integration === undefined) return;
  const page = await savedAnswer(published, sourcePlanOf(integration)).readPage(undefined, 0, {
    nowMs: 0,
    lastSyncMs: 0,
  });
  const records = page.kind === 'page' ? page.records : [];
  const { prepared } = openTransform(transformPlanOf(integration)).begin().prepare(records, String);
  expect(prepared).toMatchObject([
    { outcome: 'ready', id: '2003140661', body: { id: '2003140661', number: 'HK0001', amount: 1200.5 } },
    { outcome: 'ready', id: '2003140662', body: { id: '2003140662', number: 'HK0002', amount: 7 } },
  ]);
});

test('the receipts of the sandbox have the fields of the published ones', () => {
  for (const receipt of builtInReceipts) {
    expect(receipt).toMatchObject({
      cash_collection_id: expect.any(Number),
      cash_collection_no: expect.any(String),
      amount: expect.stringMatching(/^\d+\.\d\d$/),
    });
  }
});
