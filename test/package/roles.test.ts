import { describe, expect, inject, test } from 'vitest';
import { type GetAtt, listOf, readTemplate, resource, resourcesOf, type Statement } from './template.ts';

// IAM user guide, "Security best practices in IAM": grant least privilege. Lambda developer guide, "Defining Lambda
// function permissions with an execution role": one role per function.
const template = await readTemplate(inject('packagedDir'));
const functions = resourcesOf(template, 'AWS::Lambda::Function').map(({ id, properties }) => ({
  id,
  name: id.replace(/LambdaFunction$/, ''),
  roleId: properties.Role['Fn::GetAtt'][0],
  environment: properties.Environment.Variables,
}));

const statementsOf = (roleId: string): Statement[] =>
  resource(template, 'AWS::IAM::Role', roleId).Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);

const idOf = (target: Statement['Resource']): string | undefined =>
  typeof target === 'object' && 'Fn::GetAtt' in target ? target['Fn::GetAtt'][0] : undefined;

/** Logical ids of the tables and queues on which a role allows something. */
const reachOf = (roleId: string): Set<string> =>
  new Set(
    statementsOf(roleId)
      .flatMap(({ Resource }) => listOf(Resource))
      .flatMap((target) => idOf(target) ?? [])
      .filter((id) => /^AWS::(DynamoDB::Table|SQS::Queue)$/.test(template.Resources[id]?.Type ?? '')),
  );

test('no two functions share a role', () => {
  expect(new Set(functions.map(({ roleId }) => roleId)).size).toBe(functions.length);
});

describe.each(resourcesOf(template, 'AWS::IAM::Role'))('$id', ({ id, properties }) => {
  test('allows named actions only', () => {
    for (const { Effect, Action } of statementsOf(id)) {
      expect(Effect).toBe('Allow');
      for (const action of listOf(Action)) expect(action).toMatch(/^[a-z]+:[A-Za-z]+$/);
    }
  });

  test('allows them on named resources only', () => {
    for (const target of statementsOf(id).flatMap(({ Resource }) => listOf(Resource))) {
      if (typeof target === 'object' && 'Fn::GetAtt' in target)
        expect(template.Resources).toHaveProperty(target['Fn::GetAtt'][0]);
      else expect(target).toEqual({ 'Fn::Sub': expect.stringMatching(/^arn:\$\{AWS::Partition\}:[^*?]+$/) });
    }
  });

  test('brings in no managed policy, whose content others decide', () => {
    expect(properties.ManagedPolicyArns ?? []).toEqual([]);
  });
});

describe.each(functions)('the role of $name', ({ name, roleId, environment }) => {
  test('is assumed by Lambda only', () => {
    expect(resource(template, 'AWS::IAM::Role', roleId).AssumeRolePolicyDocument.Statement).toEqual([
      { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
    ]);
  });

  test('reaches the tables and queues that its environment names, and no other', () => {
    const named = Object.entries(environment).flatMap(([variable, value]) =>
      /_(TABLE|QUEUE_URL)$/.test(variable) && typeof value === 'object' ? value.Ref : [],
    );
    expect([...reachOf(roleId)].sort()).toEqual(named.sort());
  });

  test('reads the parameters that its environment names, and no other', () => {
    const named = Object.values(environment).flatMap((value) =>
      typeof value === 'string' && value.startsWith('ssm:') ? value.slice('ssm:'.length) : [],
    );
    const allowed = statementsOf(roleId)
      .filter(({ Action }) => listOf(Action).includes('ssm:GetParameter'))
      .flatMap(({ Resource }) => listOf(Resource))
      .map((target) => (target as { 'Fn::Sub': string })['Fn::Sub'].replace(/^.*:parameter/, ''));
    expect(allowed.sort()).toEqual(named.sort());
  });

  test('writes its own log only, into a group that exists already', () => {
    const logging = statementsOf(roleId).filter(({ Action }) =>
      listOf(Action).some((action) => action.startsWith('logs:')),
    );
    expect(logging).toEqual([
      {
        Sid: 'WriteLog',
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: { 'Fn::GetAtt': [`${name}LogGroup`, 'Arn'] },
      },
    ]);
  });
});

/** Functions whose role allows an action on a resource. */
const allowedTo = (action: string, id: string): string[] =>
  functions
    .filter(({ roleId }) =>
      statementsOf(roleId).some(
        ({ Action, Resource }) =>
          listOf(Action).includes(action) && listOf(Resource).some((target) => idOf(target) === id),
      ),
    )
    .map(({ name }) => name);

// Lambda developer guide, "Using Lambda with Amazon SQS": execution role permissions.
test.each(resourcesOf(template, 'AWS::Lambda::EventSourceMapping'))('$id has what polling needs', ({ properties }) => {
  const queue = properties.EventSourceArn['Fn::GetAtt'][0];
  const name = properties.FunctionName['Fn::GetAtt'][0].replace(/LambdaFunction$/, '');
  for (const action of ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']) {
    expect(allowedTo(action, queue)).toContain(name);
  }
});

test.each([
  { action: 'dynamodb:PutItem', id: 'IdCheckTable', who: ['Fetch', 'Load'] },
  { action: 'sqs:SendMessage', id: 'DeadLetterQueue', who: ['Fetch', 'Load'] },
  { action: 'sqs:DeleteMessage', id: 'DeadLetterQueue', who: ['Replay'] },
  { action: 'sqs:DeleteMessage', id: 'RecordsQueue', who: ['Load'] },
  { action: 'sqs:SendMessage', id: 'RecordsQueue', who: ['Fetch', 'Load', 'Replay'] },
  { action: 'sqs:SendMessage', id: 'RunsQueue', who: ['Fetch'] },
])('$action on $id is for $who alone', ({ action, id, who }) => {
  expect(allowedTo(action, id).sort()).toEqual(who);
});

test('nothing can delete an item or a table', () => {
  const actions = functions.flatMap(({ roleId }) => statementsOf(roleId).flatMap(({ Action }) => listOf(Action)));
  expect(actions.filter((action) => /^dynamodb:.*Delete/.test(action))).toEqual([]);
});

// EventBridge Scheduler user guide, "Confused deputy prevention".
test('the scheduler starts fetch and reconcile, for the schedules of this stage only', () => {
  const role = resource(template, 'AWS::IAM::Role', 'SchedulerRole');
  expect(role.AssumeRolePolicyDocument.Statement).toEqual([
    {
      Effect: 'Allow',
      Principal: { Service: 'scheduler.amazonaws.com' },
      Action: 'sts:AssumeRole',
      Condition: {
        StringEquals: {
          'aws:SourceAccount': { Ref: 'AWS::AccountId' },
          'aws:SourceArn': { 'Fn::GetAtt': ['ScheduleGroup', 'Arn'] },
        },
      },
    },
  ]);
  const [statement, ...more] = statementsOf('SchedulerRole');
  expect(more).toEqual([]);
  expect(statement?.Action).toBe('lambda:InvokeFunction');
  const targets = listOf(statement?.Resource ?? []).map((target) => (target as GetAtt)['Fn::GetAtt'][0]);
  expect(targets.sort()).toEqual(['FetchLambdaFunction', 'ReconcileLambdaFunction']);
});
