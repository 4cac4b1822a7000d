import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { groupsFromPaths } from '../../local/sandbox/group-tree.ts';
import { readGroupsFile } from '../../local/sandbox/sandbox.ts';
import { integrationCopy } from './integration-copy.ts';
import { newDir, runJson } from './program.ts';
import { appliedTimes } from './sandbox-store.ts';

const GROUPS = 1_500;
const PAGE = 50;

/** A list of one's own to try the same on: a file as `--groups` takes it. */
const ownList = process.env.OKKI_GROUPS_FILE ?? '';

const generatedList = (dir: string): string => {
  const file = join(dir, 'groups.json');
  const paths = Array.from({ length: GROUPS }, (_, n) => ({ id: 5_200_000_000 + n * 3, path: [`分组 ${n}`] }));
  writeFileSync(file, JSON.stringify(groupsFromPaths(paths)));
  return file;
};

/** Two seconds for each invocation, 20 requests a second, 50 records a page. */
const runLong = async (dir: string, groups: string) => {
  const integration = integrationCopy(dir, 'okki-product-groups-to-crm', {
    'source.paging.pageSize': PAGE,
    'source.rateLimit': { requests: 20, intervalMs: 1_000 },
    'transform.duplicates': [],
  });
  const args = ['--integration', integration, '--data-dir', dir, '--groups', groups];
  const ended = await runJson(args, { FETCH_TIME_BUDGET_MS: '2000' });
  const log = readFileSync(join(dir, 'logs', 'fetch.log'), 'utf8');
  return { ...ended, invocations: 1 + log.split('"run-resumed"').length - 1 };
};

const expectAllOnce = async (dir: string, groups: string) => {
  const ids = new Set((await readGroupsFile(groups)).map((one) => String((one as { id: unknown }).id)));
  const { code, report, invocations } = await runLong(dir, groups);
  expect(report).toMatchObject({ status: 'balanced', balanced: true, counts: { fetched: ids.size, loaded: ids.size } });
  expect(code).toBe(0);
  expect(invocations).toBeGreaterThan(1);
  // One request for each page, one more for the empty page after the last full one, and one for the token.
  expect(report.requests.source).toBeLessThanOrEqual(Math.ceil(ids.size / PAGE) + 2);
  const times = appliedTimes(dir);
  expect(new Set(times.keys())).toEqual(ids);
  expect(new Set(times.values())).toEqual(new Set([1]));
};

describe('a run longer than an invocation may be', () => {
  test('goes on in further ones from its checkpoint: no record twice, none missed', async () => {
    const dir = newDir();
    await expectAllOnce(dir, generatedList(dir));
  }, 180_000);

  test.skipIf(!existsSync(ownList))(
    'and so over the list of OKKI_GROUPS_FILE',
    async () => {
      await expectAllOnce(newDir(), ownList);
    },
    300_000,
  );
});
