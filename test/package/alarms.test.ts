import { readFile } from 'node:fs/promises';
import { describe, expect, inject, test } from 'vitest';
import table from '../../lib/aws/telemetry/metrics.json' with { type: 'json' };
import { metricCollector } from '../../lib/aws/telemetry/metrics.ts';
import { longestGapMs } from '../../lib/runs/reconciling.ts';
import { type MetricAddress, readTemplate, resource, resourcesOf } from './template.ts';

const template = await readTemplate(inject('packagedDir'));
const runbooks = await Promise.all(['runbook.md', 'runbook.zh-CN.md'].map((file) => readFile(`docs/${file}`, 'utf8')));
const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm').map(({ id, properties }) => ({ id, ...properties }));
const functions = resourcesOf(template, 'AWS::Lambda::Function');

type Alarm = (typeof alarms)[number];
type OwnMetric = { name: string; dimensions: string[]; service: string | undefined; periodSec: number | undefined };

/** The metrics of AWS's that an alarm looks at: its one, or those of its expression. */
const metricsOf = ({ Namespace, MetricName, Dimensions, Metrics }: Alarm): MetricAddress[] => {
  if (Metrics !== undefined) return Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []);
  return Namespace === undefined || MetricName === undefined || Dimensions === undefined
    ? []
    : [{ Namespace, MetricName, Dimensions }];
};

const QUERY =
  /^SELECT (SUM|MAX)\((\w+)\) FROM SCHEMA\("([^"]+)", ([^)]+)\) WHERE service = '([^']+)'(?: AND integration != '[a-z0-9-]+')* GROUP BY integration ORDER BY \1\(\) DESC$/;

/** The metrics of our own that it looks at, in itself or by a Metrics Insights query. */
const ownMetricsOf = (alarm: Alarm): OwnMetric[] => [
  ...metricsOf(alarm)
    .filter(({ Namespace }) => Namespace === table.namespace)
    .map(({ MetricName, Dimensions }) => ({
      name: MetricName,
      dimensions: Dimensions.map(({ Name }) => Name),
      service: Dimensions.map(({ Value }) => Value).find((value) => typeof value === 'string'),
      periodSec: alarm.Period,
    })),
  ...(alarm.Metrics ?? []).flatMap(({ Expression = '', Period }) => {
    const [, , name, namespace, dimensions = '', service] = QUERY.exec(Expression) ?? [];
    return name !== undefined && namespace === table.namespace
      ? [{ name, dimensions: dimensions.split(', '), service, periodSec: Period }]
      : [];
  }),
];

const periodSecOf = ({ Period, Metrics = [] }: Alarm): number =>
  Period ?? Math.max(...Metrics.map((query) => query.Period ?? query.MetricStat?.Period ?? 0));

/** Metric and what its last dimension names: a logical id, or a name as it is. */
const subjectOf = ({ MetricName, Dimensions }: MetricAddress): string => {
  const value = Dimensions.at(-1)?.Value ?? '';
  const named = typeof value === 'string' ? value : 'Ref' in value ? value.Ref : value['Fn::GetAtt'][0];
  return `${MetricName} ${named}`;
};

const alarmOf = (id: string): Alarm => ({ id, ...resource(template, 'AWS::CloudWatch::Alarm', id) });

const subjects = alarms.flatMap((alarm) => metricsOf(alarm).map(subjectOf));
const startedByPlan = functions.filter(({ id }) => id !== 'ReplayLambdaFunction');

test.each([
  // SQS developer guide, "Available CloudWatch metrics for Amazon SQS".
  'ApproximateAgeOfOldestMessage DeadLetterQueue',
  'ApproximateAgeOfOldestMessage RecordsQueue',
  'NumberOfMessagesReceived RecordsQueue',
  // Lambda developer guide, "Types of metrics for Lambda functions". Who invokes replay by hand sees what it comes to.
  ...functions.map(({ id }) => `Errors ${id}`),
  ...startedByPlan.map(({ id }) => `Duration ${id}`),
  // Each throttled receive of a message brings it nearer to the dead letters.
  ...resourcesOf(template, 'AWS::Lambda::EventSourceMapping').map(
    ({ properties }) => `Throttles ${properties.FunctionName['Fn::GetAtt'][0]}`,
  ),
  'Invocations ReconcileLambdaFunction',
  'AsyncEventsReceived FetchLambdaFunction',
])('%s has an alarm', (subject) => {
  expect(subjects).toContain(subject);
});

