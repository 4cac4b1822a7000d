import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Letter,
  letterFor,
  letterForUnreadable,
  readLetter,
  writeLetter,
} from '../../lib/messages/dead-letter.ts';
import { isMeant, listLetters, visitEveryLetter, visitLetters } from '../../lib/messages/dead-letter-queue.ts';
import { deadLetterReasons } from '../../lib/messages/dead-letter-reasons.ts';
import type { ReadableQueue, Received } from '../../lib/messages/queue.ts';
import { writeMessage } from '../../lib/messages/record-message.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { memoryQueue } from '../fakes/memory-queue.ts';
import { NOW_MS, recordMessage } from '../load/message.ts';

const received = (body: string, changes: Partial<Received> = {}): Received => ({
  messageId: 'message-1',
  handle: 'handle-1',
  body,
  sentMs: NOW_MS + 1_000,
  receiveCount: 4,
  ...changes,
});
const failure = { cause: 'status', status: 422, excerpt: '重复', atMs: NOW_MS + 500 };
const place = { messageId: 'message-1', handle: 'handle-1' };

describe('a message of the dead-letter queue', () => {
  it.each(['rejected', 'uncertain', 'exhausted'] as const)(
    'that the loader wrote as %s is read as it was written',
    (reason) => {
      const message = recordMessage({ id: '0', number: 'G-1', attempts: 2 });
      const letter = letterFor(reason, message, failure);
      expect(readLetter(received(writeLetter(letter)))).toEqual({
        ...place,
        reason,
        integration: 'groups',
        id: '0',
        number: 'G-1',
        runId: message.runId,
        attempts: 2,
        firstMs: NOW_MS,
        lastMs: NOW_MS + 500,
        failure,
        message: { ...message, lastFailure: failure },
      });
    },
  );

  it('that SQS moved there as it was is crashed, and can be sent again', () => {
    const message = recordMessage({ number: 'G-1', attempts: 1, lastFailure: failure });
    expect(readLetter(received(writeMessage(message)))).toEqual({
      ...place,
      reason: 'crashed',
      integration: 'groups',
      id: '1',
      number: 'G-1',
      runId: message.runId,
      attempts: 1,
      firstMs: NOW_MS,
      lastMs: NOW_MS + 1_000,
      failure,
      message,
    });
  });

  it('that nobody can read keeps its body', () => {
    for (const body of ['', '{', '{"v":2}', '[]', 'null']) {
      expect(readLetter(received(body))).toEqual({
        ...place,
        reason: 'unreadable',
        attempts: 0,
        firstMs: NOW_MS + 1_000,
        lastMs: NOW_MS + 1_000,
        body,
      });
    }
  });

  it('that the loader could not read then keeps its body, and can be sent again once it can be read', () => {
    const letter = readLetter(received(writeLetter(letterForUnreadable('{', 'the body is not JSON', NOW_MS))));
    expect(letter).toMatchObject({ reason: 'unreadable', body: '{', attempts: 0, firstMs: NOW_MS, lastMs: NOW_MS });
    expect(letter).not.toHaveProperty('message');
    const body = writeMessage(recordMessage({ integration: 'missing' }));
    const missing = readLetter(received(writeLetter(letterForUnreadable(body, 'no integration', NOW_MS))));
    expect(missing).toMatchObject({ reason: 'unreadable', body, message: { integration: 'missing' } });
  });

  it('that says something odd is read as far as it can be', () => {
    const odd = { deadLetter: 'elsewhere', attempts: 'many', failure: { status: '422' }, message: { v: 1 }, id: 7 };
    expect(readLetter(received(JSON.stringify(odd)))).toEqual({
      ...place,
      reason: 'unreadable',
      attempts: 0,
      firstMs: NOW_MS + 1_000,
      lastMs: NOW_MS + 1_000,
      failure: { cause: 'unknown', atMs: NOW_MS + 1_000 },
    });
  });

  it('is read, never thrown, whatever it is', () => {
    const field = fc.oneof(fc.jsonValue(), fc.constant({ toString: 1 }), fc.constant(recordMessage()));
    const nearly = fc.dictionary(
      fc.constantFrom('deadLetter', 'message', 'failure', 'attempts', 'unreadableBody', 'id', 'v', 'firstMs'),
      fc.oneof(field, fc.constantFrom(...deadLetterReasons)),
    );
    const deep = fc.constantFrom('['.repeat(50_000), `{"deadLetter":1,"message":${'[1234567890123456,'.repeat(5_000)}`);
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      deep,
      nearly.map((letter) => JSON.stringify(letter)),
    );
    fc.assert(
      fc.property(body, (text) => {
        const letter = readLetter(received(text));
        expect(deadLetterReasons).toContain(letter.reason);
        expect([letter.messageId, letter.handle]).toEqual(['message-1', 'handle-1']);
        expect(typeof letter.attempts).toBe('number');
      }),
      { numRuns: 500 },
    );
  });
});

describe('which letters are meant', () => {
  const letter = readLetter(received(writeLetter(letterFor('rejected', recordMessage({ id: '0' }), failure))));
  it.each([
    [{}, true],
    [{ reason: 'rejected' }, true],
    [{ reason: 'crashed' }, false],
    [{ id: '0' }, true],
    [{ id: '1' }, false],
    [{ id: 'message-1' }, false],
    [{ integration: 'groups' }, true],
    [{ integration: 'customers' }, false],
    [{ reason: 'rejected', id: '0', integration: 'groups', limit: 1 }, true],
    [{ reason: 'rejected', id: '1', integration: 'groups' }, false],
    [{ lastBeforeMs: NOW_MS + 501 }, true],
    [{ lastBeforeMs: NOW_MS + 500 }, false],
  ] as const)('by %j: %s', (filter, expected) => {
    expect(isMeant(letter, filter)).toBe(expected);
  });

  it('an unreadable one by its message id, or the integration that its body names', () => {
    expect(isMeant(readLetter(received('{')), { id: 'message-1' })).toBe(true);
    expect(isMeant(readLetter(received('{')), { integration: 'groups' })).toBe(false);
    const body = writeMessage(recordMessage());
    const missing = readLetter(received(writeLetter(letterForUnreadable(body, 'no integration', NOW_MS))));
    expect(isMeant(missing, { integration: 'groups' })).toBe(true);
  });
});

