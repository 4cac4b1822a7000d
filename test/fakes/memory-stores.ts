import type { Clock } from '../../lib/runtime/clock.ts';
import type { Stores } from '../../lib/stores/stores.ts';
import { memoryAuditLog } from './memory-audit-log.ts';
import { memoryHealthStore } from './memory-health-store.ts';
import { type MemoryIdStore, memoryIdStore } from './memory-id-store.ts';
import { type MemoryQueue, memoryQueue } from './memory-queue.ts';
import { memoryRateLimiter } from './memory-rate-limiter.ts';
import { memoryRunStore } from './memory-run-store.ts';
import { memorySecretStore } from './memory-secret-store.ts';
import { memoryTokenStore } from './memory-token-store.ts';

type Queues = 'records' | 'runRequests' | 'deadLetters';

export type MemoryStores = Omit<Stores, 'idStore' | Queues> & { idStore: MemoryIdStore } & Record<Queues, MemoryQueue>;

const MAX_RECEIVES = 5;

/** A whole engine in memory: all stores empty, the records queue with its redrive to the dead letters. */
export const memoryStores = (clock: Clock): MemoryStores => {
  const deadLetters = memoryQueue(clock);
  return {
    idStore: memoryIdStore(),
    runs: memoryRunStore(),
    records: memoryQueue(clock, { deadLetters, maxReceiveCount: MAX_RECEIVES }),
    runRequests: memoryQueue(clock),
    deadLetters,
    limiter: memoryRateLimiter(clock),
    health: memoryHealthStore(),
    tokens: memoryTokenStore(),
    secrets: memorySecretStore(),
    audit: memoryAuditLog(),
  };
};