test('every metric that the code sends is read by an alarm: it is paid for', () => {
  expect(new Set(alarms.flatMap(ownMetricsOf).map(({ name }) => name))).toEqual(new Set(Object.keys(table.metrics)));
});

test.each(startedByPlan)(
  '$id has used up 95 % of its time budget before its alarm',
  ({ id, properties: { Timeout } }) => {
    const alarm = alarms.find((candidate) => metricsOf(candidate).map(subjectOf).includes(`Duration ${id}`));
    expect(alarm?.Threshold).toBe(Timeout * 950);
  },
);

describe.each(alarms)('$id', (alarm) => {
  test('looks at something that there is: of AWS by a resource of this stack, of our own as the code sends it', () => {
    const owns = ownMetricsOf(alarm);
    const others = metricsOf(alarm).filter(({ Namespace }) => Namespace !== table.namespace);
    expect(owns.length + others.length).toBeGreaterThan(0);
    for (const { name, dimensions, service } of owns) {
      expect(table.metrics).toHaveProperty([name, 'dimensions'], dimensions);
      expect(service).toBe('okki-sync-dev');
    }
    for (const { Namespace, Dimensions } of others) {
      const [dimension, ...more] = Dimensions;
      expect(more).toEqual([]);
      const value = dimension?.Value ?? '';
      const id = typeof value === 'string' ? value : 'Ref' in value ? value.Ref : value['Fn::GetAtt'][0];
      expect([Namespace, dimension?.Name, template.Resources[id]?.Type]).toEqual(
        Namespace === 'AWS/SQS'
          ? ['AWS/SQS', 'QueueName', 'AWS::SQS::Queue']
          : ['AWS/Lambda', 'FunctionName', 'AWS::Lambda::Function'],
      );
    }
  });

  test('tells the topic, and says what to do, by a heading of the runbook', () => {
    expect(alarm.AlarmActions.map(({ Ref }) => template.Resources[Ref]?.Type)).toEqual(['AWS::SNS::Topic']);
    const [, heading = ''] = / Runbook: "([^"]+)"\.$/.exec(alarm.AlarmDescription) ?? [];
    const [english = '', chinese = ''] = runbooks;
    expect(english).toContain(`\n### ${heading}\n`);
    for (const text of [english, chinese])
      expect(text).toContain(
        `\`${alarm.id.replace(/^(Fetch|Load|Replay|Reconcile|Dispatch)(?=Errors|Throttles|TimeBudget)/, '…')}\``,
      );
  });

  test('names commands with their stage', () => {
    for (const [command] of alarm.AlarmDescription.matchAll(/`okki-sync [^`]+`/g))
      expect(command).toMatch(/ --stage dev`$/);
  });

  // CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data". Of what runs by plan silence is an alarm.
  test('is silent while nothing happens, unless something should', () => {
    const isHeartbeat = metricsOf(alarm).some(({ MetricName }) => /^(Invocations|AsyncEvents)/.test(MetricName));
    expect(alarm.TreatMissingData).toBe(isHeartbeat ? 'breaching' : 'notBreaching');
    expect(alarm.ComparisonOperator).toBe(isHeartbeat ? 'LessThanThreshold' : 'GreaterThanThreshold');
  });

  // CloudWatch user guide, "Alarm evaluation", "Limits": periods in all a week at most, a day where one is below an hour;
  // of a Metrics Insights query the last three hours.
  test('looks over periods that CloudWatch evaluates', () => {
    const wholeSec = periodSecOf(alarm) * alarm.EvaluationPeriods;
    const isQuery = alarm.Metrics?.some(({ Expression }) => Expression?.startsWith('SELECT')) ?? false;
    expect(periodSecOf(alarm) % 60).toBe(0);
    expect(wholeSec).toBeLessThanOrEqual(isQuery ? 3 * 3600 : 86_400);
    expect(alarm.DatapointsToAlarm).toBeLessThanOrEqual(alarm.EvaluationPeriods);
  });

  test('an expression returns one series, and uses every metric that it fetches', () => {
    const [returned, ...more] = (alarm.Metrics ?? []).filter(({ ReturnData }) => ReturnData);
    expect(more).toEqual([]);
    for (const { Id, MetricStat } of alarm.Metrics ?? []) {
      // Without FILL a metric without data in the period would make the whole expression empty.
      if (MetricStat) expect(returned?.Expression).toContain(`FILL(${Id}, 0)`);
    }
  });
});

