import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { builtInFacts, parseFault, type Sandbox, startSandbox } from '../../../local/sandbox/sandbox.ts';
import { MAX_HOPS, withHop } from '../../../local/stack/lineage.ts';
import { type DeployedStack, deployStack, type FunctionName } from './deployed-stack.ts';
import { atSandbox, client, parameters } from './operator.ts';

// Lambda developer guide, "Use Lambda recursive loop detection to prevent infinite loops". Here it is as on AWS: the SDK
// in the archives passes the chain on, the queue keeps it, and the template says whether it is stopped.
let sandbox: Sandbox;
let stack: DeployedStack;

beforeAll(async () => {
  sandbox = await startSandbox({ ...client, faults: [parseFault('target-429:times=2:retryAfter=1:on=crm')] });
  const settings = { fetch: { FETCH_TIME_BUDGET_MS: '1' } };
  stack = await deployStack({
    packagedDir: inject('packagedDir'),
    parameters,
    environment: atSandbox(sandbox),
    settings,
  });
  stack.startEventSources();
});
afterAll(async () => {
  await stack.close();
  await sandbox.close();
});

/** The chain of a message that has passed the function as often as Lambda lets it, but for once. */
const longChain = (name: FunctionName): string => {
  const hops = Array.from({ length: MAX_HOPS - 1 }, () => stack.configuration(name).name);
  return hops.reduce<string | undefined>(withHop, undefined) ?? '';
};

const within = { timeout: 100_000, interval: 100 };

test('load: a record that has waited for 16 hops is loaded once the target takes it', async () => {
  const { Records } = JSON.parse(await readFile('events/records.json', 'utf8')) as { Records: { body: string }[] };
  const record = JSON.parse(Records[1]?.body ?? '') as object;
  const body = JSON.stringify({ ...record, firstSentMs: Date.now() });
  await stack.send('RecordsQueue', body, longChain('load'));
  await expect.poll(() => sandbox.records('crm').map(({ id }) => String(id)), within).toEqual(['5203300076']);
  expect(stack.functions.load.log().filter((line) => line.includes('"put-back"')).length).toBeGreaterThan(0);
});

test('fetch: a reading that has left word for itself 16 times is read to its end', async () => {
  const scheduledTime = new Date().toISOString().replace(/\.\d{3}/, '');
  const request = { kind: 'schedule', integration: 'okki-product-groups-to-qingyiyun', scheduledTime };
  await stack.send('RunsQueue', JSON.stringify(request), longChain('fetch'));
  // The word that it leaves has passed 16 times: without `RecursiveLoop: Allow` nobody reads on.
  await expect
    .poll(() => stack.functions.fetch.log().some((line) => line.includes('"run-extracted"')), within)
    .toBe(true);
  await expect.poll(() => sandbox.records('qingyiyun').length, within).toBe(builtInFacts.clean);
});
