import { describe } from 'vitest';
import type { Stores } from '../../lib/stores/stores.ts';
import { auditLogContract } from './audit-log.contract.ts';
import { healthStoreContract } from './health-store.contract.ts';
import { idStoreContract } from './id-store.contract.ts';
import { type QueueUnderTest, queueContract } from './queue.contract.ts';
import { type LimiterUnderTest, rateLimiterContract } from './rate-limiter.contract.ts';
import { runStoreContract } from './run-store.contract.ts';
import { tokenStoreContract } from './token-store.contract.ts';

type Create<Port> = () => Promise<Port> | Port;

/** For each port of an engine how an empty one is made. Secrets are kept elsewhere, whatever the engine. */
export type Engine = {
  [Port in 'idStore' | 'runs' | 'tokens' | 'audit' | 'health']: Create<Stores[Port]>;
} & { queue: Create<QueueUnderTest>; limiter: Create<LimiterUnderTest> };

/** What every engine keeps to. */
export const engineContract = (
  name: string,
  { idStore, runs, tokens, audit, health, queue, limiter }: Engine,
): void => {
  describe(name, () => {
    idStoreContract(idStore);
    runStoreContract(runs);
    tokenStoreContract(tokens);
    auditLogContract(audit);
    healthStoreContract(health);
    queueContract(queue);
    rateLimiterContract(limiter);
  });
};
