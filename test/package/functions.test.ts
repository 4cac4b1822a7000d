import { describe, expect, inject, test } from 'vitest';
import { MAX_POST_MS } from '../../lib/integration/schema/target-schema.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { readTemplate, resource, resourcesOf } from './template.ts';

const template = await readTemplate(inject('packagedDir'));
const functions = resourcesOf(template, 'AWS::Lambda::Function');

test('the handlers are fetch, load, replay and reconcile', () => {
  expect(functions.map(({ properties }) => properties.Handler).sort()).toEqual([
    'functions/fetch.handler',
    'functions/load.handler',
    'functions/reconcile.handler',
    'functions/replay.handler',
  ]);
});

describe.each(functions)('$id', ({ properties }) => {
  const environment = Object.entries(properties.Environment.Variables);

  test('runs on nodejs24.x and arm64 (Lambda developer guide, "Lambda runtimes")', () => {
    expect(properties.Runtime).toBe('nodejs24.x');
    expect(properties.Architectures).toEqual(['arm64']);
  });

  // Lambda developer guide, "Working with Lambda environment variables": they are shown to whoever may read the function.
  test('gets secrets by reference only', () => {
    // Empty: none is set.
    const secrets = environment.filter(
      ([name, value]) => /(SECRET|TOKEN|PASSWORD|CLIENT_ID)$/.test(name) && value !== '',
    );
    for (const [name, value] of secrets)
      expect([name, value]).toEqual([name, expect.stringMatching(/^ssm:\/okki-sync\/dev\//)]);
  });

  test('gets tables and queues by reference', () => {
    const places = environment.filter(([name]) => /_(TABLE|QUEUE_URL)$/.test(name));
    for (const [name, value] of places) {
      expect([name, template.Resources[(value as { Ref: string }).Ref]?.Type]).toEqual([
        name,
        name.endsWith('_TABLE') ? 'AWS::DynamoDB::Table' : 'AWS::SQS::Queue',
      ]);
    }
  });

  test('has a log group of its own that keeps 30 days (CloudWatch Logs user guide, "Log retention")', () => {
    const group = resourcesOf(template, 'AWS::Logs::LogGroup').find(
      (candidate) => candidate.properties.LogGroupName === `/aws/lambda/${properties.FunctionName}`,
    );
    expect(group?.properties.RetentionInDays).toBe(30);
  });
});

test.each([
  { id: 'FetchLambdaFunction', secrets: ['OKKI_CLIENT_ID', 'OKKI_CLIENT_SECRET'] },
  { id: 'LoadLambdaFunction', secrets: ['CRM_TOKEN', 'QINGYIYUN_TOKEN'] },
  { id: 'ReplayLambdaFunction', secrets: [] },
  { id: 'ReconcileLambdaFunction', secrets: [] },
])('$id knows the secrets $secrets and no other', ({ id, secrets }) => {
  const { Variables } = resource(template, 'AWS::Lambda::Function', id).Environment;
  const held = Object.entries(Variables).filter(
    ([, value]) => typeof value === 'string' && /^(ssm|secretsmanager):/.test(value),
  );
  expect(held.map(([name]) => name).sort()).toEqual(secrets);
});

test('load has the time for the longest request that a file may ask for, and 5 s before it', () => {
  const { Timeout } = resource(template, 'AWS::Lambda::Function', 'LoadLambdaFunction');
  expect(Timeout * 1000).toBeGreaterThanOrEqual(MAX_POST_MS + standardTuning.load.settleReserveMs + 5_000);
});
