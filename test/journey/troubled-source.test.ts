import { describe, expect, test } from 'vitest';
import { builtInFacts } from '../../local/sandbox/sandbox.ts';
import { integrationCopy } from './integration-copy.ts';
import { newDir, runJson } from './program.ts';
import { appliedTimes } from './sandbox-store.ts';

describe('a source that revokes the token, throttles twice, drops a connection and repeats a page', () => {
  test('is read to its end all the same: exit 0, books balanced, every event named', async () => {
    const dir = newDir();
    const integration = integrationCopy(dir, 'okki-product-groups-to-crm', {
      'source.paging.pageSize': 50,
      'transform.duplicates': [],
    });
    const faults = [
      'token-revoked:after=2',
      'source-429:times=2:after=1:retryAfter=1',
      'source-drop:times=1:after=5',
      'page-repeated:page=5',
    ];
    const args = ['--integration', integration, '--data-dir', dir, ...faults.flatMap((fault) => ['--fault', fault])];
    const { code, report, stderr } = await runJson(args);

    expect(report).toMatchObject({
      status: 'balanced',
      balanced: true,
      deadLetters: 0,
      counts: { fetched: builtInFacts.records, loaded: builtInFacts.clean },
    });
    expect(code).toBe(0);
    // With --json the events stand on stderr: `! CODE ×COUNT: MESSAGE`.
    const named = [...stderr.matchAll(/^! (\S+) ×(\d+): GET \/v1\/product\/groups: ./gm)];
    expect(Object.fromEntries(named.map(([, event, count]) => [event, Number(count)]))).toEqual({
      'token-renewed': 1,
      'source-429': 2,
      'source-dropped': 1,
      'page-repeated': 1,
    });
    expect(new Set(appliedTimes(dir).values())).toEqual(new Set([1]));
  }, 120_000);
});