describe('no alarm flaps', () => {
  const plan = resource(template, 'AWS::Scheduler::Schedule', 'ReconcileSchedule').ScheduleExpression;
  const reportSec = longestGapMs(plan) / 1000;

  test.each(['RunNotBalancedAlarm', 'RunOverdueAlarm', 'RunMissingAlarm'])(
    '%s: one report that is late or lost ends nothing, and begins nothing',
    (id) => {
      const { EvaluationPeriods, DatapointsToAlarm } = alarmOf(id);
      // Each period holds a report, a scheduler's minute late; one lost report leaves another period with one.
      expect(periodSecOf(alarmOf(id))).toBeGreaterThanOrEqual(reportSec + 60);
      expect(periodSecOf(alarmOf(id)) * EvaluationPeriods).toBeGreaterThanOrEqual(3 * reportSec);
      expect(DatapointsToAlarm).toBe(1);
    },
  );

  test('the silence of reconciliation is one when three reports at least are missing', () => {
    const alarm = alarmOf('ReconcileSilentAlarm');
    expect(periodSecOf(alarm) * alarm.DatapointsToAlarm).toBeGreaterThanOrEqual(3 * reportSec);
    expect(alarm.DatapointsToAlarm).toBe(alarm.EvaluationPeriods);
  });

  test('the tick of ledgers: one that is early or late empties a period, and fills another twice', () => {
    const { ScheduleExpression } = resource(template, 'AWS::Scheduler::Schedule', 'DispatchSchedule');
    const { Period, EvaluationPeriods, DatapointsToAlarm } = alarmOf('DispatchSilentAlarm');
    expect(Period).toBe(longestGapMs(ScheduleExpression) / 1000);
    expect(DatapointsToAlarm).toBeGreaterThan(EvaluationPeriods / 2);
    // Runs of hourly schedules, in one period or another, do not hide that it has stopped.
    expect(EvaluationPeriods - DatapointsToAlarm).toBeGreaterThanOrEqual(2);
  });

  test.each(functions.map(({ id }) => id.replace('LambdaFunction', 'ErrorsAlarm')))(
    '%s: an error now and then within an hour is one alarm',
    (id) => {
      const alarm = alarmOf(id);
      expect(periodSecOf(alarm) * alarm.EvaluationPeriods).toBe(3600);
      expect(alarm.DatapointsToAlarm).toBe(1);
    },
  );
});

