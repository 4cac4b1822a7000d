import { setTimeout as sleep } from 'node:timers/promises';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, test } from 'vitest';
import type { StackEvent } from '../../../local/stack/stack.ts';
import { closeFixtures, startFixture, until, variableOf } from './fixtures/fixture-stack.ts';

afterEach(closeFixtures);

const bodies = (count: number, extra: object = {}) =>
  Array.from({ length: count }, (_, n) => ({ id: `m${n}`, ...extra }));

async function startWithQueue(variable: string, deadQueue = false) {
  const events: StackEvent[] = [];
  const fixture = await startFixture({ onEvent: (event) => events.push(event) });
  const queueUrl = variableOf(fixture.stack, variable);
  const deadUrl = deadQueue ? queueUrl.replace('fixture-local-pairs', 'fixture-local-dead') : '';
  const begun = () => fixture.journal().filter(({ at }) => at === 'begin');
  return { ...fixture, events, queueUrl, deadUrl, begun };
}

test('a record has the shape that Lambda gives it', async () => {
  const { stack, sqs, queueUrl, begun } = await startWithQueue('PAIRS_QUEUE_URL');
  const { MessageId } = await sqs.send(
    new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: JSON.stringify({ id: 'm0' }),
      MessageAttributes: {
        kind: { DataType: 'String', StringValue: 'product-group' },
        blob: { DataType: 'Binary', BinaryValue: new Uint8Array([1, 2, 3]) },
      },
    }),
  );
  stack.startEventSources();
  await until(() => stack.drained());
  expect(begun()[0]?.records).toEqual([
    {
      messageId: MessageId,
      receiptHandle: expect.any(String),
      body: '{"id":"m0"}',
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: expect.stringMatching(/^\d{13}$/),
        SenderId: expect.any(String),
        ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
      },
      messageAttributes: {
        kind: { stringValue: 'product-group', stringListValues: [], binaryListValues: [], dataType: 'String' },
        blob: { binaryValue: 'AQID', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
      },
      md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
      md5OfBody: expect.stringMatching(/^[0-9a-f]{32}$/),
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:fixture-local-pairs',
      awsRegion: 'us-east-1',
    },
  ]);
});

