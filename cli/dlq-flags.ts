import { hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import type { DeadLetterReason } from '../lib/messages/dead-letter.ts';
import type { LetterFilter } from '../lib/messages/dead-letter-queue.ts';
import { defined } from '../lib/runtime/defined.ts';
import { UsageError } from './exit-code.ts';
import type { StackFlags } from './with-stores.ts';
import { parseSpan } from './words.ts';

/** Which letters a command is about, as the operator says it. */
export type LetterFlags = StackFlags & {
  integration?: string;
  reason?: DeadLetterReason;
  id?: string;
  limit?: number;
  olderThan?: string;
  json?: boolean;
};

/** The filter that the flags mean; `integration` is its name. Throws UsageError for a span that is none. */
export const filterOf = (
  { reason, id, limit, olderThan }: LetterFlags,
  integration: string | undefined,
): LetterFilter => {
  const olderThanMs = olderThan === undefined ? undefined : parseSpan(olderThan);
  if (olderThan !== undefined && olderThanMs === undefined) {
    throw new UsageError(`--older-than ${olderThan}: expected a span such as 90s, 30m, 2h or 7d.`);
  }
  return {
    ...defined({ integration }),
    ...defined({ reason }),
    ...defined({ id }),
    ...defined({ limit }),
    ...(olderThanMs !== undefined && { lastBeforeMs: Date.now() - olderThanMs }),
  };
};

/** Who works here, for the audit log: the name that the operating system knows, and the machine's. */
export const operatorName = (): string => {
  const host = hostname();
  try {
    return `${userInfo().username}@${host}`;
  } catch {
    // A container may run under a number without a name.
    return `uid ${process.getuid?.() ?? '?'}@${host}`;
  }
};

/** Asks on the terminal (the question goes to stderr); undefined where there is none, or where Ctrl-C or Ctrl-D answers. */
export const ask = async (question: string): Promise<string | undefined> => {
  if (!process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(question)).trim();
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
    process.stderr.write('\n');
    return undefined;
  } finally {
    terminal.close();
  }
};
