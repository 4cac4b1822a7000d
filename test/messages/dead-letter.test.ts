import { describe, expect, it } from 'vitest';
import { parseJson } from '../../lib/json/json.ts';
import { letterFor, letterForUnreadable, sendLetter, writeLetter } from '../../lib/messages/dead-letter.ts';
import { type Queue, QueueUnreachableError } from '../../lib/messages/queue.ts';
import type { Failure } from '../../lib/messages/record-message.ts';
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

describe('sending a letter', () => {
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
    const gone = queue(() => Promise.reject(new QueueUnreachableError('gone')));
    expect(await sendLetter(gone, letter)).toBe(false);
  });
});
