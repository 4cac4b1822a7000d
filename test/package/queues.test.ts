import { describe, expect, inject, test } from 'vitest';
import { MAX_BATCH_BYTES } from '../../lib/aws/sqs-queue.ts';
import { listOf, readTemplate, resource, resourcesOf } from './template.ts';

const template = await readTemplate(inject('packagedDir'));
const queues = resourcesOf(template, 'AWS::SQS::Queue');
const mappings = resourcesOf(template, 'AWS::Lambda::EventSourceMapping');

const daySec = 24 * 60 * 60;

describe.each(queues)('$id', ({ id, properties }) => {
  // SQS API reference, CreateQueue: a region that takes less refuses the deployment, not later a message.
  test('says how large a message may be: as large as the code takes it to be', () => {
    expect(properties.MaximumMessageSize).toBe(MAX_BATCH_BYTES);
  });

  test('is encrypted at rest (SQS developer guide, "Encryption at rest")', () => {
    expect(properties.SqsManagedSseEnabled).toBe(true);
  });

  test('refuses requests without TLS (SQS developer guide, "Enforce encryption of data in transit")', () => {
    const policies = resourcesOf(template, 'AWS::SQS::QueuePolicy').filter(({ properties: { Queues } }) =>
      Queues.some(({ Ref }) => Ref === id),
    );
    expect(policies.flatMap((policy) => policy.properties.PolicyDocument.Statement)).toContainEqual(
      expect.objectContaining({
        Effect: 'Deny',
        Principal: '*',
        Action: 'sqs:*',
        Resource: { 'Fn::GetAtt': [id, 'Arn'] },
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    );
  });

  test('lets nobody in by its own policy: who may call it is said by the roles', () => {
    const statements = resourcesOf(template, 'AWS::SQS::QueuePolicy')
      .filter(({ properties: { Queues } }) => Queues.some(({ Ref }) => Ref === id))
      .flatMap((policy) => policy.properties.PolicyDocument.Statement);
    expect(statements.filter(({ Effect }) => Effect !== 'Deny')).toEqual([]);
  });
});

describe.each(mappings)('$id', ({ properties: mapping }) => {
  const queue = resource(template, 'AWS::SQS::Queue', mapping.EventSourceArn['Fn::GetAtt'][0]);
  const worker = resource(template, 'AWS::Lambda::Function', mapping.FunctionName['Fn::GetAtt'][0]);
  const windowSec = mapping.MaximumBatchingWindowInSeconds ?? 0;

  // Lambda developer guide, "Configuring a queue to use with Lambda".
  test('hides messages for at least 6 time-outs of the function and the batching window', () => {
    expect(queue.VisibilityTimeout).toBeGreaterThanOrEqual(6 * worker.Timeout + windowSec);
  });

  test('keeps messages for longer than it hides them, so that a crash is followed by another delivery', () => {
    expect(queue.MessageRetentionPeriod).toBeGreaterThan(queue.VisibilityTimeout);
  });

  test('takes partial batch answers (Lambda developer guide, "Implementing partial batch responses")', () => {
    expect(mapping.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
  });

  test('bounds concurrency by 2 or more (Lambda developer guide, "Configuring maximum concurrency")', () => {
    expect(mapping.ScalingConfig?.MaximumConcurrency).toBeGreaterThanOrEqual(2);
  });

  test('waits for at least a second where a batch holds more than 10 (Lambda API, MaximumBatchingWindowInSeconds)', () => {
    expect(mapping.BatchSize <= 10 || windowSec >= 1).toBe(true);
  });
});

describe('dead letters', () => {
  const records = resource(template, 'AWS::SQS::Queue', 'RecordsQueue');
  const deadLetters = resource(template, 'AWS::SQS::Queue', 'DeadLetterQueue');

  test('are kept for 14 days, the longest that SQS allows', () => {
    expect(deadLetters.MessageRetentionPeriod).toBe(14 * daySec);
  });

  // SQS developer guide, "Dead-letter queues": the enqueue time of a message is kept when it is moved.
  test('outlive the queue that they come from', () => {
    expect(deadLetters.MessageRetentionPeriod).toBeGreaterThan(records.MessageRetentionPeriod);
  });

  // Lambda developer guide, "Configuring a queue to use with Lambda": 5 at least. A receive that is throttled counts.
  test('come from records after 10 receives or more', () => {
    expect(records.RedrivePolicy?.deadLetterTargetArn).toEqual({ 'Fn::GetAtt': ['DeadLetterQueue', 'Arn'] });
    expect(records.RedrivePolicy?.maxReceiveCount).toBeGreaterThanOrEqual(10);
  });

  test('come from no other queue (SQS developer guide, "Redrive allow policy")', () => {
    expect(deadLetters.RedriveAllowPolicy?.redrivePermission).toBe('byQueue');
    expect(deadLetters.RedriveAllowPolicy?.sourceQueueArns).toEqual([
      { 'Fn::Sub': expect.stringMatching(new RegExp(`:${records.QueueName}$`)) },
    ]);
    const sources = queues.filter(({ properties }) => properties.RedrivePolicy !== undefined);
    expect(sources.map(({ id }) => id)).toEqual(['RecordsQueue']);
  });
});

test('word on long readings waits for a day behind those of others, and several go on at once', () => {
  const runs = resource(template, 'AWS::SQS::Queue', 'RunsQueue');
  expect(runs.MessageRetentionPeriod).toBeGreaterThanOrEqual(daySec);
  const mapping = mappings.find(({ properties }) => properties.EventSourceArn['Fn::GetAtt'][0] === 'RunsQueue');
  expect(mapping?.properties.ScalingConfig?.MaximumConcurrency).toBeGreaterThanOrEqual(5);
});

// Lambda developer guide, "Use Lambda recursive loop detection to prevent infinite loops": on unless switched off.
test.each(mappings)('$id may be fed by its own function for as long as it takes', ({ properties }) => {
  const [functionId] = properties.FunctionName['Fn::GetAtt'];
  const worker = resource(template, 'AWS::Lambda::Function', functionId);
  const sends = resource(template, 'AWS::IAM::Role', worker.Role['Fn::GetAtt'][0])
    .Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .filter(({ Action }) => listOf(Action).includes('sqs:SendMessage'))
    .flatMap(({ Resource }) => listOf(Resource));
  const isItsOwn = sends.some((target) => JSON.stringify(target) === JSON.stringify(properties.EventSourceArn));
  expect([functionId, worker.RecursiveLoop]).toEqual([functionId, isItsOwn ? 'Allow' : undefined]);
});

test('every queue that feeds a function does so once', () => {
  const fed = mappings.map(({ properties }) => properties.EventSourceArn['Fn::GetAtt'][0]);
  expect(fed.sort()).toEqual(['RecordsQueue', 'RunsQueue']);
});
