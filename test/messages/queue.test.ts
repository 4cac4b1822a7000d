import { describe, expect, it } from 'vitest';
import { queueContract } from '../contracts/queue.contract.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { memoryQueue } from '../fakes/memory-queue.ts';

describe('the queue in memory', () => {
  queueContract(() => {
    const clock = fakeClock();
    const deadLetters = memoryQueue(clock);
    const queue = memoryQueue(clock, { deadLetters, maxReceiveCount: 3 });
    return { queue, deadLetters, maxReceiveCount: 3, nowMs: clock.nowMs, pass: (sec) => clock.advance(sec * 1000) };
  });

  it('cuts a delay to 900 s', async () => {
    const clock = fakeClock();
    const queue = memoryQueue(clock);
    await queue.sendAll([{ body: 'a', delaySec: 5_000 }]);
    await clock.advance(899_999);
    expect(await queue.receive(1, 1)).toEqual([]);
    await clock.advance(1);
    expect(await queue.receive(1, 1)).toHaveLength(1);
  });

  it('ignores the handle of an earlier receive, as SQS does', async () => {
    const clock = fakeClock();
    const queue = memoryQueue(clock);
    await queue.sendAll([{ body: 'a' }]);
    const [first] = await queue.receive(1, 1);
    await clock.advance(1_000);
    await queue.receive(1, 1);
    await queue.delete([first?.handle ?? '']);
    expect(queue.bodies()).toEqual(['a']);
  });
});
