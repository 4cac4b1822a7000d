const { alarm } = require('./alarm.cjs');
const { readIntegrationFiles } = require('./integration-files.cjs');
const { alarmMetric } = require('./own-metrics.cjs');
const { unsetAddresses } = require('./unset-addresses.cjs');

/** What reconciliation reports of each integration every 15 minutes: above 0 means what the description says. */
const watched = {
  RunNotBalanced: {
    metric: 'RunsNotBalanced',
    periodSec: 900,
    description: 'Records of a run are still open after its deadline, or its books do not add up.',
  },
  RunOverdue: {
    metric: 'RunOverdue',
    periodSec: 900,
    description: 'The newest run has not read the source to its end within the deadline.',
  },
  // Without data reconciliation itself is silent, and nobody watches.
  RunMissing: {
    metric: 'RunMissing',
    periodSec: 3600,
    missing: 'breaching',
    description: 'No run has started for twice the time that the schedule allows, or reconcile reports nothing.',
  },
};

/** Requests that ended badly, in percent of all that ended, once there are enough of them to say so. */
const ERROR_RATE_PERCENT = 20;
const ENOUGH_RECORDS = 20;
const failedMetrics = ['RecordsRejected', 'RecordsUncertain', 'RecordsExhausted', 'RecordsRetried'];

/** Alarms on what the functions measure of themselves: lib/aws/telemetry/metrics.json names it. */
module.exports = async ({ resolveVariable }) => {
  const service = await resolveVariable('self:custom.prefix');
  const resources = {
    NotificationsAlarm: alarm({
      description: 'A notification could not be delivered to its webhook.',
      metric: alarmMetric('NotificationsFailed', { service }),
      statistic: 'Sum',
      above: 0,
      periodSec: 900,
    }),
  };
  for (const { name: integration, content } of readIntegrationFiles()) {
    const id = pascal(integration);
    for (const [kind, { metric, periodSec, missing, description }] of Object.entries(watched)) {
      resources[`${kind}${id}Alarm`] = alarm({
        description: `${integration}: ${description}`,
        metric: alarmMetric(metric, { service, integration }),
        statistic: 'Maximum',
        above: 0,
        periodSec,
        missing,
      });
    }
    // No run is expected of a schedule that is packaged disabled for want of an address (schedules.cjs).
    const unset = await unsetAddresses({ content }, resolveVariable);
    if (unset.length > 0) resources[`RunMissing${id}Alarm`].Properties.ActionsEnabled = false;
    resources[`ErrorRate${id}Alarm`] = alarm({
      description: `${integration}: more than ${ERROR_RATE_PERCENT} % of the requests to the target fail.`,
      queries: errorRate({ service, integration }),
      above: ERROR_RATE_PERCENT,
    });
  }
  return { Resources: resources };
};

/** Metric math: failed requests in percent of all, 0 while there are few. */
function errorRate(values) {
  const stat = (id, name) => ({
    Id: id,
    MetricStat: {
      Metric: alarmMetric(name, values),
      Period: 900,
      Stat: 'Sum',
    },
    ReturnData: false,
  });
  const failed = failedMetrics.map((name, index) => stat(`failed${index}`, name));
  // Without FILL a metric without data in the period would make the whole expression empty.
  const sum = failed.map(({ Id }) => `FILL(${Id}, 0)`).join(' + ');
  const all = `(${sum} + FILL(loaded, 0))`;
  return [
    {
      Id: 'rate',
      Label: 'failed requests (%)',
      Expression: `IF(${all} >= ${ENOUGH_RECORDS}, 100 * (${sum}) / ${all}, 0)`,
      ReturnData: true,
    },
    stat('loaded', 'RecordsLoaded'),
    ...failed,
  ];
}

/** CloudFormation allows letters and digits only in a logical id. */
function pascal(name) {
  return name.replace(/(^|-)([a-z0-9])/g, (_all, _hyphen, letter) => letter.toUpperCase());
}
