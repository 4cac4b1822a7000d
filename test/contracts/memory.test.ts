import { fakeClock, hastyClock } from '../fakes/fake-clock.ts';
import { memoryAuditLog } from '../fakes/memory-audit-log.ts';
import { memoryHealthStore } from '../fakes/memory-health-store.ts';
import { memoryIdStore } from '../fakes/memory-id-store.ts';
import { memoryQueue } from '../fakes/memory-queue.ts';
import { memoryRateLimiter } from '../fakes/memory-rate-limiter.ts';
import { memoryRunStore } from '../fakes/memory-run-store.ts';
import { memoryTokenStore } from '../fakes/memory-token-store.ts';
import { engineContract } from './engine.contract.ts';

engineContract('the fakes, in memory', {
  idStore: () => memoryIdStore(1),
  runs: memoryRunStore,
  tokens: memoryTokenStore,
  audit: memoryAuditLog,
  health: memoryHealthStore,
  queue: () => {
    const clock = fakeClock();
    const deadLetters = memoryQueue(clock);
    const queue = memoryQueue(clock, { deadLetters, maxReceiveCount: 3 });
    return { queue, deadLetters, maxReceiveCount: 3, nowMs: clock.nowMs, pass: (sec) => clock.advance(sec * 1000) };
  },
  limiter: () => {
    const clock = hastyClock();
    const limiter = memoryRateLimiter(clock);
    return { workers: [limiter, limiter], nowMs: clock.nowMs, advance: clock.advance };
  },
});
