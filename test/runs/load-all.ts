import { healthView } from '../../lib/connection/limit/health.ts';
import { loadBatch } from '../../lib/load/load-batch.ts';
import type { LoaderDeps } from '../../lib/load/load-plan.ts';
import { readMessage } from '../../lib/messages/record-message.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import type { Outcome, PostRecord } from '../../lib/target/target.ts';
import { memoryHealthStore } from '../fakes/memory-health-store.ts';
import { type MemoryQueue, memoryQueue } from '../fakes/memory-queue.ts';
import { memoryRateLimiter } from '../fakes/memory-rate-limiter.ts';
import { type FetchWorld, NAME } from '../fetch/fetch-world.ts';

const INVOCATION_MS = 60_000;
const VISIBILITY_SEC = 360;

/** A target that takes everything but what `refused` names, and remembers what it was asked for, in order. */
export type Loaded = {
  posts: PostRecord[];
  refused: Set<string>;
  /** Applied, and answered in words that nobody knows. */
  mumbled: Set<string>;
  deadLetters: MemoryQueue;
  /** Loads what is on the records queue until it is empty; at most for `forMs` of virtual time. */
  all(forMs?: number): Promise<void>;
};

/** The loader behind a world's records queue, on the same idCheck and clock. */
export const loadingFor = (world: FetchWorld, policy = world.plan.policy): Loaded => {
  const { clock } = world;
  const { tree } = world.plan;
  const posts: PostRecord[] = [];
  const refused = new Set<string>();
  const mumbled = new Set<string>();
  const deadLetters = memoryQueue(clock);
  const target = { connection: 'target', limit: undefined, rows: 1, concurrency: 1, longestPostMs: 15_000 };
  const deps: LoaderDeps = {
    open: async () => ({
      integration: NAME,
      policy,
      address: async () => world.ends.target ?? { id: 'none', origin: 'none' },
      retry: { maxAttempts: 3, baseMs: 1_000, capMs: 60_000 },
      ...(tree && { rejectedParent: tree.rejectedParent }),
      target: {
        ...target,
        post: async (records) => {
          posts.push(...records);
          const outcomes = records.map(({ id }): Outcome => {
            if (mumbled.has(id)) return { kind: 'uncertain', failure: { cause: 'no-known-status', status: 200 } };
            return refused.has(id)
              ? { kind: 'rejected', failure: { cause: 'status', status: 422 } }
              : { kind: 'loaded' };
          });
          return { outcomes, requests: 1 };
        },
      },
    }),
    idStore: world.idStore,
    records: world.records,
    deadLetters,
    limiter: memoryRateLimiter(clock),
    health: healthView(memoryHealthStore(), { clock, random: world.deps.random }),
    runs: world.runs,
    clock,
    random: world.deps.random,
    log: world.deps.log,
    tuning: standardTuning,
  };
  const all = async (forMs = 3_600_000): Promise<void> => {
    const endMs = clock.nowMs() + forMs;
    while (world.records.bodies().length > 0 && clock.nowMs() < endMs) {
      const received = await world.records.receive(10, VISIBILITY_SEC);
      if (received.length === 0) await clock.advance(1_000);
      const untilMs = clock.nowMs() + INVOCATION_MS;
      const deliveries = received.map(({ messageId, body }) => ({ messageId, body }));
      await clock.run(loadBatch(deliveries, deps, () => untilMs - clock.nowMs()));
      await world.records.delete(received.map(({ handle }) => handle));
    }
  };
  return { posts, refused, mumbled, deadLetters, all };
};

/** The message of each body on a queue. */
export const messagesOn = (queue: MemoryQueue) =>
  queue.bodies().map((body) => {
    const read = readMessage(body);
    if (read.kind !== 'message') throw new Error(read.why);
    return read.message;
  });
