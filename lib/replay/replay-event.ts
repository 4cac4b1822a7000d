import * as z from 'zod/mini';
import { deadLetterReasons } from '../messages/dead-letter.ts';
import type { ReplayRequest } from './replay.ts';

/** Thrown for an event that says something other than which letters to replay. */
export class ReplayEventError extends Error {
  override readonly name = 'ReplayEventError';
  readonly code = 'REPLAY_EVENT';
}

// Strict: a misspelt filter must not replay everything.
const replayEvent = z.strictObject({
  kind: z.literal('replay'),
  integration: z.exactOptional(z.string()),
  reason: z.exactOptional(z.enum(deadLetterReasons)),
  id: z.exactOptional(z.string()),
  lastBeforeMs: z.exactOptional(z.number()),
  limit: z.exactOptional(z.int().check(z.minimum(1))),
  ratePerSec: z.exactOptional(z.number().check(z.positive())),
  force: z.exactOptional(z.boolean()),
  dryRun: z.exactOptional(z.boolean()),
});

/** Reads an event of `functions/replay`. Throws ReplayEventError naming what is wrong. */
export const readReplayEvent = (event: unknown): ReplayRequest => {
  const read = z.safeParse(replayEvent, event);
  if (read.success) return read.data;
  const faults = read.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys' ? `unknown ${issue.keys.join(', ')}` : `wrong ${issue.path.join('.')}`,
  );
  throw new ReplayEventError(`not a replay event: ${faults.join('; ')}; reasons are ${deadLetterReasons.join(', ')}`);
};
