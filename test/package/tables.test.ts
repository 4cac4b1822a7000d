import { describe, expect, inject, test } from 'vitest';
import { readTemplate, resourcesOf } from './template.ts';

const template = await readTemplate(inject('packagedDir'));
const tables = resourcesOf(template, 'AWS::DynamoDB::Table');
const byId = Object.fromEntries(tables.map((table) => [table.id, table.properties]));

describe.each(tables)('$id', ({ DeletionPolicy, UpdateReplacePolicy, properties }) => {
  test('is billed on demand (DynamoDB developer guide, "On-demand capacity mode")', () => {
    expect(properties).toMatchObject({ BillingMode: 'PAY_PER_REQUEST' });
    expect(properties).not.toHaveProperty('ProvisionedThroughput');
  });

  test('can be restored to any second of the last 35 days (DynamoDB developer guide, "Point-in-time recovery")', () => {
    expect(properties).toMatchObject({ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } });
  });

  test('is encrypted under a key that shows in CloudTrail (DynamoDB developer guide, "Encryption at rest")', () => {
    expect(properties).toMatchObject({ SSESpecification: { SSEEnabled: true } });
  });

  // CloudFormation user guide, "DeletionPolicy attribute" and "UpdateReplacePolicy attribute".
  test('stays when the stack is removed or an update replaces it, and goes with a first deployment that failed', () => {
    expect({ DeletionPolicy, UpdateReplacePolicy }).toEqual({
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
  });

  test('has a name, so that a stack beside a retained table fails instead of starting with an empty one', () => {
    expect(properties).toMatchObject({ TableName: expect.stringMatching(/^okki-sync-dev-/) });
  });
});

test('idCheck never expires: its items are permanent', () => {
  expect(byId.IdCheckTable).not.toHaveProperty('TimeToLiveSpecification');
});

test('runs and connections expire by expiresAtSec (DynamoDB developer guide, "Time to Live")', () => {
  const byTtl = { TimeToLiveSpecification: { AttributeName: 'expiresAtSec', Enabled: true } };
  expect(byId.RunsTable).toMatchObject(byTtl);
  expect(byId.ConnectionsTable).toMatchObject(byTtl);
});

test.each([
  { id: 'IdCheckTable', keys: ['pk', 'sk'] },
  { id: 'RunsTable', keys: ['pk', 'sk'] },
  { id: 'ConnectionsTable', keys: ['pk', 'sk'] },
])('the key of $id is $keys, all strings', ({ id, keys }) => {
  const kinds = ['HASH', 'RANGE'];
  expect(byId[id]).toMatchObject({
    KeySchema: keys.map((AttributeName, index) => ({ AttributeName, KeyType: kinds[index] })),
    AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  });
});
