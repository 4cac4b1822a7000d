import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_BATCH_BYTES } from '../../lib/aws/sqs-queue.ts';
import { parseJson } from '../../lib/json/json.ts';
import type { ReadableQueue, Received } from '../../lib/messages/queue.ts';
import { bodyText } from '../../lib/messages/record-message.ts';

export type QueueUnderTest = {
  queue: ReadableQueue;
  /** Where the queue moves what was received `maxReceiveCount` times. */
  deadLetters: ReadableQueue;
  maxReceiveCount: number;
  nowMs(): number;
  /** Lets `sec` seconds pass, and a little more. */
  pass(sec: number): Promise<void>;
};

const bodies = (received: readonly Received[]): string[] => received.map(({ body }) => body).sort();
const handles = (received: readonly Received[]): string[] => received.map(({ handle }) => handle);

/** Receives `count` messages, or as many as there are. */
const drain = async (queue: ReadableQueue, count: number, hideSec = 30): Promise<Received[]> => {
  const all: Received[] = [];
  while (all.length < count) {
    const received = await queue.receive(10, hideSec);
    if (received.length === 0) break;
    all.push(...received);
  }
  return all;
};

/** What every queue keeps to. `create` gives an empty one. */
export const queueContract = (create: () => Promise<QueueUnderTest> | QueueUnderTest) => {
  describe('as a queue', () => {
    let under: QueueUnderTest;
    let queue: ReadableQueue;
    beforeEach(async () => {
      under = await create();
      queue = under.queue;
    });
    const send = (...texts: string[]) => queue.sendAll(texts.map((body) => ({ body })));

    it('takes any number of messages and delivers each of them once while it is hidden', async () => {
      const sent = Array.from({ length: 57 }, (_, index) => `{"id":"${index}","name":"分组"}`);
      const beforeMs = under.nowMs();
      expect(await send(...sent)).toEqual({ failed: [] });
      const received = await drain(queue, 58);
      expect(bodies(received)).toEqual([...sent].sort());
      expect(new Set(received.map(({ messageId }) => messageId)).size).toBe(57);
      for (const { receiveCount, sentMs } of received) {
        expect(receiveCount).toBe(1);
        expect(sentMs).toBeGreaterThanOrEqual(beforeMs);
        expect(sentMs).toBeLessThanOrEqual(under.nowMs());
      }
    });

    it('takes no message at all as well', async () => {
      expect(await queue.sendAll([])).toEqual({ failed: [] });
      expect(await queue.delete([])).toEqual({ failed: [] });
      await queue.release([], 1);
    });

    it('splits by size too: 12 messages of 200 kB', async () => {
      const sent = Array.from({ length: 12 }, (_, index) => `${index}:`.padEnd(200_000, 'x'));
      expect(await send(...sent)).toEqual({ failed: [] });
      expect(bodies(await drain(queue, 12))).toEqual([...sent].sort());
    });

    it('takes a message of 1 MiB, and reports a larger one while the others go through', async () => {
      const largest = 'é'.repeat(MAX_BATCH_BYTES / 2);
      expect(await send('first', largest, `${largest}x`, 'last')).toEqual({ failed: [2], refused: [2] });
      expect(bodies(await drain(queue, 3))).toEqual(['first', 'last', largest].sort());
    });

    it('takes whatever characters a record holds, and gives them back', async () => {
      const names = ['\u{20BB7}野家 😀', '\u0000\u0008\u001b[31m\u007f', '\ud83d alone \ude00', '\uFFFE\uFFFF'];
      expect(await send(...names.map((name) => bodyText({ name })))).toEqual({ failed: [] });
      const received = await drain(queue, names.length);
      expect(received.map(({ body }) => parseJson(body))).toEqual(
        expect.arrayContaining(names.map((name) => ({ name }))),
      );
    });

    it('refuses a body with a character that SQS does not take, while the others go through', async () => {
      expect(await send('a', 'b\uFFFF', 'c\u0001', 'd')).toEqual({ failed: [1, 2], refused: [1, 2] });
      expect(bodies(await drain(queue, 2))).toEqual(['a', 'd']);
    });

    it('hides a delayed message until its time', async () => {
      await queue.sendAll([{ body: 'later', delaySec: 1 }, { body: 'now' }, { body: 'now too', delaySec: 0 }]);
      expect(await queue.depth()).toEqual({ visible: 2, inFlight: 0, delayed: 1 });
      expect(bodies(await queue.receive(10, 30))).toEqual(['now', 'now too']);
      await under.pass(1);
      expect(bodies(await queue.receive(10, 30))).toEqual(['later']);
    });

    it('shows a message again when nobody deleted it in time, with one receive more', async () => {
      await send('one');
      const [first] = await queue.receive(10, 1);
      await under.pass(1);
      const [second] = await queue.receive(10, 1);
      expect(second).toMatchObject({
        messageId: first?.messageId,
        body: 'one',
        receiveCount: 2,
        sentMs: first?.sentMs,
      });
      expect(second?.handle).not.toBe(first?.handle);
    });

    it('never shows a deleted message again', async () => {
      const sent = Array.from({ length: 23 }, (_, index) => String(index));
      await send(...sent);
      const received = await drain(queue, 23, 1);
      expect(await queue.delete(handles(received))).toEqual({ failed: [] });
      await under.pass(1);
      expect(await queue.receive(10, 1)).toEqual([]);
      expect(await queue.depth()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    });

    it('shows a released message after the given time, not after its visibility', async () => {
      await send('one');
      await queue.release(handles(await queue.receive(1, 600)), 1);
      expect(await queue.depth()).toEqual({ visible: 0, inFlight: 1, delayed: 0 });
      await under.pass(1);
      expect(bodies(await queue.receive(1, 600))).toEqual(['one']);
    });

    it('gives no more than it is asked for', async () => {
      await send('a', 'b', 'c');
      expect(await queue.receive(2, 30)).toHaveLength(2);
      expect(await queue.depth()).toEqual({ visible: 1, inFlight: 2, delayed: 0 });
    });

    it('moves a message to the dead letters when its receives are used up, body and id unchanged', async () => {
      await send('poison');
      let messageId: string | undefined;
      for (let receive = 1; receive <= under.maxReceiveCount; receive++) {
        const [received] = await queue.receive(1, 1);
        expect(received?.receiveCount).toBe(receive);
        messageId = received?.messageId;
        await under.pass(1);
      }
      expect(await queue.receive(1, 1)).toEqual([]);
      expect(await under.deadLetters.receive(1, 1)).toMatchObject([{ messageId, body: 'poison' }]);
      expect(await queue.depth()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    });
  });
};
