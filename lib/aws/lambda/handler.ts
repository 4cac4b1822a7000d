import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { RemainingMs } from '../../runtime/clock.ts';
import { powertoolsLogger, publishMetrics } from '../telemetry/function-log.ts';

/** What a handler does: an event of any shape in, a result out, within what is left of the invocation. */
type Handle<Result> = (event: unknown, remainingMs: RemainingMs) => Promise<Result>;

/**
 * A Lambda handler with its logging context, its metrics, and with errors logged before Lambda sees them.
 *
 * Middy's early time-out stays off: it would fail a batch whose finished records are settled. The flows watch
 * the remaining time themselves.
 */
export const lambdaHandler = <Result>(handle: Handle<Result>) =>
  middy<unknown, Result, Error, Context>({ timeoutEarlyInMillis: 0 })
    .use(injectLambdaContext(powertoolsLogger, { resetKeys: true }))
    .onError(async ({ error }) => {
      const { tellSourcePositions } = await import('./source-positions.ts');
      tellSourcePositions(error);
      powertoolsLogger.error('invocation-failed', error as Error);
    })
    .handler(async (event, context) => {
      try {
        return await handle(event, () => context.getRemainingTimeInMillis());
      } finally {
        publishMetrics();
      }
    });
