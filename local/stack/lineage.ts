import { createHash } from 'node:crypto';

/**
 * Lambda counts how often a chain of messages has come back to one function, and stops the chain at about this number
 * (Lambda developer guide, "Use Lambda recursive loop detection to prevent infinite loops").
 */
export const MAX_HOPS = 16;

/** What a function declares about such chains (`RecursiveLoop`). Lambda's default is `Terminate`. */
export type RecursiveLoop = 'Allow' | 'Terminate';

/** The HTTP header in which the AWS SDK passes a chain on, and the system attribute in which SQS keeps it. */
export const TRACE_HEADER = 'x-amzn-trace-id';
export const TRACE_ATTRIBUTE = 'AWSTraceHeader';

const LINEAGE = /(?:^|;)Lineage=([^;]*)/;
/** A root without sampling: what Lambda passes on where nobody traces. */
const UNTRACED = 'Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0';

const keyOf = (functionName: string): string => createHash('sha256').update(functionName).digest('hex').slice(0, 8);

/** How often each function was passed, by its key. */
const passesOf = (header: string): Map<string, number> => {
  const [, lineage = ''] = LINEAGE.exec(header) ?? [];
  const entries = lineage.split('|').map((entry) => /^1:([0-9a-f]{8}):(\d+)$/.exec(entry));
  return new Map(entries.flatMap((entry) => (entry === null ? [] : [[String(entry[1]), Number(entry[2])]])));
};

/** How often the chain of a message has passed a function. */
export const hopsOf = (header: string | undefined, functionName: string): number =>
  passesOf(header ?? '').get(keyOf(functionName)) ?? 0;

/** The header that an invocation gets: its chain, one hop longer. */
export const withHop = (header: string | undefined, functionName: string): string => {
  const before = header ?? UNTRACED;
  const passes = passesOf(before).set(keyOf(functionName), hopsOf(before, functionName) + 1);
  const lineage = [...passes].map(([key, count]) => `1:${key}:${count}`).join('|');
  return `${before.replace(LINEAGE, '')};Lineage=${lineage}`;
};

/**
 * The chain that a batch goes on with. AWS does not say which one it takes where the messages have several. Here it is
 * the longest one, which is stopped first.
 */
export const longestOf = (headers: readonly (string | undefined)[], functionName: string): string | undefined =>
  headers.reduce((longest, header) =>
    hopsOf(header, functionName) > hopsOf(longest, functionName) ? header : longest,
  );
