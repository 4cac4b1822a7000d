import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { METRIC_NAMESPACE, type MetricName, metricTable } from '../../lib/aws/telemetry/metrics.ts';
import { type MetricAddress, readTemplate, resource, resourcesOf } from './template.ts';

const template = await readTemplate(inject('packagedDir'));
const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm');
const functions = resourcesOf(template, 'AWS::Lambda::Function');
const integrations = (await readdir('integrations'))
  .filter((file) => file.endsWith('.json'))
  .map((file) => path.basename(file, '.json'));

type Alarm = (typeof alarms)[number];

/** The metrics that an alarm looks at: its one, or those of its expression. */
const metricsOf = ({ properties: { Namespace, MetricName, Dimensions, Metrics } }: Alarm): MetricAddress[] => {
  if (Metrics !== undefined) return Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []);
  return Namespace === undefined || MetricName === undefined || Dimensions === undefined
    ? []
    : [{ Namespace, MetricName, Dimensions }];
};

/** Metric and what its last dimension names: a logical id, or a name as it is. */
const subjectOf = ({ MetricName, Dimensions }: MetricAddress): string => {
  const value = Dimensions.at(-1)?.Value ?? '';
  const named = typeof value === 'string' ? value : 'Ref' in value ? value.Ref : value['Fn::GetAtt'][0];
  return `${MetricName} ${named}`;
};

const subjects = alarms.flatMap(metricsOf).map(subjectOf);

test.each([
  // SQS developer guide, "Available CloudWatch metrics for Amazon SQS".
  'ApproximateNumberOfMessagesVisible DeadLetterQueue',
  'ApproximateAgeOfOldestMessage RecordsQueue',
  // Lambda developer guide, "Types of metrics for Lambda functions".
  ...functions.flatMap(({ id }) => [`Errors ${id}`, `Throttles ${id}`, `Duration ${id}`]),
  ...integrations.flatMap((name) => [`RunsNotBalanced ${name}`, `RunOverdue ${name}`, `RunMissing ${name}`]),
  'NotificationsFailed okki-sync-dev',
])('%s has an alarm', (subject) => {
  expect(subjects).toContain(subject);
});

test('one dead letter is enough for an alarm', () => {
  const alarm = alarms.find(({ id }) => id === 'DeadLettersAlarm');
  expect(alarm?.properties).toMatchObject({ Threshold: 0, ComparisonOperator: 'GreaterThanThreshold' });
});

test.each(functions)('$id has used up 95 % of its time budget before its alarm', ({ id, properties: { Timeout } }) => {
  const alarm = alarms.find((candidate) => metricsOf(candidate).map(subjectOf).includes(`Duration ${id}`));
  expect(alarm?.properties.Threshold).toBe(Timeout * 950);
});

describe.each(alarms)('$id', (alarm) => {
  const { AlarmActions, TreatMissingData } = alarm.properties;
  const metrics = metricsOf(alarm);

  test('looks at something', () => {
    expect(metrics).not.toEqual([]);
  });

  test.each(metrics.filter(({ Namespace }) => Namespace !== METRIC_NAMESPACE))(
    'watches $MetricName of a resource in this stack',
    ({ Namespace, Dimensions }) => {
      const [dimension, ...more] = Dimensions;
      expect(more).toEqual([]);
      const value = dimension?.Value ?? '';
      const id = typeof value === 'string' ? value : 'Ref' in value ? value.Ref : value['Fn::GetAtt'][0];
      expect([Namespace, dimension?.Name, template.Resources[id]?.Type]).toEqual(
        Namespace === 'AWS/SQS'
          ? ['AWS/SQS', 'QueueName', 'AWS::SQS::Queue']
          : ['AWS/Lambda', 'FunctionName', 'AWS::Lambda::Function'],
      );
    },
  );

  test.each(metrics.filter(({ Namespace }) => Namespace === METRIC_NAMESPACE))(
    'names $MetricName as the code emits it',
    ({ MetricName, Dimensions }) => {
      const values = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]));
      expect(Object.keys(values)).toEqual(metricTable[MetricName as MetricName]?.dimensions);
      expect(values.service).toBe('okki-sync-dev');
      if (values.integration !== undefined) expect(integrations).toContain(values.integration);
    },
  );

  test('tells the topic', () => {
    expect(AlarmActions.map(({ Ref }) => template.Resources[Ref]?.Type)).toEqual(['AWS::SNS::Topic']);
  });

  // CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data". Reconciliation reports every 15
  // minutes whether runs are missing: its own silence is an alarm.
  test('is silent while nothing happens, unless something should', () => {
    const isHeartbeat = metrics.some(({ MetricName }) => MetricName === 'RunMissing');
    expect(TreatMissingData).toBe(isHeartbeat ? 'breaching' : 'notBreaching');
  });
});

