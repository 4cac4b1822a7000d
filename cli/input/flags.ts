import { basename, join } from 'node:path';
import type { LetterFilter } from '../../lib/messages/dead-letter-queue.ts';
import type { DeadLetterReason } from '../../lib/messages/dead-letter-reasons.ts';
import { defined } from '../../lib/runtime/defined.ts';
import { UsageError } from './usage-error.ts';

/** Where the embedded stack keeps its state unless told otherwise. */
export const DEFAULT_DATA_DIR = '.local';

/**
 * Where a command keeps its state: with `--sandbox` in a folder of its own inside `--data-dir`, so that what one end of
 * the sandbox made of it never mixes with what two real systems did.
 */
export const dataDirOf = (dataDir: string, sandbox: 'source' | 'target' | undefined): string => {
  if (sandbox === undefined) return dataDir;
  const own = `sandbox-${sandbox}`;
  return basename(dataDir) === own ? dataDir : join(dataDir, own);
};

/** Which stack a command is about: a deployed one, or the embedded one of a data directory. */
export type StackFlags = { dataDir: string; stage?: string; region?: string };

/** Which letters a command is about, as the operator says it. */
export type LetterFlags = StackFlags & {
  integration?: string;
  reason?: DeadLetterReason;
  id?: string;
  limit?: number;
  olderThan?: string;
  json?: boolean;
};

/** The filter that the flags mean; `integration` is its name. Throws UsageError for a span that cannot be read. */
export const filterOf = (
  { reason, id, limit, olderThan }: LetterFlags,
  integration: string | undefined,
): LetterFilter => {
  const olderThanMs = olderThan === undefined ? undefined : parseSpan(olderThan);
  if (olderThan !== undefined && olderThanMs === undefined) {
    throw new UsageError(`--older-than ${olderThan}: expected a span such as 90s, 30m, 2h or 7d.`);
  }
  const lastBeforeMs = olderThanMs === undefined ? undefined : Date.now() - olderThanMs;
  return defined({ integration, reason, id, limit, lastBeforeMs });
};

/**
 * How long pauses are waited for, ms; 10 minutes where nothing is said. Throws UsageError for a span that cannot be
 * read.
 */
export const maxWaitOf = (maxWait = '10m'): number => {
  const ms = parseSpan(maxWait);
  if (ms === undefined) throw new UsageError(`--max-wait ${maxWait}: expected a span such as 90s, 30m, 2h or 7d.`);
  return ms;
};

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads `90s`, `30m`, `2h`, `7d` as ms; undefined for anything else. */
export const parseSpan = (text: string): number | undefined => {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
};
