import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { defined } from '../../runtime/defined.ts';
import type { AnyLog, Log } from '../../runtime/log.ts';
import { type FunctionEvent, meteredLog } from './metered-log.ts';
import { METRIC_NAMESPACE, metricCollector, metricTable } from './metrics.ts';
import { recordLogRate, sampledLog } from './sampled-log.ts';

/** The stack that speaks, such as `okki-sync-prod`: in every log line, and the `service` dimension of every metric. */
const serviceName = process.env.POWERTOOLS_SERVICE_NAME ?? 'okki-sync';

/** The function's logger: one JSON line per event, with request id and cold start (AWS Lambda Powertools). */
export const powertoolsLogger = new Logger({ serviceName });

const powertoolsLog: AnyLog = {
  info: (event, fields) => powertoolsLogger.info(event, defined(fields)),
  warn: (event, fields) => powertoolsLogger.warn(event, defined(fields)),
  error: (event, fields) => powertoolsLogger.error(event, defined(fields)),
};

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
