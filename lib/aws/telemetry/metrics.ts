import type { ConnectionEvent } from '../../connection/auth/scheme.ts';
import type { DispatchEvent } from '../../dispatch/dispatch.ts';
import type { FetchEvent } from '../../fetch/fetch-plan.ts';
import { isLimitWait, type LoadEvent, type SettledAs } from '../../load/events.ts';
import type { LetterEvent } from '../../messages/dead-letter.ts';
import type { NotifyEvent } from '../../notify/notifier.ts';
import type { ReplayEvent } from '../../replay/replay.ts';
import type { ReconcileEvent } from '../../runs/reconcile.ts';
import { defined } from '../../runtime/defined.ts';
import type { AnyLog, Log } from '../../runtime/log.ts';
import type { SourceEvent } from '../../source/http-source.ts';
import table from './metrics.json' with { type: 'json' };

/**
 * What is counted: one table for the code that emits, the template's alarms and dashboard, and the tests that hold them
 * against each other.
 *
 * - A *metric* is what an alarm looks at. CloudWatch bills it by the hour in which it is sent, so it is sent only where it
 *   says something: never as 0, and none while all is well. Its dimensions are bounded: `service` is the stack,
 *   `integration` one of its files.
 * - A *count* stands in the invocation's line `counted`, for the dashboard's queries over the logs, under the name that is
 *   given here: it costs its bytes.
 */
export const metricTable: Readonly<Record<MetricName, MetricDefinition>> = table.metrics as Record<
  MetricName,
  MetricDefinition
>;
export const METRIC_NAMESPACE = table.namespace;

export type MetricName = keyof typeof table.metrics;
type MetricDefinition = { unit: 'Count' | 'None'; dimensions: ReadonlyArray<'service' | 'integration'> };
type CountName = keyof typeof table.counts;
type Name = MetricName | CountName;

/** Counting as a port. */
export interface Metrics {
  /** Adds to what this invocation reports of an integration, or of the service. */
  add(name: Name, value: number, integration?: string): void;
}

/** What one invocation reports of one integration, or of the service where `integration` is absent. */
export type Measured = {
  integration?: string;
  metrics: Partial<Record<MetricName, number>>;
  counts: Partial<Record<CountName, number>>;
};

/** Adds up until `take`, which empties it. */
type MetricCollector = Metrics & { take(): Measured[] };

/** Letters of messages that nobody can read belong to no integration. */
const UNKNOWN_INTEGRATION = 'unknown';

const isMetric = (name: Name): name is MetricName => Object.hasOwn(metricTable, name);

export const metricCollector = (): MetricCollector => {
  const byIntegration = new Map<string | undefined, Required<Omit<Measured, 'integration'>>>();
  return {
    add(name, value, integration) {
      if (value === 0) return;
      const ofService = isMetric(name) && !metricTable[name].dimensions.includes('integration');
      const key = ofService ? undefined : (integration ?? UNKNOWN_INTEGRATION);
      const { metrics, counts } = byIntegration.get(key) ?? { metrics: {}, counts: {} };
      if (isMetric(name)) metrics[name] = (metrics[name] ?? 0) + value;
      else counts[name] = (counts[name] ?? 0) + value;
      byIntegration.set(key, { metrics, counts });
    },
    take() {
      const measured = [...byIntegration].map(([integration, { metrics, counts }]): Measured => {
        const score = failureScore(counts);
        return { ...defined({ integration }), metrics: { ...metrics, ...defined({ FailureScore: score }) }, counts };
      });
      byIntegration.clear();
      return measured;
    },
  };
};

/** A failed request weighs four loaded ones: the sum is above 0 where more than a fifth of the requests fail. */
const FAILURE_WEIGHT = 4;

