import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Log } from '../../runtime/log.ts';
import type { FunctionEvent } from './events.ts';
import { meteredLog } from './metered-log.ts';
import { METRIC_NAMESPACE, metricCollector, metricTable } from './metrics.ts';
import { powertoolsLog, serviceName } from './powertools-log.ts';
import { recordLogRate, sampledLog } from './sampled-log.ts';

const collector = metricCollector();
const emf = new Metrics({ namespace: METRIC_NAMESPACE, serviceName });

/** The log that the functions work with: metered before it is sampled, so that every record counts. */
export const functionLog: Log<FunctionEvent> = meteredLog(
  sampledLog(powertoolsLog, recordLogRate(process.env.RECORD_LOG_RATE)),
  collector,
);

/**
 * Writes what this invocation measured, one line for each integration, in CloudWatch's embedded metric format: no
 * request is made, CloudWatch reads the function's log (CloudWatch user guide, "Embedding metrics within logs").
 */
export const publishMetrics = (): void => {
  for (const { integration, values } of collector.take()) {
    if (integration !== undefined) emf.addDimension('integration', integration);
    for (const [name, value] of Object.entries(values)) {
      emf.addMetric(name, metricTable[name as keyof typeof values].unit, value);
    }
    emf.publishStoredMetrics();
  }
};
