const { readIntegrationFiles } = require('./integration-files.cjs');
const { alarmMetric, byIntegration } = require('./own-metrics.cjs');
const { unsetAddresses } = require('./unset-addresses.cjs');

const HOUR_SEC = 3600;
const DAY_SEC = 86_400;

/**
 * Over which periods an alarm looks, and whether it says that all is well again.
 *
 * - `state`: reconcile reports it every 15 minutes for as long as it lasts. Two periods of half an hour hold several reports,
 *   so that a late or a lost one moves nothing.
 * - `event`: it happened, and is not undone when it stops happening: no word that all is well.
 * - `trouble`: it comes and goes; an hour without it is the end. `rate`: the same of what is summed over a quarter of an hour.
 * - `standstill`: it has lasted for half an hour. One sample alone, of a queue that has just been filled, is none.
 * - `silence`: what happens every 15 minutes has not happened for an hour.
 * - `tick`: what happens every 5 minutes was not seen in nine of an hour's twelve. One that is early or late empties six at most.
 */
const kinds = {
  state: { Period: HOUR_SEC / 2, EvaluationPeriods: 2, DatapointsToAlarm: 1, saysOk: true },
  event: { Period: 300, EvaluationPeriods: 3, DatapointsToAlarm: 1, saysOk: false },
  trouble: { Period: 300, EvaluationPeriods: 12, DatapointsToAlarm: 1, saysOk: true },
  rate: { Period: 900, EvaluationPeriods: 4, DatapointsToAlarm: 1, saysOk: true },
  standstill: { Period: 900, EvaluationPeriods: 2, DatapointsToAlarm: 2, saysOk: true },
  silence: { Period: HOUR_SEC / 2, EvaluationPeriods: 2, DatapointsToAlarm: 2, saysOk: true, isSilence: true },
  tick: { Period: 300, EvaluationPeriods: 12, DatapointsToAlarm: 9, saysOk: true, isSilence: true },
};

/**
 * What the functions measure of an integration: one alarm for all of them, with a state for each. CloudWatch bills such an
 * alarm by the metrics that it finds, and these are sent in trouble only: docs/decisions/0018-standing-price.md.
 */
const byIntegrationAlarms = {
  DeadLettersAlarm: {
    kind: 'event',
    metric: ['SUM', 'LettersWritten'],
    description:
      'New dead letters. `okki-sync dlq list` shows them by reason, and what to do. Runbook: "Dead letters".',
  },
  RunNotBalancedAlarm: {
    kind: 'state',
    metric: ['MAX', 'RunsNotBalanced'],
    description:
      'A run has failed, or has records that nobody knows anything of after its deadline. `okki-sync status last` names them. Runbook: "Run not balanced".',
  },
  RunOverdueAlarm: {
    kind: 'state',
    metric: ['MAX', 'RunOverdue'],
    description:
      'The newest run has not read the source to its end within the deadline. `okki-sync status last` says why. Runbook: "Run overdue".',
  },
  RunMissingAlarm: {
    kind: 'state',
    metric: ['MAX', 'RunMissing'],
    description:
      'No run has started for twice the longest gap of the schedule. Look whether the schedule is enabled. Runbook: "Run missing".',
  },
  ErrorRateAlarm: {
    kind: 'rate',
    // lib/aws/telemetry/metrics.ts: above 0 where more than a fifth of the requests fail; 16 that fail alone make 64.
    metric: ['SUM', 'FailureScore'],
    limit: 60,
    description:
      'Clearly more than a fifth of the requests to the target fail. `okki-sync dlq list` shows its words. Runbook: "Error rate".',
  },
};

/** Function alarms (Lambda developer guide, "Types of metrics for Lambda functions"). */
const functionAlarms = {
  Errors: 'an invocation threw, timed out or ran out of memory. Find `invocation-failed` in its log.',
  Throttles: "invocations were refused for want of concurrency. Raise the account's quota.",
};

/**
 * The share of its timeout that no invocation should need, in percent. The flows stop by themselves before it (fetch
 * 20 s before its end, load 10 s): one that goes on after that is stuck in something it cannot leave.
 */
const TIME_BUDGET_PERCENT = 95;

/** Queries longer than that are refused (CloudWatch: length of an expression). */
const MAX_QUERY_CHARACTERS = 1024;

