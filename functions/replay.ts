import { lambdaHandler } from '../lib/aws/lambda/handler.ts';
import { auditOf, deadLettersOf, dynamoClient, endsOf, recordsOf, sqsClient } from '../lib/aws/ports.ts';
import { functionLog as log } from '../lib/aws/telemetry/function-log.ts';
import { type ReplayDeps, type Replayed, readReplayEvent, replay } from '../lib/replay/replay.ts';
import { systemClock as clock } from '../lib/runtime/clock.ts';
import { once } from '../lib/runtime/once.ts';

/** Opened once per execution environment, with the stores that this function may use (serverless/roles.yml). */
const opened = once((): ReplayDeps => {
  const { env } = process;
  const sqs = sqsClient();
  const dynamo = dynamoClient();
  return {
    records: recordsOf(sqs, env),
    deadLetters: deadLettersOf(sqs, env),
    audit: auditOf(dynamo, env),
    runs: endsOf(dynamo, env),
    clock,
    log,
  };
});

/** Sends dead letters back to the records queue, as the event's filter says. */
export const handler = lambdaHandler(async (event): Promise<Replayed> => {
  const request = readReplayEvent(event);
  return replay(request, opened());
});
