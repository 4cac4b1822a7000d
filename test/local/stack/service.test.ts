// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the framework’s variables are written like this.
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { describeService } from '../../../local/stack/service.ts';
import { parseServiceFile, readServiceFile } from '../../../local/stack/service-file.ts';

const describeText = (text: string, extraEnvironment: Record<string, string> = {}) =>
  describeService(parseServiceFile(text), {
    serviceDir: '/service',
    stage: 'local',
    queueUrl: (name) => `http://queues/${name}`,
    extraEnvironment,
  });

const QUEUE = `
resources:
  Resources:
    Queue: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: 60 } }
    Topic: { Type: AWS::SNS::Topic }
`;
const functionWith = (body: string) =>
  `service: svc\nfunctions:\n  work:\n    handler: functions/work.handler\n${body}${QUEUE}`;
const mappingWith = (keys: string) =>
  functionWith(`    events:\n      - schedule: rate(1 hour)\n      - sqs: { arn: !GetAtt Queue.Arn, ${keys} }\n`);

describe('a function', () => {
  test('has the framework’s defaults where the file says nothing', () => {
    expect(describeText(functionWith('')).functions).toEqual([
      {
        name: 'work',
        deployedName: 'svc-local-work',
        handlerFile: '/service/functions/work.ts',
        handlerExport: 'handler',
        timeoutMs: 6000,
        memoryMb: 1024,
        reservedConcurrency: undefined,
        recursiveLoop: 'Terminate',
        role: undefined,
        environment: {},
      },
    ]);
  });

  test('has the provider’s settings unless it has its own', () => {
    const provider = 'provider: { timeout: 20, memorySize: 300, environment: { A: p, B: p } }\n';
    const [spec] = describeText(provider + functionWith('    timeout: 30\n    environment: { B: 0 }\n')).functions;
    expect(spec).toMatchObject({ timeoutMs: 30_000, memoryMb: 300, environment: { A: 'p', B: '0' } });
  });

  test('gets queue URLs, names and ARNs through Ref, GetAtt and Sub', () => {
    const environment =
      '    environment: { URL: !Ref Queue, NAME: !GetAtt Queue.QueueName, ARN: !Sub "${Queue.Arn}" }\n';
    expect(describeText(functionWith(environment)).functions[0]?.environment).toEqual({
      URL: 'http://queues/svc-local-Queue',
      NAME: 'svc-local-Queue',
      ARN: 'arn:aws:sqs:us-east-1:000000000000:svc-local-Queue',
    });
  });

  test('needs no resolvable value where one is given from outside', () => {
    const body = '    environment: { SECRET: "${ssm:/secret}" }\n';
    expect(() => describeText(functionWith(body))).toThrow('functions.work.environment.SECRET');
    const [spec] = describeText(functionWith(body), { SECRET: 'given' }).functions;
    expect(spec?.environment).toEqual({ SECRET: 'given' });
  });
});

