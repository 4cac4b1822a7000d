import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { groupsFromPaths } from '../../local/sandbox/group-tree.ts';
import { readGroupsFile } from '../../local/sandbox/sandbox.ts';
import { integrationCopy } from './integration-copy.ts';
import { newDir, runJson } from './program.ts';
import { appliedTimes } from './sandbox-store.ts';

const GROUPS = 400;

/** A list of one's own to try the same on: a file as `--groups` takes it. */
const ownList = process.env.OKKI_GROUPS_FILE ?? '';

const generatedList = (dir: string): string => {
  const file = join(dir, 'groups.json');
  const paths = Array.from({ length: GROUPS }, (_, n) => ({ id: 5_200_000_000 + n * 3, path: [`分组 ${n}`] }));
  writeFileSync(file, JSON.stringify(groupsFromPaths(paths)));
  return file;
};

type Pace = { pageSize: number; requestsPerSec: number };

/** Two seconds for each invocation. */
const expectAllOnce = async (dir: string, groups: string, { pageSize, requestsPerSec }: Pace) => {
  const ids = new Set((await readGroupsFile(groups)).map((one) => String((one as { id: unknown }).id)));
  const integration = integrationCopy(dir, 'okki-product-groups-to-crm', {
    'source.paging.pageSize': pageSize,
    'source.rateLimit': { requests: requestsPerSec, intervalMs: 1_000 },
    'transform.duplicates': [],
  });
  const args = ['--integration', integration, '--data-dir', dir, '--groups', groups];
  const { code, report } = await runJson(args, { FETCH_TIME_BUDGET_MS: '2000' });
  expect(report).toMatchObject({ status: 'balanced', balanced: true, counts: { fetched: ids.size, loaded: ids.size } });
  expect(code).toBe(0);
  expect(readFileSync(join(dir, 'logs', 'fetch.log'), 'utf8'), 'a second invocation').toContain('"run-resumed"');
  // One request for each page, one more for the empty page after the last full one, and one for the token.
  expect(report.requests.source).toBeLessThanOrEqual(Math.ceil(ids.size / pageSize) + 2);
  const times = appliedTimes(dir);
  expect(new Set(times.keys())).toEqual(ids);
  expect(new Set(times.values())).toEqual(new Set([1]));
};

describe('a run longer than an invocation may be', () => {
  test('goes on in further ones from its checkpoint: no record twice, none missed', async () => {
    const dir = newDir();
    await expectAllOnce(dir, generatedList(dir), { pageSize: 10, requestsPerSec: 10 });
  }, 180_000);

  test.skipIf(!existsSync(ownList))(
    'and so over the list of OKKI_GROUPS_FILE',
    async () => {
      await expectAllOnce(newDir(), ownList, { pageSize: 50, requestsPerSec: 20 });
    },
    300_000,
  );
});
