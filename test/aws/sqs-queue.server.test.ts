import { describe, expect, it } from 'vitest';
import { sqsQueue } from '../../lib/aws/sqs-queue.ts';
import { QueueUnreachableError } from '../../lib/messages/queue.ts';
import { startSqs } from '../contracts/embedded-sqs.ts';
import { intercept } from '../contracts/intercept.ts';
import { hastyClock } from '../fakes/fake-clock.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

const sqs = await startSqs();

type Entry = { Id: string; MessageBody: string; DelaySeconds?: number; MessageGroupId?: string };

describe('the queue in SQS', () => {
  const clock = hastyClock();
  const create = async () => {
    const { queueUrl } = await sqs.createQueues(3);
    return { queue: sqsQueue(sqs.client, queueUrl, { clock, random: seededRandom(1) }) };
  };

  /** Makes entries fail inside HTTP 200: those for which `fails` gives a fault. Counts the tries of each body. */
  const failEntries = (fails: (body: string, tries: number) => 'receiver' | 'sender' | undefined) => {
    const tries = new Map<string, number>();
    intercept(sqs.client, async ({ command, input }, next) => {
      if (command !== 'SendMessageBatchCommand') return next();
      const entries = input.Entries as Entry[];
      const failed = entries.flatMap(({ Id, MessageBody }) => {
        tries.set(MessageBody, (tries.get(MessageBody) ?? 0) + 1);
        const fault = fails(MessageBody, tries.get(MessageBody) ?? 0);
        return fault ? [{ Id, SenderFault: fault === 'sender', Code: 'Any', Message: 'any' }] : [];
      });
      input.Entries = entries.filter(({ Id }) => !failed.some((failure) => failure.Id === Id));
      const answer = (input.Entries as Entry[]).length > 0 ? await next() : { Successful: [] };
      return { ...answer, Failed: failed };
    });
    return tries;
  };
  const sent = Array.from({ length: 35 }, (_, index) => ({ body: `message ${index}` }));

  it('sends entries again that failed inside an HTTP 200, and only those', async () => {
    const { queue } = await create();
    const tries = failEntries((body, tried) => (/[37]$/.test(body) && tried < 3 ? 'receiver' : undefined));
    expect(await queue.sendAll(sent)).toEqual({ failed: [] });
    for (const { body } of sent) expect(tries.get(body)).toBe(/[37]$/.test(body) ? 3 : 1);
    expect((await queue.depth()).visible).toBe(35);
  });

  it('gives up on entries that go on failing, and names them by index', async () => {
    const { queue } = await create();
    const tries = failEntries((body) => (/ (3|30)$/.test(body) ? 'receiver' : undefined));
    const startMs = clock.nowMs();
    expect(await queue.sendAll(sent)).toEqual({ failed: [3, 30] });
    expect(tries.get('message 30')).toBe(5);
    expect(clock.nowMs()).toBeGreaterThan(startMs);
    expect((await queue.depth()).visible).toBe(33);
  });

  it("does not send again what SQS calls the sender's fault", async () => {
    const { queue } = await create();
    const tries = failEntries((body) => (body === 'message 12' ? 'sender' : undefined));
    expect(await queue.sendAll(sent)).toEqual({ failed: [12], refused: [12] });
    expect(tries.get('message 12')).toBe(1);
  });

  it('reports a body with a character that SQS refuses, while the others go through', async () => {
    const { queue } = await create();
    expect(await queue.sendAll([{ body: 'a' }, { body: 'b\uffff' }, { body: 'c' }])).toEqual({
      failed: [1],
      refused: [1],
    });
    expect((await queue.depth()).visible).toBe(2);
  });

  it('sends each message of a batch alone when SQS refuses the batch for one of its bodies', async () => {
    const { queue } = await create();
    intercept(sqs.client, async ({ input }, next) => {
      const bodies = ((input.Entries ?? []) as Entry[]).map(({ MessageBody }) => MessageBody);
      if (bodies.includes('message 4')) throw Object.assign(new Error('too long'), { name: 'BatchRequestTooLong' });
      return next();
    });
    expect(await queue.sendAll(sent)).toEqual({ failed: [4], refused: [4] });
    expect((await queue.depth()).visible).toBe(34);
  });

  it('throws when the queue cannot be reached at all, after four requests and not after each batch', async () => {
    const { queue } = await create();
    let requests = 0;
    intercept(sqs.client, async () => {
      requests += 1;
      throw new Error('connect ECONNREFUSED');
    });
    const many = Array.from({ length: 500 }, () => ({ body: 'a' }));
    const error = await queue.sendAll(many).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(QueueUnreachableError);
    expect((error as QueueUnreachableError).cause).toMatchObject({ message: 'connect ECONNREFUSED' });
    expect((error as QueueUnreachableError).message).toContain('ECONNREFUSED');
    expect(requests).toBeLessThanOrEqual(4);
  });

  it('names what was not accepted when the queue goes away half-way', async () => {
    const { queue } = await create();
    let requests = 0;
    const release = intercept(sqs.client, async (_request, next) => {
      if (++requests > 6) throw new Error('reset');
      return next();
    });
    const { failed } = await queue.sendAll(Array.from({ length: 100 }, (_, index) => ({ body: String(index) })));
    release();
    const taken = (await queue.depth()).visible;
    expect(taken).toBe(60);
    expect(failed).toHaveLength(40);
    expect(failed).toEqual([...failed].sort((a, b) => a - b));
  });

  it('sends no batch above 10 entries or 1 MiB, and no more than four at a time', async () => {
    const { queue } = await create();
    let underWay = 0;
    let most = 0;
    intercept(sqs.client, async ({ input }, next) => {
      const entries = input.Entries as Entry[];
      expect(entries.length).toBeLessThanOrEqual(10);
      expect(entries.reduce((sum, { MessageBody }) => sum + Buffer.byteLength(MessageBody), 0)).toBeLessThanOrEqual(
        1_048_576,
      );
      most = Math.max(most, ++underWay);
      const answer = await next();
      underWay -= 1;
      return answer;
    });
    const mixed = Array.from({ length: 120 }, (_, index) => ({ body: '组'.repeat(index % 7 === 0 ? 100_000 : 10) }));
    expect(await queue.sendAll(mixed)).toEqual({ failed: [] });
    expect(most).toBe(4);
  });

  it('cuts a delay to whole seconds, 900 at most, and leaves it out where none is given', async () => {
    const { queue } = await create();
    const delays: unknown[] = [];
    intercept(sqs.client, async ({ input }, next) => {
      delays.push(...(input.Entries as Entry[]).map(({ DelaySeconds }) => DelaySeconds));
      return next();
    });
    await queue.sendAll([{ body: 'a', delaySec: 5_000 }, { body: 'b', delaySec: 0.2 }, { body: 'c' }]);
    expect(delays).toEqual([900, 1, undefined]);
  });

  it('says whose a message is, and a queue that is no FIFO delivers it like any other', async () => {
    const { queue } = await create();
    const groups: unknown[] = [];
    intercept(sqs.client, async ({ command, input }, next) => {
      if (command === 'SendMessageBatchCommand')
        groups.push(...(input.Entries as Entry[]).map(({ MessageGroupId }) => MessageGroupId));
      return next();
    });
    await queue.sendAll([{ body: 'a', group: 'crm' }, { body: 'b', group: 'crm' }, { body: 'c' }]);
    expect(groups).toEqual(['crm', 'crm', undefined]);
    const received = await queue.receive(10, 30);
    expect(received.map(({ body }) => body).sort()).toEqual(['a', 'b', 'c']);
  });
});
