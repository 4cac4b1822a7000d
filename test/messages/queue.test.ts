import { describe, expect, it } from 'vitest';
import { fakeClock } from '../fakes/fake-clock.ts';
import { memoryQueue } from '../fakes/memory-queue.ts';

describe('the queue in memory', () => {
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
