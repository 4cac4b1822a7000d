import type { ReplayDeps } from '../../replay/replay.ts';
import { systemClock } from '../../runtime/clock.ts';
import { once } from '../../runtime/once.ts';
import { sqsClient } from '../clients.ts';
import { sqsQueue } from '../sqs/queue.ts';
import { functionLog as log } from '../telemetry/function-log.ts';
import { resource } from './environment.ts';

/** What `functions/replay` works with, opened once per execution environment. */
export const openReplay = once((): ReplayDeps => {
  const { env } = process;
  const sqs = sqsClient();
  return {
    deadLetters: sqsQueue(sqs, resource('DEAD_LETTER_QUEUE_URL', env)),
    records: sqsQueue(sqs, resource('RECORDS_QUEUE_URL', env)),
    clock: systemClock,
    log,
  };
});