test('batches are never larger than batchSize, and all messages are deleted after success', async () => {
  const { stack, send, queueUrl, begun, depth } = await startWithQueue('PAIRS_QUEUE_URL');
  await send(queueUrl, bodies(7));
  stack.startEventSources();
  await until(() => stack.drained());
  const batches = begun();
  expect(Math.max(...batches.map(({ ids }) => ids.length))).toBe(2);
  expect(batches.flatMap(({ ids }) => ids).toSorted()).toEqual(bodies(7).map(({ id }) => id));
  expect(await depth(queueUrl)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
});

test('a batch above ten is gathered from several receives', async () => {
  const { stack, send, queueUrl, begun } = await startWithQueue('WIDE_QUEUE_URL');
  await send(queueUrl, bodies(30));
  stack.startEventSources();
  await until(() => stack.drained());
  expect(begun().map(({ ids }) => ids.length)).toEqual([25, 5]);
});

test('the batching window waits for what arrives after the first message, and no longer', async () => {
  const { stack, send, queueUrl, begun, depth } = await startWithQueue('WIDE_QUEUE_URL');
  stack.startEventSources();
  await send(queueUrl, [{ id: 'early' }]);
  await until(async () => (await depth(queueUrl)).inFlight === 1);
  await send(queueUrl, [{ id: 'later' }]);
  // The window of a second has ended by then, however late its poller and this test are: they share one event loop.
  await sleep(1_500);
  await send(queueUrl, [{ id: 'too late' }]);
  await until(() => stack.drained());
  expect(begun().map(({ ids }) => ids)).toEqual([['early', 'later'], ['too late']]);
});

test('messages that a poller gathers are in the hands of somebody', async () => {
  const { stack, send, queueUrl, begun } = await startWithQueue('WIDE_QUEUE_URL');
  await send(queueUrl, [{ id: 'm0' }]);
  stack.startEventSources();
  let looksInNobodysHands = 0;
  await until(() => {
    const { inFlight, running } = stack.backlog();
    if (inFlight > 0 && running === 0) looksInNobodysHands += 1;
    return begun().length > 0;
  });
  // The window lasts for a second; between the queue and its poller a message is for some turns of the event loop.
  expect(looksInNobodysHands).toBeLessThan(5);
  await until(() => stack.drained());
});

test('a partial failure brings back the failed message only, after its visibility timeout', async () => {
  const { stack, send, queueUrl, begun } = await startWithQueue('PAIRS_QUEUE_URL');
  await send(queueUrl, [{ id: 'good' }, { id: 'bad', do: 'fail-once' }]);
  const startMs = performance.now();
  stack.startEventSources();
  await until(() => stack.drained());
  expect(performance.now() - startMs).toBeGreaterThan(990);
  expect(begun().map(({ ids, receiveCounts }) => [ids, receiveCounts])).toEqual([
    [
      ['good', 'bad'],
      [1, 1],
    ],
    [['bad'], [2]],
  ]);
});

test('without ReportBatchItemFailures the answer is not looked at', async () => {
  const { stack, send, queueUrl, begun } = await startWithQueue('NARROW_QUEUE_URL');
  await send(queueUrl, [{ id: 'm0', do: 'fail' }]);
  stack.startEventSources();
  await until(() => stack.drained());
  expect(begun()).toHaveLength(1);
});

test.each(['throw', 'hang', 'bad-answer'])('%s: the whole batch comes back', async (what) => {
  const { stack, send, queueUrl, begun, events } = await startWithQueue('PAIRS_QUEUE_URL');
  await send(queueUrl, [{ id: 'good' }, { id: 'bad', do: what }]);
  stack.startEventSources();
  await until(() => begun().length >= 2);
  const seen = begun().flatMap(({ ids, receiveCounts }) => ids.map((id, n) => `${id} ${receiveCounts[n]}`));
  await until(() => events.some((event) => event.kind === 'batch'));
  expect(seen.slice(0, 2)).toEqual(['good 1', 'bad 1']);
  expect(seen.slice(2)).toContain('good 2');
  expect(events.find((event) => event.kind === 'batch')).toMatchObject({ batch: { size: 2, deleted: 0 } });
});

test('a message that keeps failing goes to the dead-letter queue after maxReceiveCount receives, and it alone', async () => {
  const { stack, send, queueUrl, deadUrl, begun, depth } = await startWithQueue('PAIRS_QUEUE_URL', true);
  await send(queueUrl, [{ id: 'good' }, { id: 'bad', do: 'fail' }]);
  stack.startEventSources();
  await until(async () => (await depth(deadUrl)).visible === 1);
  expect(begun().filter(({ ids }) => ids.includes('bad'))).toHaveLength(2);
  expect(begun().filter(({ ids }) => ids.includes('good'))).toHaveLength(1);
  expect(await stack.drained()).toBe(true);
});

test('never more batches taken or run at once than maximumConcurrency, however long the queue, and as many if it is', async () => {
  const { stack, send, queueUrl, journal, depth } = await startWithQueue('NARROW_QUEUE_URL');
  await send(queueUrl, bodies(30, { takesMs: 100 }));
  stack.startEventSources();
  let mostInFlight = 0;
  await until(async () => {
    mostInFlight = Math.max(mostInFlight, (await depth(queueUrl)).inFlight);
    return stack.drained();
  });
  expect(mostInFlight).toBe(2);
  let now = 0;
  const atOnce = journal().map(({ at }) => {
    now += at === 'begin' ? 1 : -1;
    return now;
  });
  expect(Math.max(...atOnce)).toBe(2);
});

test('a backlog that one environment is quickly through with starts no second one', async () => {
  const { stack, send, queueUrl, events } = await startWithQueue('BULK_QUEUE_URL');
  await send(queueUrl, bodies(100));
  stack.startEventSources();
  await until(() => stack.drained());
  const invocations = events.flatMap((event) => (event.kind === 'invocation' ? [event.invocation] : []));
  expect(invocations).toHaveLength(10);
  expect(invocations.filter(({ coldStart }) => coldStart)).toHaveLength(1);
});

test('a long queue passes in full batches, without a pause between them', async () => {
  const { stack, send, queueUrl, events } = await startWithQueue('BULK_QUEUE_URL');
  await send(queueUrl, bodies(1_000));
  stack.startEventSources();
  // A long poll between two batches would take longer than this waits.
  await until(() => stack.drained());
  const sizes = events.flatMap((event) => (event.kind === 'batch' ? [event.batch.deleted] : []));
  expect(sizes).toEqual(Array.from({ length: 100 }, () => 10));
});

test('a delayed message and one in flight keep the stack from being drained', async () => {
  const { stack, sqs, send, queueUrl, begun } = await startWithQueue('NARROW_QUEUE_URL');
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: '{"id":"late"}', DelaySeconds: 1 }));
  expect(await stack.drained()).toBe(false);
  stack.startEventSources();
  await until(() => stack.drained());
  expect(begun().map(({ ids }) => ids)).toEqual([['late']]);
  await send(queueUrl, [{ id: 'slow', takesMs: 300 }]);
  await until(() => begun().length === 2);
  expect(await stack.drained()).toBe(false);
  await until(() => stack.drained());
});