describe('a pass over the letters', () => {
  const queueOf = async (count: number) => {
    const clock = fakeClock(NOW_MS);
    const queue = memoryQueue(clock);
    const bodies = Array.from({ length: count }, (_, id) =>
      writeLetter(letterFor('rejected', recordMessage({ id: String(id) }), { ...failure, atMs: NOW_MS + count - id })),
    );
    await queue.sendAll(bodies.map((body) => ({ body })));
    return { clock, queue };
  };
  const visited = async (
    queue: ReadableQueue,
    verdict: (letter: Letter) => 'stays' | 'gone' | 'stop' = () => 'stays',
  ) => {
    const ids: string[] = [];
    await visitLetters(queue, async (letter) => {
      ids.push(letter.id ?? '');
      return verdict(letter);
    });
    return ids;
  };
  const all = (count: number) => Array.from({ length: count }, (_, id) => String(id));

  it('sees every letter once and leaves them all to be seen again a second later', async () => {
    const { clock, queue } = await queueOf(37);
    expect(await visited(queue)).toEqual(all(37));
    expect(await queue.depth()).toEqual({ visible: 0, inFlight: 37, delayed: 0 });
    await clock.advance(1_000);
    expect(await visited(queue)).toEqual(all(37));
  });

  it('stops where it is told to, and leaves the rest to be seen again', async () => {
    const { clock, queue } = await queueOf(25);
    expect(await visited(queue, ({ id }) => (id === '12' ? 'stop' : 'stays'))).toEqual(all(13));
    await clock.advance(1_000);
    expect((await visited(queue)).sort()).toEqual(all(25).sort());
  });

  it('does not show again what is gone', async () => {
    const { clock, queue } = await queueOf(5);
    await visited(queue, ({ id }) => (id === '2' ? 'gone' : 'stays'));
    await clock.advance(1_000);
    expect(await visited(queue)).toEqual(['0', '1', '3', '4']);
  });

  it('shows again what it saw when a visit throws', async () => {
    const { clock, queue } = await queueOf(5);
    const visit = visitLetters(queue, async ({ id }) => {
      if (id === '1') throw new Error('broken');
      return 'stays';
    });
    await expect(visit).rejects.toThrow('broken');
    await clock.advance(120_000);
    expect(await visited(queue)).toEqual(all(5));
  });

  it('ends, and misses no letter, where letters come back while it looks: late, twice, mixed with new ones', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 10 }), { maxLength: 8 }),
        async (batches) => {
          const { queue } = await queueOf(0);
          let receives = 0;
          const again: ReadableQueue = {
            ...queue,
            receive: async () => {
              const ids = batches[receives++ % (batches.length + 1)] ?? (receives > 50 ? [0] : []);
              return ids.map((id, index) =>
                received(writeMessage(recordMessage({ id: String(id) })), {
                  messageId: `message-${id}`,
                  handle: `${receives}-${index}`,
                }),
              );
            },
            release: async () => {},
          };
          const seen = await visited(again);
          expect(new Set(seen).size).toBe(seen.length);
          const untilOld: number[] = [];
          for (const batch of batches) {
            const isNew = batch.some((id) => !untilOld.includes(id));
            if (!isNew) break;
            untilOld.push(...batch);
          }
          expect([...seen].sort()).toEqual([...new Set(untilOld.map(String))].sort());
        },
      ),
    );
  });

  it('waits for the letters that somebody else looks at, and visits each once', async () => {
    const { clock, queue } = await queueOf(25);
    const others = await queue.receive(10, 120);
    let receives = 0;
    const waiting: ReadableQueue = {
      ...queue,
      // A long poll takes a second.
      receive: async (max, hideSec) => {
        await clock.advance(1_000);
        receives += 1;
        if (receives === 8)
          await queue.release(
            others.map(({ handle }) => handle),
            1,
          );
        return queue.receive(max, hideSec);
      },
    };
    const ids: string[] = [];
    await visitEveryLetter(waiting, async ({ id }) => {
      ids.push(id ?? '');
      return 'stays';
    });
    expect(ids).toHaveLength(25);
    expect(ids.toSorted()).toEqual(all(25).toSorted());
  });

  it('does not wait for ever for hidden letters, nor where it is told to stop', async () => {
    const { queue } = await queueOf(25);
    await queue.receive(10, 120);
    expect(await listLetters(queue)).toHaveLength(15);
    expect(await listLetters((await queueOf(25)).queue, { limit: 3 })).toHaveLength(3);
  });

  it('lists what is meant, the oldest failure first, and no more than the limit', async () => {
    const { clock, queue } = await queueOf(12);
    const ids = (await listLetters(queue)).map(({ id }) => id);
    expect(ids).toEqual(all(12).reverse());
    await clock.advance(1_000);
    expect(await listLetters(queue, { id: '7' })).toHaveLength(1);
    await clock.advance(1_000);
    expect(await listLetters(queue, { limit: 3 })).toHaveLength(3);
    await clock.advance(1_000);
    expect(await queue.depth()).toEqual({ visible: 12, inFlight: 0, delayed: 0 });
  });
});