test('an expression returns one series, and uses every metric that it fetches', () => {
  for (const { Metrics } of alarms.map(({ properties }) => properties)) {
    if (Metrics === undefined) continue;
    const returned = Metrics.filter(({ ReturnData }) => ReturnData);
    expect(returned).toHaveLength(1);
    for (const { Id, MetricStat } of Metrics) {
      if (MetricStat) expect(returned[0]?.Expression).toContain(`FILL(${Id}, 0)`);
    }
  }
});

test('functions report under the service that alarms and dashboard look for', () => {
  for (const { properties } of functions) {
    expect(properties.Environment.Variables.POWERTOOLS_SERVICE_NAME).toBe('okki-sync-dev');
  }
});

describe('the dashboard', () => {
  type Widget = { type: string; properties: { title?: string; region?: string; metrics?: unknown[][] } };
  const { DashboardName, DashboardBody } = resource(template, 'AWS::CloudWatch::Dashboard', 'Dashboard');
  const { widgets } = JSON.parse(DashboardBody['Fn::Sub']) as { widgets: Widget[] };
  const metrics = widgets.flatMap(({ properties }) => properties.metrics ?? []);
  const addresses = metrics.map((metric) => {
    const words = metric.filter((word) => typeof word === 'string');
    const [namespace = '', name = '', ...pairs] = words;
    const dimensions = new Map<string, string>();
    for (let at = 0; at < pairs.length; at += 2) dimensions.set(pairs[at] ?? '', pairs[at + 1] ?? '');
    return { namespace, name, dimensions };
  });

  test('is named after the stack and shows its own region', () => {
    expect(DashboardName).toBe('okki-sync-dev');
    const regions = widgets.flatMap(({ type, properties }) => (type === 'metric' ? [properties.region] : []));
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's placeholder.
    expect(new Set(regions)).toEqual(new Set(['${AWS::Region}']));
  });

  test('shows every metric that the code emits', () => {
    const shown = addresses.filter(({ namespace }) => namespace === METRIC_NAMESPACE).map(({ name }) => name);
    expect(new Set(shown)).toEqual(new Set(Object.keys(metricTable)));
  });

  test('names our metrics as the code emits them', () => {
    for (const { namespace, name, dimensions } of addresses) {
      if (namespace !== METRIC_NAMESPACE) continue;
      expect([...dimensions.keys()]).toEqual(metricTable[name as MetricName]?.dimensions);
    }
  });

  test('names queues, functions and tables as the template does', () => {
    const named = {
      QueueName: resourcesOf(template, 'AWS::SQS::Queue').map(({ properties }) => properties.QueueName),
      FunctionName: functions.map(({ properties }) => properties.FunctionName),
      TableName: resourcesOf(template, 'AWS::DynamoDB::Table').map(({ properties }) => properties.TableName as string),
    };
    const others = addresses.filter(({ namespace }) => namespace !== METRIC_NAMESPACE);
    expect(others.length).toBeGreaterThan(0);
    for (const { dimensions } of others) {
      for (const [name, value] of dimensions) expect(named[name as keyof typeof named]).toContain(value);
    }
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