/** The failed requests against the loaded ones; absent where none failed, so that success sends no metric. Pure. */
const failureScore = (counts: Measured['counts']): number | undefined => {
  const { RecordsRejected = 0, RecordsUncertain = 0, RecordsExhausted = 0, RecordsRetried = 0 } = counts;
  const failed = RecordsRejected + RecordsUncertain + RecordsExhausted + RecordsRetried;
  return failed === 0 ? undefined : FAILURE_WEIGHT * failed - (counts.RecordsLoaded ?? 0);
};

/** All events that the functions log: what lines are searched by, and metrics are counted from. */
export type FunctionEvent =
  | ConnectionEvent
  | SourceEvent
  | DispatchEvent
  | FetchEvent
  | LoadEvent
  | ReconcileEvent
  | ReplayEvent
  | LetterEvent
  | NotifyEvent;

type EventName = FunctionEvent[0];
type FieldsOf<Event extends EventName> = Extract<FunctionEvent, [Event, unknown]>[1];

type Add = (name: Name, value: number | undefined) => void;

// What idCheck knew already, or another message brought first, is acknowledged without a request.
const settledAs: Partial<Record<SettledAs, CountName>> = {
  loaded: 'RecordsLoaded',
  rejected: 'RecordsRejected',
  uncertain: 'RecordsUncertain',
  exhausted: 'RecordsExhausted',
};

/** Which events are measured, and what of them: the one place where an event becomes a number. */
const measures: { readonly [Event in EventName]?: (fields: FieldsOf<Event>, add: Add) => void } = {
  'run-started': (_, add) => add('RunsStarted', 1),
  'run-incomplete': (_, add) => add('RunsIncomplete', 1),
  page: (fields, add) => {
    add('RecordsFetched', fields.fetched);
    add('RecordsFiltered', fields.filtered);
    add('RecordsInvalid', fields.invalid);
    add('RecordsMerged', fields.merged);
    add('RecordsUnchanged', fields.unchanged);
    add('RecordsSkipped', fields.skipped);
    add('RecordsWaiting', fields.waiting);
    add('RecordsEnqueued', fields.enqueued);
    add('SourceRequests', fields.requests);
  },
  'run-extracted': ({ vanished }, add) => add('RecordsVanished', vanished),
  settled: ({ as }, add) => add(settledAs[as] ?? 'RecordsAcknowledged', 1),
  'put-back': ({ why, isRetry }, add) => {
    add(isRetry ? 'RecordsRetried' : 'RecordsPutOff', 1);
    if (isLimitWait(why)) add('LimiterWaits', 1);
  },
  'target-requests': ({ requests }, add) => add('TargetRequests', requests),
  'deliveries-failed': ({ messages }, add) => add('DeliveriesFailed', messages),
  'letters-not-written': ({ letters }, add) => add('DeliveriesFailed', letters),
  'letter-written': (_, add) => add('LettersWritten', 1),
  replayed: (_, add) => add('RecordsReplayed', 1),
  'integration-reconciled': ({ notBalanced, overdue, missing }, add) => {
    add('RunsNotBalanced', notBalanced);
    add('RunOverdue', overdue);
    add('RunMissing', missing);
  },
  'notify-failed': (_, add) => add('NotificationsFailed', 1),
  'notify-misconfigured': (_, add) => add('NotificationsFailed', 1),
};

/**
 * A log that also counts: what is measured is folded from the very events that are logged, so that numbers and lines
 * cannot tell two stories, and the flows need no second port for the same facts.
 */
export const meteredLog = (log: AnyLog, metrics: Metrics): Log<FunctionEvent> => {
  const measure = <Event extends EventName>(name: Event, fields: FieldsOf<Event>): void => {
    const integration = 'integration' in fields ? fields.integration : undefined;
    measures[name]?.(fields, (metric, value) => {
      if (value !== undefined) metrics.add(metric, value, integration);
    });
  };
  const both =
    (write: AnyLog['info']) =>
    (...[name, fields]: FunctionEvent): void => {
      measure(name, fields);
      write(name, fields);
    };
  return { info: both(log.info), warn: both(log.warn), error: both(log.error) };
};
