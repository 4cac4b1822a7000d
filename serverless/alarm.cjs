/** An alarm over one period that tells the stack's topic. `missing`: what it means when there is no data. */
exports.alarm = ({ description, metric, queries, statistic, above, periodSec, missing = 'notBreaching' }) => ({
  Type: 'AWS::CloudWatch::Alarm',
  Properties: {
    AlarmDescription: description,
    ...(metric === undefined ? { Metrics: queries } : { ...metric, Statistic: statistic, Period: periodSec }),
    ComparisonOperator: 'GreaterThanThreshold',
    Threshold: above,
    EvaluationPeriods: 1,
    TreatMissingData: missing,
    AlarmActions: [{ Ref: 'AlarmTopic' }],
    OKActions: [{ Ref: 'AlarmTopic' }],
  },
});