/** The stack's alarms and their SNS topic; what each means to a person is in docs/runbook.md. */
module.exports = async ({ resolveVariable }) => {
  const service = await resolveVariable('self:custom.prefix');
  const resources = {
    // Not encrypted by alias/aws/sns: that key's policy does not let CloudWatch publish, and alarms hold no record.
    AlarmTopic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: `${service}-alarms` } },
    AlarmTopicPolicy: { Type: 'AWS::SNS::TopicPolicy', Properties: topicPolicy({ Ref: 'AlarmTopic' }) },
    NotificationsAlarm: alarm({
      kind: 'event',
      description: 'The robot did not take a message. Find `notify-failed` in the log. Runbook: "Notifications".',
      metric: { ...alarmMetric('NotificationsFailed', { service }), Statistic: 'Sum' },
    }),
    // A worker that crashes is an error of its function; one that only cannot send is none, and would be heard of when SQS
    // has moved the message: that is in no metric of new letters.
    DeliveriesFailedAlarm: alarm({
      kind: 'trouble',
      description:
        'Dead letters cannot be written, or messages not be sent back: received ten times, these become letters `crashed`. Find `letters-not-written` and `deliveries-failed` in the log of load. Runbook: "Dead letters".',
      metric: { ...alarmMetric('DeliveriesFailed', { service }), Statistic: 'Sum' },
    }),
    ...queueAlarms(),
    ReconcileSilentAlarm: alarm({
      kind: 'silence',
      description:
        'Reconciliation has not run for an hour: nobody watches the runs. Look at its schedule. Runbook: "Run missing".',
      metric: { ...lambdaMetric('Invocations', 'ReconcileLambdaFunction'), Statistic: 'Sum' },
      limit: 1,
    }),
    // Schedules alone invoke asynchronously, not queues. Where those of integrations come in most five minutes, too, they hide
    // a tick that does not: then RunNotBalancedAlarm tells, after the deadline.
    DispatchSilentAlarm: alarm({
      kind: 'tick',
      description:
        'The tick that sends what waits in ledgers has stopped. Look at `DispatchSchedule`. Runbook: "Records that nobody takes".',
      metric: { ...lambdaMetric('AsyncEventsReceived', 'FetchLambdaFunction'), Statistic: 'Sum' },
      limit: 1,
    }),
  };
  // No run is expected of a schedule that is packaged disabled for want of an address (schedules.cjs).
  const unscheduled = [];
  for (const file of readIntegrationFiles()) {
    if ((await unsetAddresses(file, resolveVariable)).length > 0) unscheduled.push(file.name);
  }
  for (const [id, { metric, ...rest }] of Object.entries(byIntegrationAlarms)) {
    const exact = byIntegration(...metric, service, id === 'RunMissingAlarm' ? unscheduled : []);
    const isTooLong = exact.length > MAX_QUERY_CHARACTERS;
    resources[id] = alarm({ ...rest, query: isTooLong ? byIntegration(...metric, service) : exact });
    if (isTooLong) resources[id].Properties.ActionsEnabled = false;
  }
  for (const [name, configuration] of Object.entries(await resolveVariable('self:functions'))) {
    Object.assign(resources, alarmsOf(name, configuration));
  }
  const stage = await resolveVariable('sls:stage');
  for (const { Type, Properties } of Object.values(resources)) {
    if (Type !== 'AWS::CloudWatch::Alarm') continue;
    // Commands are to be typed as they stand there.
    Properties.AlarmDescription = Properties.AlarmDescription.replaceAll(/`okki-sync [^`]+/g, `$& --stage ${stage}`);
  }
  return { Resources: resources, Outputs: { AlarmTopicArn: { Value: { Ref: 'AlarmTopic' } } } };
};

/** An alarm on one metric, on a Metrics Insights query, or on metric math, that tells the stack's topic. */
function alarm({ kind, description, metric, query, queries, limit = 0 }) {
  const { Period, EvaluationPeriods, DatapointsToAlarm, saysOk, isSilence = false } = kinds[kind];
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmDescription: description,
      ...(metric !== undefined && { ...metric, Period }),
      ...(query !== undefined && { Metrics: [{ Id: 'query', Expression: query, Period, ReturnData: true }] }),
      ...(queries !== undefined && { Metrics: queries(Period) }),
      ComparisonOperator: isSilence ? 'LessThanThreshold' : 'GreaterThanThreshold',
      Threshold: limit,
      EvaluationPeriods,
      DatapointsToAlarm,
      TreatMissingData: isSilence ? 'breaching' : 'notBreaching',
      AlarmActions: [{ Ref: 'AlarmTopic' }],
      ...(saysOk && { OKActions: [{ Ref: 'AlarmTopic' }] }),
    },
  };
}

