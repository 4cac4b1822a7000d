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
 * The stack's alarms and their SNS topic. Alarms on what a run reports of itself (not balanced, missing, overdue)
 * belong beside these, one per integration file.
 */
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
      namespace: 'AWS/SQS',
      metric,
      dimension: { Name: 'QueueName', Value: { 'Fn::GetAtt': [queue, 'QueueName'] } },
      statistic: 'Maximum',
      above,
      periodSec,
    });
  }
  for (const name of functions) {
    const pascal = name[0].toUpperCase() + name.slice(1);
    for (const [metric, description] of Object.entries(functionAlarms)) {
      resources[`${pascal}${metric}Alarm`] = alarm({
        description: `${name}: ${description}`,
        namespace: 'AWS/Lambda',
        metric,
        dimension: { Name: 'FunctionName', Value: { Ref: `${pascal}LambdaFunction` } },
        statistic: 'Sum',
        above: 0,
        periodSec: 300,
      });
    }
  }
  return { Resources: resources, Outputs: { AlarmTopicArn: { Value: { Ref: 'AlarmTopic' } } } };
};

/** An alarm over one period. Without data there is nothing wrong: idle queues and functions report none. */
function alarm({ description, namespace, metric, dimension, statistic, above, periodSec }) {
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmDescription: description,
      Namespace: namespace,
      MetricName: metric,
      Dimensions: [dimension],
      Statistic: statistic,
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: above,
      Period: periodSec,
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
      AlarmActions: [{ Ref: 'AlarmTopic' }],
      OKActions: [{ Ref: 'AlarmTopic' }],
    },
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
