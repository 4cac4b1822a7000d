import { afterEach, describe, expect, test } from 'vitest';
import { denialOf } from '../../../local/stack/gate.ts';
import { grantsOf, missingOf } from '../../../local/stack/permissions.ts';
import { closeFixtures, startFixture, variableOf } from './fixtures/fixture-stack.ts';

afterEach(closeFixtures);

// IAM user guide, "Policy evaluation logic": what no statement allows is denied.
describe('a function with a role of its own', () => {
  test.each([
    { table: 'ITEMS_TABLE', as: 'BatchGetItem', ends: 'answered' },
    { table: 'ITEMS_TABLE', as: 'PutItem', ends: 'AccessDeniedException' },
    { table: 'PAIRS_QUEUE_URL', as: 'SendMessageBatch', ends: 'answered' },
    { table: 'WIDE_QUEUE_URL', as: 'SendMessageBatch', ends: 'AccessDenied' },
  ])('that calls $as on $table is $ends', async ({ table, as, ends }) => {
    const { stack } = await startFixture();
    const event = { as, on: variableOf(stack, table) };
    expect(await stack.invoke('restricted', event)).toMatchObject({ ends });
  });

  test('is told which action on which resource its role does not allow', async () => {
    const { stack } = await startFixture();
    const event = { as: 'PutItem', on: variableOf(stack, 'ITEMS_TABLE') };
    expect(await stack.invoke('restricted', event)).toMatchObject({
      message:
        'User: arn:aws:sts::000000000000:assumed-role/RestrictedRole/fixture-local-restricted is not authorized to ' +
        'perform: dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/fixture-local-items ' +
        'because no identity-based policy allows the dynamodb:PutItem action',
    });
  });
});

describe('what a role allows', () => {
  const policy = (Action: unknown, Resource: unknown) => ({ PolicyDocument: { Statement: [{ Action, Resource }] } });
  const table = 'arn:aws:dynamodb:us-east-1:000000000000:table/t';
  const resolve = (value: unknown) => value;

  test('is in its own policies and in those that are added to it, and in no other role', () => {
    const added = (id: string, action: string) => ({
      Type: 'AWS::IAM::RolePolicy',
      Properties: { RoleName: { Ref: id }, ...policy(action, table) },
    });
    const resources = {
      Mine: { Properties: { Policies: [policy(['dynamodb:Query', 'dynamodb:GetItem'], [table])] } },
      Added: added('Mine', 'dynamodb:PutItem'),
      Other: added('Others', 'dynamodb:UpdateItem'),
    };
    expect([...grantsOf(resources, 'Mine', resolve)]).toEqual(
      ['Query', 'GetItem', 'PutItem'].map((action) => `dynamodb:${action} ${table}`),
    );
  });

  test('must cover every table of a batch', () => {
    const grants = new Set([`dynamodb:BatchGetItem ${table}`]);
    const body = (...names: string[]) => ({ RequestItems: Object.fromEntries(names.map((name) => [name, {}])) });
    const target = 'DynamoDB_20120810.BatchGetItem';
    expect(missingOf(grants, target, body('t'))).toBeUndefined();
    expect(missingOf(grants, target, body('t', 'u'))).toMatchObject({ resource: table.replace(/t$/, 'u') });
  });

  test('is asked of SSM by the name of the parameter', () => {
    const caller = { functionName: 'f', roleId: 'R', grants: new Set<string>() };
    expect(denialOf(caller, 'AmazonSSM.GetParameter', { Name: '/a/b' })?.body.message).toContain(
      'ssm:GetParameter on resource: arn:aws:ssm:us-east-1:000000000000:parameter/a/b ',
    );
  });
});
