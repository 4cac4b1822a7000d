import { globSync, readFileSync } from 'node:fs';
import { describe, expect, inject, test } from 'vitest';
import { permissionName } from '../../local/stack/permissions.ts';
import { listOf, readTemplate } from './template.ts';

type Statement = { Sid: string; Effect: string; Action: string[]; Resource: string | string[]; Condition?: object };
const readPolicy = (name: string): { Statement: Statement[] } =>
  JSON.parse(readFileSync(`serverless/policies/${name}.json`, 'utf8')) as { Statement: Statement[] };
const policies = {
  deployer: readPolicy('deployer'),
  // Attached beside it where integrations have many secrets of their own: serverless/policies.cjs.
  'deployer-many-secrets': readPolicy('deployer-many-secrets'),
  operator: readPolicy('operator'),
};
const deploying = { Statement: [...policies.deployer.Statement, ...policies['deployer-many-secrets'].Statement] };
const template = await readTemplate(inject('packagedDir'));

/** IAM user guide, "IAM JSON policy elements: Resource": `*` stands for any characters. */
const matches = (pattern: string, arn: string): boolean =>
  new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\?]/g, '\\$&').replace(/\*/g, '.*')}$`).test(arn);

const allows = ({ Statement }: { Statement: Statement[] }, action: string, arn: string): boolean =>
  Statement.some(
    ({ Action, Resource }) => Action.includes(action) && listOf(Resource).some((pattern) => matches(pattern, arn)),
  );

const place = (service: string, rest: string) => `arn:aws:${service}:ap-southeast-1:123456789012:${rest}`;
const role = 'arn:aws:iam::123456789012:role/okki-sync-prod-FetchRole-1A2B3C';

/**
 * What CloudFormation does with the deployer's rights to create, read, change and remove a resource of each type
 * (CloudFormation registry, the `handlers` of each type's schema), and a resource as this stack names it.
 */
const handled: Record<string, { arn: string; actions: string[] }> = {
  'AWS::CloudWatch::Alarm': {
    arn: place('cloudwatch', 'alarm:okki-sync-prod-FetchErrorsAlarm-1A2B3C'),
    actions: ['cloudwatch:PutMetricAlarm', 'cloudwatch:DescribeAlarms', 'cloudwatch:DeleteAlarms'],
  },
  'AWS::CloudWatch::Dashboard': {
    arn: 'arn:aws:cloudwatch::123456789012:dashboard/okki-sync-prod',
    actions: ['cloudwatch:PutDashboard', 'cloudwatch:GetDashboard', 'cloudwatch:DeleteDashboards'],
  },
  'AWS::DynamoDB::Table': {
    arn: place('dynamodb', 'table/okki-sync-prod-idcheck'),
    actions: ['CreateTable', 'DescribeTable', 'UpdateTable', 'DeleteTable', 'UpdateTimeToLive', 'DescribeTimeToLive']
      .concat('UpdateContinuousBackups', 'DescribeContinuousBackups', 'TagResource', 'ListTagsOfResource')
      .map((name) => `dynamodb:${name}`),
  },
  'AWS::IAM::Role': {
    arn: role,
    actions: ['CreateRole', 'GetRole', 'DeleteRole', 'PutRolePolicy', 'GetRolePolicy', 'DeleteRolePolicy']
      .concat('UpdateAssumeRolePolicy', 'ListRolePolicies', 'ListAttachedRolePolicies', 'TagRole', 'UntagRole')
      .map((name) => `iam:${name}`),
  },
  'AWS::IAM::ManagedPolicy': {
    arn: 'arn:aws:iam::123456789012:policy/okki-sync-prod-FetchSecretsPolicy2-1A2B3C',
    actions: [
      'CreatePolicy',
      'GetPolicy',
      'DeletePolicy',
      'CreatePolicyVersion',
      'GetPolicyVersion',
      'ListPolicyVersions',
    ]
      .concat('DeletePolicyVersion', 'ListEntitiesForPolicy', 'TagPolicy', 'UntagPolicy')
      .map((name) => `iam:${name}`),
  },
  'AWS::IAM::RolePolicy': { arn: role, actions: ['iam:PutRolePolicy', 'iam:GetRolePolicy', 'iam:DeleteRolePolicy'] },
  'AWS::Lambda::EventInvokeConfig': {
    arn: place('lambda', 'function:okki-sync-prod-fetch'),
    actions: ['Put', 'Get', 'Update', 'Delete'].map((verb) => `lambda:${verb}FunctionEventInvokeConfig`),
  },
  'AWS::Lambda::EventSourceMapping': {
    arn: place('lambda', 'event-source-mapping:0e1d2c3b'),
    actions: ['Create', 'Get', 'Update', 'Delete'].map((verb) => `lambda:${verb}EventSourceMapping`),
  },
  'AWS::Lambda::Function': {
    arn: place('lambda', 'function:okki-sync-prod-fetch'),
    actions: ['CreateFunction', 'GetFunction', 'GetFunctionCodeSigningConfig', 'GetRuntimeManagementConfig']
      .concat('PutFunctionRecursionConfig', 'GetFunctionRecursionConfig', 'UpdateFunctionConfiguration')
      .concat('UpdateFunctionCode', 'DeleteFunction', 'TagResource', 'UntagResource', 'ListTags')
      .map((name) => `lambda:${name}`),
  },
  'AWS::Logs::LogGroup': {
    arn: place('logs', 'log-group:/aws/lambda/okki-sync-prod-fetch'),
    actions: ['CreateLogGroup', 'PutRetentionPolicy', 'DeleteRetentionPolicy', 'DeleteLogGroup', 'TagResource']
      .concat('UntagResource', 'ListTagsForResource')
      .map((name) => `logs:${name}`),
  },
  'AWS::S3::Bucket': {
    arn: 'arn:aws:s3:::okki-sync-prod-serverlessdeploymentbucket-1a2b3c4d5e6f',
    actions: ['CreateBucket', 'DeleteBucket', 'ListBucket', 'PutEncryptionConfiguration', 'GetEncryptionConfiguration']
      .concat('PutBucketPublicAccessBlock', 'GetBucketPublicAccessBlock', 'PutBucketTagging', 'GetBucketTagging')
      .map((name) => `s3:${name}`),
  },
  'AWS::S3::BucketPolicy': {
    arn: 'arn:aws:s3:::okki-sync-prod-serverlessdeploymentbucket-1a2b3c4d5e6f',
    actions: ['s3:PutBucketPolicy', 's3:GetBucketPolicy', 's3:DeleteBucketPolicy'],
  },
  'AWS::SNS::Topic': {
    arn: place('sns', 'okki-sync-prod-alarms'),
    actions: ['CreateTopic', 'GetTopicAttributes', 'SetTopicAttributes', 'DeleteTopic', 'ListSubscriptionsByTopic']
      .concat('TagResource', 'UntagResource', 'ListTagsForResource', 'GetDataProtectionPolicy')
      .map((name) => `sns:${name}`),
  },
  'AWS::SNS::TopicPolicy': { arn: place('sns', 'okki-sync-prod-alarms'), actions: ['sns:SetTopicAttributes'] },
  'AWS::SQS::Queue': {
    arn: place('sqs', 'okki-sync-prod-records'),
    actions: ['CreateQueue', 'GetQueueUrl', 'GetQueueAttributes', 'SetQueueAttributes', 'DeleteQueue', 'TagQueue']
      .concat('UntagQueue', 'ListQueueTags')
      .map((name) => `sqs:${name}`),
  },
  'AWS::SQS::QueuePolicy': { arn: place('sqs', 'okki-sync-prod-records'), actions: ['sqs:SetQueueAttributes'] },
  'AWS::Scheduler::Schedule': {
    arn: place('scheduler', 'schedule/okki-sync-prod/ReconcileSchedule-1A2B3C'),
    actions: ['Create', 'Get', 'Update', 'Delete'].map((verb) => `scheduler:${verb}Schedule`),
  },
  'AWS::Scheduler::ScheduleGroup': {
    arn: place('scheduler', 'schedule-group/okki-sync-prod'),
    actions: [
      'CreateScheduleGroup',
      'GetScheduleGroup',
      'DeleteScheduleGroup',
      'TagResource',
      'ListTagsForResource',
    ].map((name) => `scheduler:${name}`),
  },
};

const types = [...new Set(Object.values(template.Resources).map(({ Type }) => Type))].sort();

describe('the deployer', () => {
  test.each([...types, 'AWS::IAM::RolePolicy', 'AWS::IAM::ManagedPolicy'])(
    'may create, read, change and remove %s of this stack, and of no other',
    (type) => {
      const { arn, actions } = handled[type] ?? { arn: '', actions: [`no row for ${type}`] };
      expect(actions.filter((action) => !allows(deploying, action, arn))).toEqual([]);
      const others = arn.replace('okki-sync', 'somebody-elses');
      if (others !== arn) expect(actions.filter((action) => allows(deploying, action, others))).toEqual([]);
    },
  );

  // node_modules/serverless/lib/plugins/aws: the commands of deploy, deploy list, rollback, info and remove.
  test.each(
    ['CreateStack', 'UpdateStack', 'DeleteStack', 'DescribeStacks', 'DescribeStackEvents', 'DescribeStackResource']
      .concat('DescribeStackResources', 'ListStackResources', 'GetTemplate', 'CreateChangeSet', 'DescribeChangeSet')
      .concat('ExecuteChangeSet', 'DeleteChangeSet')
      .map((name) => ({ action: `cloudformation:${name}`, arn: place('cloudformation', 'stack/okki-sync-prod/0a1b') })),
  )('may call $action, as the packager does', ({ action, arn }) => {
    expect(allows(policies.deployer, action, arn)).toBe(true);
  });

  test('may hand roles to Lambda and to the scheduler, and to nobody else', () => {
    const passing = policies.deployer.Statement.filter(({ Action }) => Action.includes('iam:PassRole'));
    expect(passing).toMatchObject([
      {
        Resource: ['arn:aws:iam::*:role/okki-sync-*'],
        Condition: { StringEquals: { 'iam:PassedToService': ['lambda.amazonaws.com', 'scheduler.amazonaws.com'] } },
      },
    ]);
  });

  test('may attach to the roles the policies of this stack, and no other', () => {
    const attaching = deploying.Statement.filter(({ Action }) => Action.includes('iam:AttachRolePolicy'));
    expect(attaching).toMatchObject([
      {
        Resource: ['arn:aws:iam::*:role/okki-sync-*'],
        Condition: { ArnLike: { 'iam:PolicyARN': 'arn:aws:iam::*:policy/okki-sync-*' } },
      },
    ]);
  });

  test('may do on everything only what AWS cannot bind to a name, or what a condition binds', () => {
    const onAll = policies.deployer.Statement.filter(({ Resource }) => Resource === '*').map(({ Sid }) => Sid);
    expect(onAll).toEqual(['KnowThePlace', 'MapQueues', 'LookAtTheVpcOfFunctions', 'EncryptTables', 'FindLogGroups']);
  });
});

/** The AWS commands that the program sends, as IAM's actions. Deletion is for the embedded stack, secrets for its runs. */
const sent = globSync('{lib/aws,cli}/**/*.ts', {
  exclude: ['lib/aws/dynamodb/forget.ts', 'lib/aws/secrets/*'],
}).flatMap((file) => {
  const text = readFileSync(file, 'utf8');
  const service = /@aws-sdk\/client-(\w+)/.exec(text)?.[1] ?? '';
  return [...text.matchAll(/new (\w+)Command\(/g)].map(([, name = '']) => permissionName(`${service}:${name}`));
});

describe('the operator', () => {
  test('may call each AWS action that the command line sends, and no other', () => {
    const granted = policies.operator.Statement.flatMap(({ Action }) => Action);
    expect([...new Set(granted)].sort()).toEqual([...new Set(sent)].sort());
  });

  test('may do nothing on everything', () => {
    expect(policies.operator.Statement.filter(({ Resource }) => listOf(Resource).includes('*'))).toEqual([]);
  });
});

describe.each(Object.entries(policies))('the policy of the %s', (name, policy) => {
  test('names each action in full', () => {
    for (const { Action } of policy.Statement) {
      for (const action of Action) expect(action).toMatch(/^[a-z0-9]+:[A-Z][A-Za-z]+$/);
    }
  });

  // IAM user guide, "IAM and AWS STS quotas": 6,144 characters, white space not counted.
  test('is as long as a managed policy may be', () => {
    const text = readFileSync(`serverless/policies/${name}.json`, 'utf8').replace(/\s/g, '');
    expect(text.length).toBeLessThanOrEqual(6_144);
  });
});
