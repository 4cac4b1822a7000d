import { describe, expect, it } from 'vitest';
import { MAX_BATCH_BYTES } from '../../lib/aws/sqs-queue.ts';
import { parseJson } from '../../lib/json/json.ts';
import { letterFor, letterForUnreadable, readLetter, sendLetter, writeLetter } from '../../lib/messages/dead-letter.ts';
import { type Queue, QueueUnreachableError } from '../../lib/messages/queue.ts';
import type { Failure } from '../../lib/messages/record-message.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { memoryQueue } from '../fakes/memory-queue.ts';
import { NOW_MS, recordMessage } from '../load/message.ts';

const failure: Failure = { cause: 'status', status: 422, excerpt: '重复', atMs: NOW_MS + 5 };

describe('a dead letter', () => {
  it('says what a person needs, and carries the message with its last failure', () => {
    const message = recordMessage({ id: '0', number: 'G-1', attempts: 3 });
    expect(letterFor('rejected', message, failure)).toEqual({
      v: 1,
      deadLetter: 'rejected',
      integration: 'groups',
      id: '0',
      number: 'G-1',
      runId: message.runId,
      attempts: 3,
      firstMs: NOW_MS,
      lastMs: NOW_MS + 5,
      failure,
      message: { ...message, lastFailure: failure },
    });
    expect(letterFor('exhausted', recordMessage(), failure)).not.toHaveProperty('number');
  });

  it('keeps an unreadable body as it came', () => {
    expect(letterForUnreadable('{"v":', 'the body is not JSON', NOW_MS)).toEqual({
      v: 1,
      deadLetter: 'unreadable',
      attempts: 0,
      firstMs: NOW_MS,
      lastMs: NOW_MS,
      failure: { cause: 'unreadable', excerpt: 'the body is not JSON', atMs: NOW_MS },
      unreadableBody: '{"v":',
    });
  });

  it('is text that SQS takes: the two characters that it refuses are escaped', () => {
    const text = writeLetter(letterFor('rejected', recordMessage(), { ...failure, excerpt: 'a\uFFFEb\uFFFF' }));
    expect(text).not.toMatch(/[\uFFFE\uFFFF]/);
    expect(parseJson(text)).toMatchObject({ failure: { excerpt: 'a\uFFFEb\uFFFF' } });
  });
});

describe('a reduced letter', () => {
  const large = { name: 'x'.repeat(MAX_BATCH_BYTES) };
  const place = { messageId: 'm', handle: 'h', sentMs: NOW_MS, receiveCount: 1 };

  it('is sent where the queue would never take the whole one: names and reason, without content and answer', async () => {
    const clock = fakeClock(NOW_MS);
    const queue = memoryQueue(clock);
    const whole = letterFor('rejected', recordMessage({ number: 'G-1', body: large }), failure);
    expect(await sendLetter(queue, whole)).toBe(true);
    const [received] = await queue.receive(1, 1);
    const read = readLetter({ ...place, body: received?.body ?? '' });
    const { excerpt: _, ...cause } = failure;
    expect(read).toMatchObject({ reason: 'rejected', integration: 'groups', id: '1', number: 'G-1', hash: 'A' });
    expect(read.failure).toMatchObject(cause);
    expect(read.failure?.excerpt).toContain('the queue refused the whole letter');
    expect(read.message).toBeUndefined();
  });

  it('holds the beginning of a body that nobody can read', async () => {
    const queue = memoryQueue(fakeClock(NOW_MS));
    const body = '\u0001'.repeat(MAX_BATCH_BYTES);
    expect(await sendLetter(queue, letterForUnreadable(body, 'not JSON', NOW_MS))).toBe(true);
    const [received] = await queue.receive(1, 1);
    const read = readLetter({ ...place, body: received?.body ?? '' });
    expect(read.reason).toBe('unreadable');
    expect(body.startsWith(read.body ?? ' ')).toBe(true);
  });
});

describe('sending a letter', () => {
  it('sends it whole the next time where the queue failed this once: its content is not given up for that', async () => {
    const sent: string[] = [];
    const failsOnce = queue(async (messages) => {
      sent.push(...messages.map(({ body }) => body));
      return { failed: sent.length === 1 ? [0] : [] };
    });
    expect(await sendLetter(failsOnce, letter)).toBe(false);
    expect(sent).toEqual([writeLetter(letter)]);
  });

  const letter = letterFor('rejected', recordMessage(), failure);
  const queue = (sendAll: Queue['sendAll']): Queue => ({ sendAll });
  it('is true once the queue has it, and false when the queue refused it or could not be reached', async () => {
    const sent: string[] = [];
    const takes = queue(async (messages) => {
      sent.push(...messages.map(({ body }) => body));
      return { failed: [] };
    });
    expect(await sendLetter(takes, letter)).toBe(true);
    expect(sent).toEqual([writeLetter(letter)]);
    expect(
      await sendLetter(
        queue(async () => ({ failed: [0] })),
        letter,
      ),
    ).toBe(false);
    const full = JSON.stringify(letter).length;
    const narrow = queue(async ([message]) =>
      (message?.body.length ?? 0) < full ? { failed: [] } : { failed: [0], refused: [0] },
    );
    expect(await sendLetter(narrow, letter)).toBe(true);
    const gone = queue(() => Promise.reject(new QueueUnreachableError('gone')));
    expect(await sendLetter(gone, letter)).toBe(false);
  });
});
