import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, expect, test } from 'vitest';
import { startStack } from '../../../local/stack/stack.ts';
import {
  closeFixtures,
  dynamoDbClientFor,
  type Fixture,
  freshDir,
  readJournal,
  serviceDir,
  startFixture,
  until,
  variableOf,
} from './fixtures/fixture-stack.ts';

const processes: ChildProcess[] = [];

afterEach(async () => {
  for (const child of processes.splice(0)) await killHard(child);
  await closeFixtures();
});

async function startProcess(dataDir: string, ...args: string[]): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('fixtures/stack-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dataDir, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  processes.push(child);
  await once(child.stdout, 'data');
  return child;
}

async function killHard(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const readItem = ({ stack }: Fixture, pk: string) =>
  dynamoDbClientFor(stack).send(
    new GetItemCommand({ TableName: variableOf(stack, 'ITEMS_TABLE'), Key: { pk: { S: pk } } }),
  );

test('messages, delayed messages, items and receive counts survive a close and a start', async () => {
  const first = await startFixture();
  const queueUrl = variableOf(first.stack, 'NARROW_QUEUE_URL');
  await first.send(queueUrl, [{ id: 'm0' }]);
  await first.sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'delayed', DelaySeconds: 900 }));
  await first.sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }));
  await dynamoDbClientFor(first.stack).send(
    new PutItemCommand({ TableName: variableOf(first.stack, 'ITEMS_TABLE'), Item: { pk: { S: 'kept' } } }),
  );
  await first.stack.close();

  const second = await startFixture({ dataDir: first.dataDir });
  const sameQueueUrl = variableOf(second.stack, 'NARROW_QUEUE_URL');
  expect(await second.depth(sameQueueUrl)).toEqual({ visible: 1, inFlight: 0, delayed: 1 });
  const { Messages } = await second.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: sameQueueUrl, MessageSystemAttributeNames: ['All'] }),
  );
  expect(Messages).toMatchObject([{ Body: '{"id":"m0"}', Attributes: { ApproximateReceiveCount: '2' } }]);
  expect((await readItem(second, 'kept')).Item).toEqual({ pk: { S: 'kept' } });
});

test('after kill -9 nothing is lost, and what the process held in flight is delivered again at once', async () => {
  const dataDir = freshDir();
  const child = await startProcess(dataDir, '12', '150');
  await killHard(child);
  const done = () => readJournal(dataDir).filter(({ at }) => at === 'end');
  const doneBefore = done().length;
  expect(doneBefore).toBeLessThan(12);

  const fixture = await startFixture({ dataDir });
  expect((await readItem(fixture, 'kept')).Item).toEqual({ pk: { S: 'kept' } });
  fixture.stack.startEventSources();
  // The queue's visibility timeout is 60 s: waiting for it would take longer than this allows.
  await until(() => fixture.stack.drained());
  const ids = new Set(done().flatMap((line) => line.ids));
  expect(ids.size).toBe(12);
  expect(done().some(({ receiveCounts }) => receiveCounts[0] === 2)).toBe(true);
});

test('a second process on the same folder is refused with the pid of the first, until that one is gone', async () => {
  const dataDir = freshDir();
  const child = await startProcess(dataDir);
  await expect(startStack({ dataDir, serviceDir })).rejects.toMatchObject({
    code: 'data-dir-in-use',
    pid: child.pid,
    message: expect.stringContaining(`process ${child.pid}`),
  });
  await expect(startStack({ dataDir, serviceDir, fresh: true })).rejects.toMatchObject({ code: 'data-dir-in-use' });
  await killHard(child);
  await startFixture({ dataDir });
});

test('a second stack in the same process is refused too', async () => {
  const { dataDir } = await startFixture();
  await expect(startStack({ dataDir, serviceDir })).rejects.toMatchObject({ pid: process.pid });
});

test('both servers answer on 127.0.0.1 and on no other address', async () => {
  const { stack } = await startFixture();
  const others = Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
  for (const name of ['AWS_ENDPOINT_URL_SQS', 'AWS_ENDPOINT_URL_DYNAMODB']) {
    const { hostname, port } = new URL(variableOf(stack, name));
    expect(hostname).toBe('127.0.0.1');
    expect(await connects('127.0.0.1', Number(port))).toBe(true);
    // All of 127/8 leads to this machine on Linux: 127.0.0.2 tells "loopback" from "every interface" anywhere.
    for (const address of ['127.0.0.2', ...others.filter((other) => other !== '127.0.0.1')]) {
      expect([address, await connects(address, Number(port))]).toEqual([address, false]);
    }
  }
});

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 500 });
    const end = (connected: boolean) => {
      socket.destroy();
      resolve(connected);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

test.each([
  ['queues', 'fauxqs.db', 'not a database at all, whatever its name says. '.repeat(100)],
  ['tables', 'CURRENT', 'no manifest\n'],
])('broken %s are reported with the folder and the way out, and --fresh is that way', async (part, file, content) => {
  const first = await startFixture();
  await first.stack.close();
  writeFileSync(join(first.dataDir, part, file), content);
  await expect(startStack({ dataDir: first.dataDir, serviceDir })).rejects.toMatchObject({
    code: 'data-dir-unreadable',
    message: expect.stringMatching(new RegExp(`${part} in ${first.dataDir} .*--fresh`)),
  });
  await startFixture({ dataDir: first.dataDir, fresh: true });
});

test('fresh discards queues, tables and logs, and nothing else in the folder', async () => {
  const dataDir = freshDir();
  mkdirSync(join(dataDir, 'own'));
  const first = await startFixture({ dataDir });
  await first.send(variableOf(first.stack, 'NARROW_QUEUE_URL'), [{ id: 'm0' }]);
  await first.stack.close();
  const second = await startFixture({ dataDir, fresh: true });
  const depth = await second.depth(variableOf(second.stack, 'NARROW_QUEUE_URL'));
  expect(depth).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  expect(readdirSync(dataDir)).toContain('own');
});

test('a fault in serverless.yml gives the folder free again', async () => {
  const dataDir = freshDir();
  const elsewhere = freshDir();
  writeFileSync(join(elsewhere, 'serverless.yml'), 'service: x\nfunctions: { f: { handler: nonsense } }\n');
  await expect(startStack({ dataDir, serviceDir: elsewhere })).rejects.toMatchObject({
    code: 'service-file',
    path: 'functions.f.handler',
  });
  await startFixture({ dataDir });
});
