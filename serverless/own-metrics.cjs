const { namespace, metrics } = require('../lib/aws/telemetry/metrics.json');

/** The value of each dimension that a metric of the table has; `service` is the stack's prefix. */
function valuesOf(name, values) {
  const definition = metrics[name];
  if (definition === undefined) throw new Error(`lib/aws/telemetry/metrics.json has no metric ${name}`);
  return definition.dimensions.map((dimension) => {
    const value = values[dimension];
    if (value === undefined) throw new Error(`the metric ${name} needs a value for its dimension ${dimension}`);
    return [dimension, value];
  });
}

/** A metric of our own as an alarm names it. Throws for a name or dimension that the code does not emit. */
exports.alarmMetric = (name, values) => ({
  Namespace: namespace,
  MetricName: name,
  Dimensions: valuesOf(name, values).map(([Name, Value]) => ({ Name, Value })),
});

/** A metric of our own as a dashboard's widget names it. Throws as `alarmMetric`. */
exports.widgetMetric = (name, values, options) => [namespace, name, ...valuesOf(name, values).flat(), options];
