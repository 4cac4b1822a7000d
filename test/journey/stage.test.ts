import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseIntegration, SERVICE_DIR } from '../../cli/input/integration-choice.ts';
import { stackPrefix } from '../../cli/stack/deployed.ts';
import { connectionVariables } from '../../cli/stack/sides.ts';
import { parseFault, type Sandbox, startSandbox } from '../../local/sandbox/sandbox.ts';
import { LOCAL_ACCOUNT_ID, LOCAL_REGION } from '../../local/stack/local-account.ts';
import { readServiceFile } from '../../local/stack/service-file.ts';
import { type Stack, startStack } from '../../local/stack/stack.ts';
import { jsonOf, newDir, program } from './program.ts';

const CRM = 'okki-product-groups-to-crm';
const REFUSED = '5203300118';
const dataDir = newDir();

// A stack under the names of a deployed one, with its workers running: the program reaches it through the SDK's own
// environment only, as it would reach AWS.
let sandbox: Sandbox;
let stack: Stack;
let operator: Record<string, string>;
const onStage = (...args: string[]) => program([...args, '--stage', 'test', '--region', 'us-east-1'], operator);

/** What the operator's policy (docs/deploy.md) allows on the stack of stage `test`. */
const operatorGrants = (): ReadonlySet<string> => {
  const { Statement } = JSON.parse(readFileSync('serverless/policies/operator.json', 'utf8')) as {
    Statement: { Action: string[]; Resource: string[] }[];
  };
  const arns = (pattern: string) =>
    pattern.replace(/:\*:\*:/, `:${LOCAL_REGION}:${LOCAL_ACCOUNT_ID}:`).replace('okki-sync-*', stackPrefix('test'));
  return new Set(
    Statement.flatMap(({ Action, Resource }) =>
      Action.flatMap((action) => Resource.map((pattern) => `${action} ${arns(pattern)}`)),
    ),
  );
};

beforeAll(async () => {
  const groups = [REFUSED, '5203300300'].map((id) => ({ id: Number(id), name: `分组${id}` }));
  sandbox = await startSandbox({ groups, faults: [parseFault(`target-refuse:ids=${REFUSED}`)] });
  const { integration, paths } = chooseIntegration(CRM);
  const sandboxed = { url: sandbox.url, sides: ['source', 'target'] } as const;
  const other = chooseIntegration('okki-product-groups-to-qingyiyun').integration;
  const variables = [integration, other].map((one) => connectionVariables(one, {}, sandboxed));
  const env = { ...Object.assign({}, ...variables), INTEGRATIONS: paths };
  stack = await startStack({ dataDir, serviceDir: SERVICE_DIR, stage: 'test', env });
  stack.startEventSources();
  operator = stack.envOf('operator', operatorGrants());
});
afterAll(async () => {
  await stack.close();
  await sandbox.close();
});

test('a stage has the names that serverless.yml gives', () => {
  const { service, custom } = readServiceFile(SERVICE_DIR) as { service: string; custom: { prefix: string } };
  const prefix = custom.prefix.replace(/\$\{self:service\}/, service).replace(/\$\{sls:stage\}/, 'prod');
  expect(stackPrefix('prod')).toBe(prefix);
});

test('run asks the stack for a run and follows it to its books', async () => {
  const ended = await onStage('run', '--integration', CRM, '--json');
  expect(jsonOf<object>(ended)).toMatchObject({
    integration: CRM,
    status: 'balanced',
    counts: { fetched: 2, enqueued: 2, loaded: 1, rejected: 1 },
    deadLetters: 1,
  });
  expect(ended.code).toBe(1);
});

test('runs, status and record read the same stores', async () => {
  const { runs } = jsonOf<{ runs: Array<{ runId: string }> }>(await onStage('runs', '--json'));
  expect(runs).toHaveLength(1);
  const status = jsonOf<object>(await onStage('status', 'last', '--json'));
  expect(status).toMatchObject({ runId: runs[0]?.runId, unsettled: { rejected: [REFUSED] } });
  const record = jsonOf<object>(await onStage('record', REFUSED, '--json'));
  expect(record).toMatchObject({ records: [{ item: { trouble: { kind: 'rejected' } } }] });
});

