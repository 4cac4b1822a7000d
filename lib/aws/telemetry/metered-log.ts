import { leaveWaits } from '../../runs/limits.ts';
import type { Log, LogFields } from '../../runtime/log.ts';
import type { MetricName, Metrics } from './metrics.ts';

type Measure = (fields: LogFields, add: (name: MetricName, value: LogFields[string]) => void) => void;

const settledAs: Readonly<Record<string, MetricName>> = {
  loaded: 'RecordsLoaded',
  rejected: 'RecordsRejected',
  uncertain: 'RecordsUncertain',
  exhausted: 'RecordsExhausted',
};

/** Which events are measured, and what of them: the one place where an event becomes a number. */
const measures: Readonly<Record<string, Measure>> = {
  'run-started': (_, add) => add('RunsStarted', 1),
  'run-incomplete': (_, add) => add('RunsIncomplete', 1),
  page: (fields, add) => {
    add('RecordsFetched', fields.fetched);
    add('RecordsFiltered', fields.filtered);
    add('RecordsInvalid', fields.invalid);
    add('RecordsMerged', fields.merged);
    add('RecordsUnchanged', fields.unchanged);
    add('RecordsSkipped', fields.skipped);
    add('RecordsEnqueued', fields.enqueued);
    add('SourceRequests', fields.requests);
  },
  'run-extracted': ({ vanished }, add) => add('RecordsVanished', vanished),
  // What idCheck knew already, or another message brought first, is acknowledged without a request.
  settled: ({ as }, add) => add(settledAs[String(as)] ?? 'RecordsAcknowledged', 1),
  'put-back': ({ why, isRetry }, add) => {
    add(isRetry === true ? 'RecordsRetried' : 'RecordsPutOff', 1);
    if (leaveWaits.has(String(why))) add('LimiterWaits', 1);
  },
  'target-requests': ({ requests }, add) => add('TargetRequests', requests),
  unreadable: (_, add) => add('MessagesUnreadable', 1),
  replayed: (_, add) => add('RecordsReplayed', 1),
  'integration-reconciled': ({ notBalanced, overdue, missing, newestRunAgeSec }, add) => {
    add('RunsNotBalanced', notBalanced);
    add('RunOverdue', overdue);
    add('RunMissing', missing);
    add('NewestRunAge', newestRunAgeSec);
  },
  'notify-failed': (_, add) => add('NotificationsFailed', 1),
  'notify-misconfigured': (_, add) => add('NotificationsFailed', 1),
};

/**
 * A log that also counts: what is measured is folded from the very events that are logged, so that numbers and lines
 * cannot tell two stories, and the flows need no second port for the same facts.
 */
export const meteredLog = (log: Log, metrics: Metrics): Log => {
  const measured = (event: string, fields: LogFields = {}) => {
    const integration = typeof fields.integration === 'string' ? fields.integration : undefined;
    measures[event]?.(fields, (name, value) => {
      if (typeof value === 'number') metrics.add(name, value, integration);
    });
  };
  const both = (write: Log['info']) => (event: string, fields?: LogFields) => {
    measured(event, fields);
    write(event, fields);
  };
  return { info: both(log.info), warn: both(log.warn), error: both(log.error) };
};
