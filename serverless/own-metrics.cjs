const { namespace, metrics, counts } = require('../lib/aws/telemetry/metrics.json');

/** A metric of our own as an alarm names it. Throws for a name that the code does not emit, or without a dimension's value. */
exports.alarmMetric = (name, values) => ({
  Namespace: namespace,
  MetricName: name,
  Dimensions: dimensionsOf(name).map((dimension) => {
    if (values[dimension] === undefined) throw new Error(`the metric ${name} needs a value for ${dimension}`);
    return { Name: dimension, Value: values[dimension] };
  }),
});

/**
 * A Metrics Insights query over a metric of our own: a series for each integration that has data, but for those of `without`.
 * An alarm over several series must sort them (CloudWatch user guide, "Create a CloudWatch alarm based on a Metrics
 * Insights query"). Throws for a name that the code does not emit.
 */
exports.byIntegration = (statistic, name, service, without = []) =>
  [
    `SELECT ${statistic}(${name}) FROM SCHEMA("${namespace}", ${dimensionsOf(name).join(', ')})`,
    `WHERE service = '${service}'${without.map((integration) => ` AND integration != '${integration}'`).join('')}`,
    `GROUP BY integration ORDER BY ${statistic}() DESC`,
  ].join(' ');

/** The sums of counts, as a query over lines `counted` names them. Throws for a name that the code does not count. */
exports.sums = (...names) =>
  names
    .map((name) => {
      if (counts[name] === undefined) throw new Error(`lib/aws/telemetry/metrics.json has no count ${name}`);
      return `sum(${name}) as ${counts[name]}`;
    })
    .join(', ');

function dimensionsOf(name) {
  const definition = metrics[name];
  if (definition === undefined) throw new Error(`lib/aws/telemetry/metrics.json has no metric ${name}`);
  return definition.dimensions;
}