test('closing waits for the batch under way and its deletion', async () => {
  const { stack, send, queueUrl, begun, journal, events } = await startWithQueue('NARROW_QUEUE_URL');
  await send(queueUrl, [{ id: 'slow', takesMs: 300 }]);
  stack.startEventSources();
  await until(() => begun().length === 1);
  await stack.close();
  expect(journal().map(({ at }) => at)).toEqual(['begin', 'end']);
  expect(events).toContainEqual(expect.objectContaining({ batch: expect.objectContaining({ deleted: 1 }) }));
});

// Lambda developer guide, "Use Lambda recursive loop detection to prevent infinite loops".
describe('a function that sends to the queue which invokes it', () => {
  const invocations = (events: readonly StackEvent[], name: string) =>
    events.filter((event) => event.kind === 'invocation' && event.invocation.functionName === name);
  const depthOfDead = async (queueUrl: string, depth: (queueUrl: string) => Promise<{ visible: number }>) =>
    (await depth(queueUrl.replace(/-(loop|allowed)$/, '-dead'))).visible;

  test('is not invoked a 17th time in one chain: the message ends in the dead letters', async () => {
    const { stack, events, send, depth } = await startWithQueue('PAIRS_QUEUE_URL');
    const queueUrl = variableOf(stack, 'PAIRS_QUEUE_URL').replace(/-pairs$/, '-loop');
    await send(queueUrl, [{ id: 'm0', again: 20 }]);
    stack.startEventSources();
    await until(async () => (await depthOfDead(queueUrl, depth)) === 1);
    expect(invocations(events, 'loop')).toHaveLength(16);
    const faults = events.flatMap((event) => (event.kind === 'batch' ? (event.batch.fault ?? []) : []));
    expect(faults[0]).toMatch(/^RecursiveInvocationException: /);
  });

  test('goes on for as long as it sends where it says RecursiveLoop: Allow', async () => {
    const { stack, events, send, depth } = await startWithQueue('PAIRS_QUEUE_URL');
    const queueUrl = variableOf(stack, 'PAIRS_QUEUE_URL').replace(/-pairs$/, '-allowed');
    await send(queueUrl, [{ id: 'm0', again: 20 }]);
    stack.startEventSources();
    await until(() => stack.drained());
    expect(invocations(events, 'allowed')).toHaveLength(21);
    expect(await depthOfDead(queueUrl, depth)).toBe(0);
  });

  test('keeps its chains apart: each counts its own hops', async () => {
    const { stack, events, send, depth } = await startWithQueue('PAIRS_QUEUE_URL');
    const queueUrl = variableOf(stack, 'PAIRS_QUEUE_URL').replace(/-pairs$/, '-loop');
    await send(queueUrl, [{ id: 'm0', again: 12 }]);
    stack.startEventSources();
    await until(() => stack.drained());
    await send(queueUrl, [{ id: 'm1', again: 12 }]);
    await until(() => stack.drained());
    expect(invocations(events, 'loop')).toHaveLength(26);
    expect(await depthOfDead(queueUrl, depth)).toBe(0);
  });
});