/**
 * Alarms on the queues (SQS developer guide, "Available CloudWatch metrics"). None looks at how many messages or letters
 * are visible alone: that is more on a planned first load, and less while somebody looks at letters.
 */
function queueAlarms() {
  const metric = (MetricName, queue) => ({
    Namespace: 'AWS/SQS',
    MetricName,
    Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queue, 'QueueName'] } }],
  });
  const age = (queue) => ({ ...metric('ApproximateAgeOfOldestMessage', queue), Statistic: 'Maximum' });
  const input = (Id, MetricName, Period, Stat) => ({
    Id,
    MetricStat: { Metric: metric(MetricName, 'RecordsQueue'), Period, Stat },
    ReturnData: false,
  });
  return {
    // A letter that SQS moved counts from its first sending: up to 4 days in the records queue, then 10 here, are its 14.
    // SQS leaves a letter that was received three times out of the age: no word of that, for looking mends nothing.
    LettersExpireAlarm: alarm({
      kind: 'event',
      description:
        'Dead letters are older than 10 days, and are deleted after 14. `okki-sync dlq list`, then replay, resolve or discard. Runbook: "Letters that expire".',
      metric: age('DeadLetterQueue'),
      limit: 10 * DAY_SEC,
    }),
    // What waits for its turn comes back as a new message at least every 15 minutes.
    RecordsExpireAlarm: alarm({
      kind: 'trouble',
      description:
        'A message is older than 3 days, and is deleted after 4. The next run sends its record again. Look why load does not keep up. Runbook: "Records that nobody takes".',
      metric: age('RecordsQueue'),
      limit: 3 * DAY_SEC,
    }),
    // Whoever waits by appointment is delayed, not visible; and load receives what is due, also to put it off.
    RecordsNotTakenAlarm: alarm({
      kind: 'standstill',
      description:
        'Messages are due, and nobody has taken one for half an hour: load is stopped or throttled. Runbook: "Records that nobody takes".',
      queries: (Period) => [
        {
          Id: 'untaken',
          Label: 'messages that are due while none is taken',
          Expression: 'IF(FILL(received, 0) == 0, FILL(due, 0), 0)',
          ReturnData: true,
        },
        input('due', 'ApproximateNumberOfMessagesVisible', Period, 'Minimum'),
        input('received', 'NumberOfMessagesReceived', Period, 'Sum'),
      ],
    }),
  };
}

/**
 * The alarms of one function. Who invokes `replay` by hand sees how it goes; what a schedule alone invokes tells of throttling
 * by what it does not do (ReconcileSilentAlarm), while a queue's messages are counted as received each time.
 */
function alarmsOf(name, { timeout: timeoutSec, events = [] }) {
  const pascal = name[0].toUpperCase() + name.slice(1);
  const id = `${pascal}LambdaFunction`;
  const resources = {};
  for (const [metric, words] of Object.entries(functionAlarms)) {
    if (metric === 'Throttles' && events.length === 0) continue;
    resources[`${pascal}${metric}Alarm`] = alarm({
      kind: 'trouble',
      description: `${name}: ${words} Runbook: "Errors, throttles, time budget of a function".`,
      metric: { ...lambdaMetric(metric, id), Statistic: 'Sum' },
    });
  }
  if (name === 'replay') return resources;
  resources[`${pascal}TimeBudgetAlarm`] = alarm({
    kind: 'trouble',
    description: `${name}: an invocation took more than ${TIME_BUDGET_PERCENT} % of its ${timeoutSec} s. Runbook: "Errors, throttles, time budget of a function".`,
    metric: { ...lambdaMetric('Duration', id), Statistic: 'Maximum' },
    limit: timeoutSec * 10 * TIME_BUDGET_PERCENT,
  });
  return resources;
}

function lambdaMetric(metric, id) {
  return {
    Namespace: 'AWS/Lambda',
    MetricName: metric,
    Dimensions: [{ Name: 'FunctionName', Value: { Ref: id } }],
  };
}

function topicPolicy(topic) {
  return {
    Topics: [topic],
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'PublishAlarms',
          Effect: 'Allow',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Action: 'sns:Publish',
          Resource: topic,
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        },
        {
          Sid: 'DenyPlainHttp',
          Effect: 'Deny',
          Principal: '*',
          Action: 'sns:Publish',
          Resource: topic,
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ],
    },
  };
}