test('dlq replay sends the letter back, and the stack loads it', async () => {
  sandbox.faults.clear();
  const replayed = await onStage('dlq', 'replay', '--json');
  expect(jsonOf<object>(replayed)).toMatchObject({ replayed: [{ id: REFUSED }] });
  await expect.poll(() => stack.drained(), { timeout: 20_000, interval: 200 }).toBe(true);
  expect((await onStage('dlq', 'list')).code).toBe(0);
  const record = jsonOf<object>(await onStage('record', REFUSED, '--json'));
  expect(record).toMatchObject({ records: [{ item: { loaded: {} }, letters: [] }] });
});

test('a few records first, and taking over, work there, too; the first is asked for before it is done', async () => {
  const name = 'okki-product-groups-to-qingyiyun';
  const few = await onStage('run', name, '--limit', '1', '--json');
  expect(jsonOf<object>(few)).toMatchObject({ counts: { loaded: 1, waiting: 1 }, leftOut: 1, balanced: true });
  const sent = sandbox.records('qingyiyun').length;
  const none = await onStage('run', name, '--id', '99', '--json');
  expect(jsonOf<object>(none)).toMatchObject({ notGiven: ['99'] });
  expect(none.stderr).toContain('ids-not-given');
  expect(await onStage('adopt', name)).toMatchObject({ code: 2, stdout: '' });
  const adopted = await onStage('adopt', name, '--yes', '--json');
  expect(jsonOf<object>(adopted)).toMatchObject({ counts: { unchanged: 2 }, adopted: 1, known: 1, deadLetters: 0 });
  expect(adopted.code).toBe(0);
  expect(sandbox.records('qingyiyun')).toHaveLength(sent);
});

test('reconcile, resend, resolve and what is said of addresses do with the operator’s rights, too', async () => {
  expect(await onStage('reconcile', '--json')).toMatchObject({ code: 0 });
  expect(await onStage('resend', REFUSED, '--yes', '--json')).toMatchObject({ code: 2 });
  expect(await onStage('dlq', 'resolve', REFUSED, '--loaded', '--json')).toMatchObject({ code: 2 });
  expect(
    await onStage('dlq', 'discard', '--integration', CRM, '--all', '--yes', '--why', 'none', '--json'),
  ).toMatchObject({ code: 0 });
  expect(await onStage('target', 'same', CRM, '--json')).toMatchObject({ code: 0 });
});

test('rename gives all that is known to another name, and leaves an old one that sends nothing', async () => {
  const renamed = await onStage('rename', CRM, 'crm-groups', '--json', '--why', 'a clearer name');
  expect(jsonOf<object>(renamed)).toEqual({ from: CRM, to: 'crm-groups', items: 2, letters: 0 });
  const sent = sandbox.records('crm').length;
  const ended = await onStage('run', CRM, '--json');
  expect(ended.code).toBe(3);
  expect(ended.stderr).toContain('was renamed to crm-groups');
  expect(sandbox.records('crm')).toHaveLength(sent);
  expect(await onStage('rename', CRM, 'other')).toMatchObject({ code: 2, stdout: '' });
});

test('what the operator may not do is denied by name', async () => {
  const nobody = stack.envOf('nobody', new Set());
  const ended = await program(['runs', '--stage', 'test', '--region', 'us-east-1'], nobody);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toMatch(/not authorized to perform: sqs:GetQueueUrl/);
});

describe('a stage that is not there', () => {
  test('exits 2 and says which queue is missing', async () => {
    const ended = await program(['runs', '--stage', 'nowhere', '--region', 'us-east-1'], stack.env);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('okki-sync-nowhere-');
  });

  test('and no region exits 2 and says what to set', async () => {
    const { AWS_REGION: _, ...env } = stack.env;
    const ended = await program(['runs', '--stage', 'test'], { ...env, AWS_CONFIG_FILE: '/dev/null' });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('--region');
  });
});
