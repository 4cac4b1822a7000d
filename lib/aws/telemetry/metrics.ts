import { defined } from '../../runtime/defined.ts';
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
export type MetricDefinition = { unit: 'Count' | 'Seconds'; dimensions: ReadonlyArray<'service' | 'integration'> };

/** Measuring as a port. */
export interface Metrics {
  /** Adds to what this invocation reports; a metric by integration without one is left out. */
  add(name: MetricName, value: number, integration?: string): void;
}

/** What one invocation reports of one integration, or of the service where `integration` is absent. */
export type Measured = { integration?: string; values: Partial<Record<MetricName, number>> };

/** Adds up until `take`, which empties it. */
export type MetricCollector = Metrics & { take(): Measured[] };

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
