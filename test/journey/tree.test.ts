import { beforeAll, describe, expect, test } from 'vitest';
import { parseJson } from '../../lib/json/json.ts';
import { builtInFacts } from '../../local/sandbox/sandbox.ts';
import { shippedText } from '../integration/sample.ts';
import { integrationCopy } from './integration-copy.ts';
import { newDir, nonZero, program, type Report, runJson } from './program.ts';
import { appliedRequests } from './sandbox-store.ts';

const CRM = 'okki-product-groups-to-crm';
/** 室内照明, with six groups under it. */
const PARENT = '5203300118';

/** The CRM integration carrying the parent, as docs/tree.md shows it; small pages, so that children come first. */
const treeIntegration = (dir: string): string => {
  const { target } = parseJson(shippedText(CRM)) as { target: { metadata: { request: [] } } };
  return integrationCopy(dir, CRM, {
    'source.paging.pageSize': 50,
    'transform.dependsOn': { parent: 'parent_id' },
    'target.metadata.request': [
      ...target.metadata.request,
      { field: 'parent_id', label: '上级分组 ID', type: 'int', value: '{{parent_id}}' },
    ],
  });
};

describe('a tree whose children may stand before their parents', () => {
  const dir = newDir();
  let report: Report;

  beforeAll(async () => {
    ({ report } = await runJson(['--integration', treeIntegration(dir), '--data-dir', dir]));
  }, 120_000);

  test('is loaded as a whole, books balanced', () => {
    expect(report).toMatchObject({ status: 'balanced', counts: { fetched: builtInFacts.records, open: 0 } });
    expect(report.counts.loaded).toBe(report.counts.enqueued);
  });

  test('no child reaches the target before its parent', () => {
    const there = new Set(['0']);
    let children = 0;
    for (const rows of appliedRequests(dir)) {
      for (const { content } of rows) {
        expect(there).toContain(String(content.parent_id));
        if (content.parent_id !== 0) children += 1;
      }
      for (const { id } of rows) there.add(id);
    }
    expect(children).toBeGreaterThan(300);
  });
});

describe('a parent that the target refuses', () => {
  const dir = newDir();
  const run = (...faults: string[]) =>
    runJson([
      '--integration',
      treeIntegration(dir),
      '--data-dir',
      dir,
      ...faults.flatMap((fault) => ['--fault', fault]),
    ]);

  test('has its children rejected by name, and frees them when it is mended by replay', async () => {
    const first = await run(`target-refuse:ids=${PARENT}`);
    expect([first.code, first.report.deadLetters]).toEqual([1, 1]);
    expect(nonZero(first.report.counts)).toMatchObject({ rejected: 7 });

    const args = ['--integration', treeIntegration(dir), '--data-dir', dir];
    expect((await program(['dlq', 'replay', ...args])).code).toBe(0);
    const second = await run();
    expect([second.code, second.report.deadLetters]).toEqual([0, 0]);
    expect(second.report.counts).toMatchObject({ enqueued: 6, loaded: 6, skipped: 0 });
  }, 180_000);
});