describe('an event source mapping', () => {
  test('has AWS’s defaults where the file says nothing', () => {
    expect(describeText(mappingWith('')).mappings).toEqual([
      {
        functionName: 'work',
        deployedName: 'svc-local-work',
        queueName: 'svc-local-Queue',
        queueArn: 'arn:aws:sqs:us-east-1:000000000000:svc-local-Queue',
        batchSize: 10,
        windowMs: 0,
        maximumConcurrency: undefined,
        reportBatchItemFailures: false,
        recursiveLoop: 'Terminate',
      },
    ]);
  });

  test('may be an ARN only, and one that is not enabled does not exist', () => {
    const arn = functionWith('    events: [{ sqs: !GetAtt Queue.Arn }]\n');
    expect(describeText(arn).mappings).toHaveLength(1);
    expect(describeText(mappingWith('enabled: false')).mappings).toEqual([]);
  });

  test.each([
    ['batchSize: 11', 'functions.work.events.1.sqs.batchSize: above 10 needs a maximumBatchingWindow'],
    ['batchSize: 0', 'functions.work.events.1.sqs.batchSize: '],
    ['maximumConcurrency: 1', 'functions.work.events.1.sqs.maximumConcurrency: '],
    ['filterPatterns: []', 'functions.work.events.1.sqs: '],
    ['functionResponseType: Other', 'functions.work.events.1.sqs.functionResponseType: '],
  ])('%s is refused with its path', (keys, message) => {
    expect(() => describeText(mappingWith(keys))).toThrow(`serverless.yml: ${message}`);
  });

  test('of a queue whose visibility timeout is shorter than the function’s timeout is refused, as on AWS', () => {
    const text = functionWith('    timeout: 61\n    events: [{ sqs: !GetAtt Queue.Arn }]\n');
    expect(() => describeText(text)).toThrow("VisibilityTimeout (60 s) is shorter than the function's timeout (61 s)");
  });

  test.each(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'])(
    'is refused where the function’s role does not allow %s on the queue, as on AWS',
    (action) => {
      const withActions = (actions: readonly string[]) =>
        describeText(
          `${functionWith('    role: Worker\n    events: [{ sqs: !GetAtt Queue.Arn }]\n')}    Worker:
      Type: AWS::IAM::Role
      Properties:
        Policies:
          - PolicyDocument: { Statement: [{ Action: [${actions.join(', ')}], Resource: !GetAtt Queue.Arn }] }
`,
        );
      const polling = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
      expect(withActions(polling).mappings).toHaveLength(1);
      expect(() => withActions(polling.filter((other) => other !== action))).toThrow(
        `the role Worker does not allow ${action} on arn:aws:sqs:us-east-1:000000000000:svc-local-Queue`,
      );
    },
  );

  test('of a queue that is not of this service is refused', () => {
    const text = functionWith('    events: [{ sqs: "arn:aws:sqs:eu-west-1:1:other" }]\n');
    expect(() => describeText(text)).toThrow('arn:aws:sqs:eu-west-1:1:other is not a queue of this service');
  });
});

test.each([
  ['service: [', '(file)'],
  ['- a list', '(file): is not a mapping'],
  ['functions: {}', 'service: '],
  ['service: x\nfunctions: { f: 1 }', 'functions.f: is not a mapping'],
  ['service: x\nfunctions: { f: { handler: a.b, timeout: soon } }', 'functions.f.timeout: '],
  [
    'service: x\nresources: { Resources: { T: { Type: AWS::DynamoDB::Table, Properties: { KeySchema: [] } } } }',
    'resources.Resources.T.Properties.AttributeDefinitions: ',
  ],
  [
    'service: x\nresources: { Resources: { Q: { Type: AWS::SQS::Queue, Properties: { QueueName: "${ssm:/n}" } } } }',
    'resources.Resources.Q.Properties.QueueName: ${ssm:/n} has no value',
  ],
])('a faulty file is refused with the place: %j', (text, message) => {
  expect(() => describeText(text)).toThrow(`serverless.yml: ${message}`);
});

test('queue attributes are given as SQS takes them: texts, and structures as JSON', () => {
  const { queues } = describeText(`
service: x
resources:
  - Resources:
      Work:
        Type: AWS::SQS::Queue
        Properties:
          QueueName: work
          VisibilityTimeout: 90
          SqsManagedSseEnabled: true
          RedrivePolicy: { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5 }
  - Resources:
      Dead: { Type: AWS::SQS::Queue }
`);
  expect(queues).toMatchObject([
    {
      name: 'work',
      attributes: {
        VisibilityTimeout: '90',
        RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:x-local-Dead","maxReceiveCount":5}',
      },
    },
    // What no file says is what the region gives: here as little as anywhere.
    { name: 'x-local-Dead', attributes: { MaximumMessageSize: '262144' } },
  ]);
  expect(queues[0]?.attributes).not.toHaveProperty('SqsManagedSseEnabled');
});

test('the project’s own serverless.yml is understood: its functions, mappings, queues and tables', () => {
  const serviceDir = fileURLToPath(new URL('../../../', import.meta.url));
  const service = describeService(readServiceFile(serviceDir), {
    serviceDir,
    stage: 'local',
    queueUrl: (name) => `http://queues/${name}`,
    extraEnvironment: {},
  });
  expect(service.functions.map(({ name }) => name)).toEqual(['fetch', 'load', 'replay', 'reconcile']);
  expect(service.queues.map(({ logicalId }) => logicalId)).toEqual(['RecordsQueue', 'DeadLetterQueue', 'RunsQueue']);
  expect(service.tables.map(({ logicalId }) => logicalId)).toEqual(['IdCheckTable', 'RunsTable', 'ConnectionsTable']);
  expect(service.mappings).toMatchObject([
    { functionName: 'fetch', batchSize: 1, reportBatchItemFailures: true },
    { functionName: 'load', reportBatchItemFailures: true },
  ]);
});
