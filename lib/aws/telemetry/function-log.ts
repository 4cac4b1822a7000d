import { hash } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { defined } from '../../runtime/defined.ts';
import type { AnyLog, Log } from '../../runtime/log.ts';
import { type FunctionEvent, METRIC_NAMESPACE, meteredLog, metricCollector, metricTable } from './metrics.ts';

/**
 * A log that keeps the info lines of a share of the records only (`rate`, 0 to 1), always the same ones: of a record
 * that is kept every line is there, from fetch to POST. Lines without an id, warnings and errors all stay.
 */
export const sampledLog = (log: AnyLog, rate: number): AnyLog => {
  if (rate >= 1) return log;
  const keeps = (id: string): boolean => hash('sha256', id, 'buffer').readUInt32BE() < rate * 2 ** 32;
  return {
    ...log,
    info: (event, fields) => {
      if (typeof fields.id === 'string' && !keeps(fields.id)) return;
      log.info(event, fields);
    },
  };
};

/** The share of records whose info lines are kept, from `RECORD_LOG_RATE`; all of them where it says nothing useful. */
export const recordLogRate = (setting: string | undefined): number => {
  const rate = setting === undefined || setting.trim() === '' ? 1 : Number(setting);
  return rate >= 0 && rate <= 1 ? rate : 1;
};

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
 * Writes what this invocation counted, for each integration a line `counted`, and one in CloudWatch's embedded metric format
 * where an alarm is to hear of it: no request is made, CloudWatch reads the function's log (CloudWatch user guide,
 * "Embedding metrics within logs").
 */
export const publishMetrics = (): void => {
  for (const { integration, metrics, counts } of collector.take()) {
    if (Object.keys(counts).length > 0) powertoolsLogger.info('counted', defined({ integration, ...counts }));
    if (Object.keys(metrics).length === 0) continue;
    if (integration !== undefined) emf.addDimension('integration', integration);
    for (const [name, value] of Object.entries(metrics)) {
      emf.addMetric(name, metricTable[name as keyof typeof metrics].unit, value);
    }
    emf.publishStoredMetrics();
  }
};
