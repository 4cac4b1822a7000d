const { alarm } = require('./alarm.cjs');

const functions = ['fetch', 'load', 'replay', 'reconcile'];

/** Queue alarms: metric, statistic and what it means, per queue (SQS developer guide, "Available CloudWatch metrics"). */
const queueAlarms = {
  DeadLettersAlarm: {
    queue: 'DeadLetterQueue',
    metric: 'ApproximateNumberOfMessagesVisible',
    above: 0,
    periodSec: 60,
    description: 'Records wait in the dead-letter queue. Each says why; replay them when the cause is mended.',
  },
  // Records that are put off are sent anew and start at age 0: an old message is one that nobody takes.
  OldestRecordAlarm: {
    queue: 'RecordsQueue',
    metric: 'ApproximateAgeOfOldestMessage',
    above: 3600,
    periodSec: 300,
    description: 'A record has waited for more than an hour: load is stopped, throttled, or far too slow.',
  },
};

/** Function alarms, for each function (Lambda developer guide, "Types of metrics for Lambda functions"). */
const functionAlarms = {
  Errors: 'An invocation threw, timed out or ran out of memory. Its records come back by themselves; find out why.',
  Throttles: 'Invocations were refused for want of concurrency in this account.',
};

/**
 * The share of its timeout that no invocation should need, in percent. The flows stop by themselves before it (fetch
 * 20 s before its end, load 10 s): one that goes on after that is stuck in something it cannot leave.
 */
const TIME_BUDGET_PERCENT = 95;

/** The stack's alarms on what AWS measures, and their SNS topic. Those on what the code measures: run-alarms.cjs. */
module.exports = async ({ resolveVariable }) => {
  const prefix = await resolveVariable('self:custom.prefix');
  const resources = {
    // Not encrypted by alias/aws/sns: that key's policy does not let CloudWatch publish, and alarms hold no record.
    AlarmTopic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: `${prefix}-alarms` } },
    AlarmTopicPolicy: { Type: 'AWS::SNS::TopicPolicy', Properties: topicPolicy({ Ref: 'AlarmTopic' }) },
  };
  for (const [id, { queue, metric, above, periodSec, description }] of Object.entries(queueAlarms)) {
    resources[id] = alarm({
      description,
      metric: {
        Namespace: 'AWS/SQS',
        MetricName: metric,
        Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queue, 'QueueName'] } }],
      },
      statistic: 'Maximum',
      above,
      periodSec,
    });
  }
  for (const name of functions) {
    const pascal = name[0].toUpperCase() + name.slice(1);
    const lambdaMetric = (metric) => ({
      Namespace: 'AWS/Lambda',
      MetricName: metric,
      Dimensions: [{ Name: 'FunctionName', Value: { Ref: `${pascal}LambdaFunction` } }],
    });
    for (const [metric, description] of Object.entries(functionAlarms)) {
      resources[`${pascal}${metric}Alarm`] = alarm({
        description: `${name}: ${description}`,
        metric: lambdaMetric(metric),
        statistic: 'Sum',
        above: 0,
        periodSec: 300,
      });
    }
    const timeoutSec = await resolveVariable(`self:functions.${name}.timeout`);
    resources[`${pascal}TimeBudgetAlarm`] = alarm({
      description: `${name}: an invocation took more than ${TIME_BUDGET_PERCENT} % of its ${timeoutSec} s.`,
      metric: lambdaMetric('Duration'),
      statistic: 'Maximum',
      above: timeoutSec * 10 * TIME_BUDGET_PERCENT,
      periodSec: 300,
    });
  }
  return { Resources: resources, Outputs: { AlarmTopicArn: { Value: { Ref: 'AlarmTopic' } } } };
};

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
