import type { ConnectionEvent } from '../../connection/auth/scheme.ts';
import type { FetchEvent } from '../../fetch/fetch-plan.ts';
import { isLimitWait, type LoadEvent, type SettledAs } from '../../load/events.ts';
import type { NotifyEvent } from '../../notify/notifier.ts';
import type { ReplayEvent } from '../../replay/replay.ts';
import type { ReconcileEvent } from '../../runs/reconcile.ts';
import { defined } from '../../runtime/defined.ts';
import type { AnyLog, Log } from '../../runtime/log.ts';
import type { SourceEvent } from '../../source/http-source.ts';
import table from './metrics.json' with { type: 'json' };

/**
 * What is measured, with its unit and dimensions: one table for the code that emits, the template's alarms and
 * dashboard, and the test that holds them against each other. Dimensions are bounded: `service` is the stack,
 * `integration` one of its integration files.
 */
export const metricTable: Readonly<Record<MetricName, MetricDefinition>> = table.metrics as Record<
  MetricName,
  MetricDefinition
>;
export const METRIC_NAMESPACE = table.namespace;

export type MetricName = keyof typeof table.metrics;
type MetricDefinition = { unit: 'Count' | 'Seconds'; dimensions: ReadonlyArray<'service' | 'integration'> };

/** Measuring as a port. */
export interface Metrics {
  /** Adds to what this invocation reports; a metric by integration without one is left out. */
  add(name: MetricName, value: number, integration?: string): void;
}

/** What one invocation reports of one integration, or of the service where `integration` is absent. */
export type Measured = { integration?: string; values: Partial<Record<MetricName, number>> };

/** Adds up until `take`, which empties it. */
type MetricCollector = Metrics & { take(): Measured[] };

export const metricCollector = (): MetricCollector => {
  const byIntegration = new Map<string | undefined, Partial<Record<MetricName, number>>>();
  return {
    add(name, value, integration) {
      const key = metricTable[name].dimensions.includes('integration') ? integration : undefined;
      if (key === undefined && metricTable[name].dimensions.includes('integration')) return;
      const values = byIntegration.get(key) ?? {};
      values[name] = (values[name] ?? 0) + value;
      byIntegration.set(key, values);
    },
    take() {
      const measured = [...byIntegration].map(([integration, values]) => ({
        ...defined({ integration }),
        values,
      }));
      byIntegration.clear();
      return measured;
    },
  };
};

/** All events that the functions log: what lines are searched by, and metrics are counted from. */
export type FunctionEvent =
  | ConnectionEvent
  | SourceEvent
  | FetchEvent
  | LoadEvent
  | ReconcileEvent
  | ReplayEvent
  | NotifyEvent;

type EventName = FunctionEvent[0];
type FieldsOf<Name extends EventName> = Extract<FunctionEvent, [Name, unknown]>[1];

type Add = (name: MetricName, value: number | undefined) => void;

// What idCheck knew already, or another message brought first, is acknowledged without a request.
const settledAs: Partial<Record<SettledAs, MetricName>> = {
  loaded: 'RecordsLoaded',
  rejected: 'RecordsRejected',
  uncertain: 'RecordsUncertain',
  exhausted: 'RecordsExhausted',
};

/** Which events are measured, and what of them: the one place where an event becomes a number. */
const measures: { readonly [Name in EventName]?: (fields: FieldsOf<Name>, add: Add) => void } = {
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
  settled: ({ as }, add) => add(settledAs[as] ?? 'RecordsAcknowledged', 1),
  'put-back': ({ why, isRetry }, add) => {
    add(isRetry ? 'RecordsRetried' : 'RecordsPutOff', 1);
    if (isLimitWait(why)) add('LimiterWaits', 1);
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
export const meteredLog = (log: AnyLog, metrics: Metrics): Log<FunctionEvent> => {
  const measure = <Name extends EventName>(name: Name, fields: FieldsOf<Name>): void => {
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
