import { beforeAll, describe, expect, test } from 'vitest';
import { parseJson } from '../../lib/json/json.ts';
import { builtInFacts } from '../../local/sandbox/sandbox.ts';
import { shippedText } from '../integration/sample.ts';
import { integrationCopy } from './integration-copy.ts';
import { type Ended, newDir, program, type Report, runJson } from './program.ts';
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

describe('a tree whose children may stand before their parents, one of which the target refuses', () => {
  const dir = newDir();
  let first: Ended & { report: Report };
  let second: Ended & { report: Report };

  beforeAll(async () => {
    const args = ['--integration', treeIntegration(dir), '--data-dir', dir];
    first = await runJson([...args, '--fault', `target-refuse:ids=${PARENT}`]);
    expect((await program(['dlq', 'replay', ...args])).code).toBe(0);
    second = await runJson(args);
  }, 180_000);

  test('is loaded as a whole, but for the refused parent and its children, which are rejected by name', () => {
    expect([first.code, first.report.deadLetters]).toEqual([1, 1]);
    const { fetched, enqueued, rejected, loaded, open } = first.report.counts;
    expect({ fetched, rejected, open }).toEqual({ fetched: builtInFacts.records, rejected: 7, open: 0 });
    expect(loaded).toBe(enqueued - 7);
  });

  test('has these children loaded once a replay has mended their parent, books balanced', () => {
    expect([second.code, second.report.deadLetters, second.report.status]).toEqual([0, 0, 'balanced']);
    expect(second.report.counts).toMatchObject({ enqueued: 6, loaded: 6, skipped: 0, open: 0 });
  });

  test('never reaches the target child before parent', () => {
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
