import { Logger } from '@aws-lambda-powertools/logger';
import { defined } from '../../runtime/defined.ts';
import type { AnyLog } from '../../runtime/log.ts';

/** The stack that speaks, such as `okki-sync-prod`: in every log line, and the `service` dimension of every metric. */
export const serviceName = process.env.POWERTOOLS_SERVICE_NAME ?? 'okki-sync';

/** The function's logger: one JSON line per event, with request id and cold start (AWS Lambda Powertools). */
export const powertoolsLogger = new Logger({ serviceName });

export const powertoolsLog: AnyLog = {
  info: (event, fields) => powertoolsLogger.info(event, defined(fields)),
  warn: (event, fields) => powertoolsLogger.warn(event, defined(fields)),
  error: (event, fields) => powertoolsLogger.error(event, defined(fields)),
};
