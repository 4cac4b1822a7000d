import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What the servers were asked for; units as DynamoDB bills them. */
export type Counts = { posts: number; reads: number; writes: number; readUnits: number; writeUnits: number };
export type Order = 'counts' | 'reset';

/** Latencies that stand for AWS and for a target, in ms. */
export const DYNAMO_MS = 5;
export const SQS_MS = 10;
export const TARGET_MS = 50;

export type LatencyServers = {
  dynamo: string;
  target: string;
  /** Counts since the last call. */
  take(): Promise<Counts>;
  close(): void;
};

/** Starts an embedded DynamoDB with these tables (`NAME:HASHKEY:RANGEKEY`) and a target, in another process. */
export const startLatencyServers = async (tables: readonly string[]): Promise<LatencyServers> => {
  const file = fileURLToPath(new URL('./latency-process.ts', import.meta.url));
  const child = fork(file, [String(DYNAMO_MS), String(TARGET_MS), ...tables]);
  const [{ dynamo, target }] = (await once(child, 'message')) as [{ dynamo: string; target: string }];
  return {
    dynamo,
    target,
    take: async () => {
      child.send('reset' satisfies Order);
      const [{ counts }] = (await once(child, 'message')) as [{ counts: Counts }];
      return counts;
    },
    close: () => child.kill(),
  };
};