describe('letters', () => {
  const retentionSec = (id: string) => resource(template, 'AWS::SQS::Queue', id).MessageRetentionPeriod;

  test('new ones alarm although old ones wait: what is written counts, one is enough, and nobody says that all is well', () => {
    const alarm = alarmOf('DeadLettersAlarm');
    expect(ownMetricsOf(alarm)).toMatchObject([{ name: 'LettersWritten' }]);
    expect([alarm.Threshold, alarm.OKActions]).toEqual([0, undefined]);
    // A letter of the next hourly run finds the alarm at rest.
    expect(periodSecOf(alarm) * alarm.EvaluationPeriods).toBeLessThan(3600);
  });

  test('those that SQS itself will write alarm before: deliveries that load cannot answer for are counted', () => {
    expect(ownMetricsOf(alarmOf('DeliveriesFailedAlarm'))).toMatchObject([{ name: 'DeliveriesFailed' }]);
    expect(alarmOf('DeliveriesFailedAlarm')).toMatchObject({ Threshold: 0, DatapointsToAlarm: 1 });
  });

  test('looking at them moves no alarm: none looks at how many are visible', () => {
    expect(subjects).not.toContain('ApproximateNumberOfMessagesVisible DeadLetterQueue');
    expect(subjects).not.toContain('ApproximateNumberOfMessagesNotVisible DeadLetterQueue');
    // SQS leaves what was received three times out of the age: nobody is told that all is well then.
    const ofLetters = alarms.filter((alarm) =>
      metricsOf(alarm).some((metric) => /DeadLetterQueue/.test(subjectOf(metric))),
    );
    expect(ofLetters.map(({ id, OKActions }) => [id, OKActions])).toEqual([['LettersExpireAlarm', undefined]]);
  });

  // SQS developer guide, "Setting-up dead-letter queue retention": the age counts from the move, the end from the sending.
  test('that will expire alarm before, also one that was as old as can be when SQS moved it', () => {
    const { Threshold } = alarmOf('LettersExpireAlarm');
    expect(Threshold).toBe(10 * 86_400);
    expect(Threshold + retentionSec('RecordsQueue')).toBeLessThanOrEqual(retentionSec('DeadLetterQueue'));
  });

  test('records that will expire alarm a day before', () => {
    expect(alarmOf('RecordsExpireAlarm').Threshold).toBe(retentionSec('RecordsQueue') - 86_400);
  });
});

describe('messages that nobody takes', () => {
  const alarm = alarmOf('RecordsNotTakenAlarm');
  const [returned, ...inputs] = alarm.Metrics ?? [];

  test('alarm where some are due and none was received; who waits by appointment is not visible', () => {
    expect(returned?.Expression).toBe('IF(FILL(received, 0) == 0, FILL(due, 0), 0)');
    expect(inputs.map(({ Id, MetricStat }) => [Id, MetricStat?.Metric.MetricName, MetricStat?.Stat])).toEqual([
      ['due', 'ApproximateNumberOfMessagesVisible', 'Minimum'],
      ['received', 'NumberOfMessagesReceived', 'Sum'],
    ]);
  });

  test('a queue that has just been filled is no standstill: it takes half an hour', () => {
    expect(periodSecOf(alarm) * alarm.DatapointsToAlarm).toBe(1_800);
    expect(alarm.DatapointsToAlarm).toBe(alarm.EvaluationPeriods);
  });

  test('the age of messages alarms by days only: a first load of any size does not come to that', () => {
    const ages = alarms.filter((each) =>
      metricsOf(each).map(subjectOf).includes('ApproximateAgeOfOldestMessage RecordsQueue'),
    );
    expect(ages.map(({ id }) => id)).toEqual(['RecordsExpireAlarm']);
  });
});

test('the error rate alarms from 16 requests on that fail alone, and above a fifth of many', () => {
  const { Threshold } = alarmOf('ErrorRateAlarm');
  const collector = metricCollector();
  const scoreOf = (failed: number, loaded: number): number => {
    collector.add('RecordsRetried', failed, 'groups');
    collector.add('RecordsLoaded', loaded, 'groups');
    return collector.take()[0]?.metrics.FailureScore ?? 0;
  };
  expect(scoreOf(16, 0)).toBeGreaterThan(Threshold);
  expect(scoreOf(15, 0)).toBeLessThanOrEqual(Threshold);
  expect(scoreOf(1_000, 4_000)).toBeLessThanOrEqual(Threshold);
  expect(scoreOf(1_020, 3_980)).toBeGreaterThan(Threshold);
});

// 0.10 dollars a month for each: docs/benchmarks.md, "Price of a stack that stands still".
test('alarms look at no more metrics than the price of a quiet stack allows', () => {
  const looked = alarms.map(({ Metrics = [] }) => Math.max(1, Metrics.filter(({ MetricStat }) => MetricStat).length));
  expect(looked.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(24);
});

test('functions report under the service that alarms and dashboard look for', () => {
  for (const { properties } of functions) {
    expect(properties.Environment.Variables.POWERTOOLS_SERVICE_NAME).toBe('okki-sync-dev');
  }
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
