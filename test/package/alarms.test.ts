import { describe, expect, inject, test } from 'vitest';
import { readTemplate, resourcesOf } from './template.ts';

const template = await readTemplate(inject('packagedDir'));
const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm');

/** Metric and the logical id that its dimension names, e.g. `Errors FetchLambdaFunction`. */
const subjects = alarms.map(({ properties: { MetricName, Dimensions } }) => {
  const value = Dimensions[0]?.Value;
  return `${MetricName} ${value === undefined ? '' : 'Ref' in value ? value.Ref : value['Fn::GetAtt'][0]}`;
});

test.each([
  // SQS developer guide, "Available CloudWatch metrics for Amazon SQS".
  'ApproximateNumberOfMessagesVisible DeadLetterQueue',
  'ApproximateAgeOfOldestMessage RecordsQueue',
  // Lambda developer guide, "Types of metrics for Lambda functions".
  ...resourcesOf(template, 'AWS::Lambda::Function').flatMap(({ id }) => [`Errors ${id}`, `Throttles ${id}`]),
])('%s has an alarm', (subject) => {
  expect(subjects).toContain(subject);
});

test('one dead letter is enough for an alarm', () => {
  const alarm = alarms.find(({ id }) => id === 'DeadLettersAlarm');
  expect(alarm?.properties).toMatchObject({ Threshold: 0, ComparisonOperator: 'GreaterThanThreshold' });
});

describe.each(alarms)('$id', ({ properties }) => {
  const { Namespace, Dimensions, AlarmActions, TreatMissingData } = properties;

  test('watches a metric of a resource in this stack', () => {
    const [dimension, ...more] = Dimensions;
    expect(more).toEqual([]);
    const value = dimension?.Value ?? { Ref: '' };
    const type = template.Resources['Ref' in value ? value.Ref : value['Fn::GetAtt'][0]]?.Type;
    expect([Namespace, dimension?.Name, type]).toEqual(
      Namespace === 'AWS/SQS'
        ? ['AWS/SQS', 'QueueName', 'AWS::SQS::Queue']
        : ['AWS/Lambda', 'FunctionName', 'AWS::Lambda::Function'],
    );
  });

  test('tells the topic', () => {
    expect(AlarmActions.map(({ Ref }) => template.Resources[Ref]?.Type)).toEqual(['AWS::SNS::Topic']);
  });

  // CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data".
  test('is silent while nothing happens', () => {
    expect(TreatMissingData).toBe('notBreaching');
  });
});

test('CloudWatch may publish to the topic, and nobody without TLS (SNS developer guide, "Security best practices")', () => {
  const [policy] = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::SNS::TopicPolicy');
  expect(policy).toMatchObject({
    Properties: {
      Topics: [{ Ref: 'AlarmTopic' }],
      PolicyDocument: {
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'cloudwatch.amazonaws.com' }, Action: 'sns:Publish' },
          { Effect: 'Deny', Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
        ],
      },
    },
  });
});
