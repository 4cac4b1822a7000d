import { AsyncLocalStorage } from 'node:async_hooks';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CreateQueueCommand, SetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type BuildAppOptions, buildApp } from 'fauxqs';
import { type Doors, guard } from '../guard.ts';
import type { QueueSpec } from './declared-resources.ts';
import { TRACE_ATTRIBUTE, TRACE_HEADER } from './lineage.ts';
import { LOCAL_ACCOUNT_ID, LOCAL_REGION } from './local-account.ts';

type Stores = NonNullable<BuildAppOptions['stores']>;
type SqsStore = Stores['sqsStore'];
type SqsQueue = NonNullable<ReturnType<SqsStore['getQueueByName']>>;

/** How many messages a queue holds, all at one instant. */
type QueueDepth = { visible: number; inFlight: number; delayed: number };

/** A running SQS on loopback, with its state on disk. */
export type SqsServer = {
  endpoint: string;
  queueUrl(name: string): string;
  depth(name: string): QueueDepth;
  /** Makes due what was put off before this start, and still is. */
  releaseDelayed(): void;
  /** Ends the waiting of all long polls; they answer with what there is. */
  wakeLongPolls(): void;
  close(): Promise<void>;
};

/** The part of fauxqs's SQLite persistence that is used here. */
type Persistence = {
  db: DatabaseSync;
  loadSqsAndSns(sqsStore: SqsStore, snsStore: Stores['snsStore']): void;
  transaction(work: () => void): void;
  close(): void;
};

const DATABASE_FILE = 'fauxqs.db';

/** The trace header of the request that is served. */
const trace = new AsyncLocalStorage<string | undefined>();

/**
 * Starts fauxqs on a free port of 127.0.0.1 with its SQLite persistence in `dir`. Only callers whom `doors` admits are
 * served. Throws where the queues are gone beside tables that were in use, as the file `tablesMark` tells.
 * fauxqs's own start function listens on every interface, and its `buildApp` creates no persistence. So the stores are
 * created here, as its start function does. The package does not export them: its version is pinned, and the tests of
 * this folder fail where a new version moves them.
 */
export async function startSqsServer(dir: string, doors: Doors, tablesMark?: string): Promise<SqsServer> {
  releaseInFlight(join(dir, DATABASE_FILE), tablesMark);
  const [{ SqsStore }, { SnsStore }, { S3Store }, { PersistenceManager }] = (await Promise.all(
    ['sqs/sqsStore.js', 'sns/snsStore.js', 's3/s3Store.js', 'persistence.js'].map(importInternal),
  )) as [
    { SqsStore: new () => SqsStore },
    { SnsStore: new () => Stores['snsStore'] },
    { S3Store: new () => Stores['s3Store'] },
    { PersistenceManager: new (dir: string) => Persistence },
  ];
  const stores: Stores = { sqsStore: new SqsStore(), snsStore: new SnsStore(), s3Store: new S3Store() };
  const persistence = new PersistenceManager(dir);
  // Each statement commits by itself. NORMAL saves the fsync of each one. A killed process loses nothing, and that is
  // what is promised here; only a power cut could undo the last commits.
  persistence.db.exec('PRAGMA synchronous = NORMAL');
  persistence.loadSqsAndSns(stores.sqsStore, stores.snsStore);
  attachPersistence(stores.sqsStore, persistence);
  const delayedBefore = [...stores.sqsStore.allQueues()].flatMap((queue) => queue.delayedMessages);

  const app = buildApp({ logger: false, defaultRegion: LOCAL_REGION, stores });
  guard(app.server, doors);
  app.addHook('preHandler', ({ headers }, _reply, done) => trace.run(headerOf(headers[TRACE_HEADER]), done));
  const endpoint = await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    endpoint,
    queueUrl: (name) => `${endpoint}/${LOCAL_ACCOUNT_ID}/${name}`,
    depth: (name) => depthOf(stores.sqsStore, name),
    releaseDelayed: () => {
      for (const message of delayedBefore.splice(0)) delete message.delayUntil;
    },
    wakeLongPolls: () => stores.sqsStore.shutdown(),
    async close() {
      await app.close();
      persistence.close();
    },
  };
}

/** Creates the queues that do not exist yet and gives all of them the declared attributes, as a deployment does. */
export async function deployQueues(client: SQSClient, server: SqsServer, queues: readonly QueueSpec[]): Promise<void> {
  for (const { name, attributes } of queues) {
    await client.send(new CreateQueueCommand({ QueueName: name }));
    await client.send(new SetQueueAttributesCommand({ QueueUrl: server.queueUrl(name), Attributes: attributes }));
  }
}

/**
 * Makes messages visible again that a process held in flight when it ended. On AWS they would wait for their visibility
 * timeout, because a worker may still be busy with them. Here the workers ended with their process, and the lock on the
 * data directory shows that there is no other. Receive counts stay, as on AWS.
 * SQLite takes a file that is empty or gone for a new database: messages and dead letters would be lost without a word.
 */
function releaseInFlight(file: string, tablesMark: string | undefined): void {
  const database = new DatabaseSync(file);
  try {
    const known = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'sqs_messages'").get();
    if (known === undefined) {
      if (tablesMark === undefined || !existsSync(tablesMark)) return;
      throw new Error(`messages and dead letters are gone from ${file}; to go on without them, delete ${tablesMark}`);
    }
    database.exec(
      'UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE receipt_handle IS NOT NULL',
    );
  } finally {
    database.close();
  }
}

function attachPersistence(store: SqsStore, persistence: Persistence): void {
  Object.assign(store, { persistence });
  const create = store.createQueue.bind(store);
  store.createQueue = (...args: Parameters<SqsStore['createQueue']>) =>
    receiveAtomically(keepTrace(create(...args)), persistence);
  for (const queue of store.allQueues())
    receiveAtomically(keepTrace(Object.assign(queue, { persistence })), persistence);
}

const headerOf = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;

/**
 * SQS keeps a request's trace header with each message of it (developer guide, "Amazon SQS and AWS X-Ray"). fauxqs has
 * no such attribute, so the header is stored among the sender's attributes, after the limits on those were checked.
 */
function keepTrace(queue: SqsQueue): SqsQueue {
  const enqueue = queue.enqueue.bind(queue);
  queue.enqueue = (message: Parameters<SqsQueue['enqueue']>[0]) => {
    const header = trace.getStore();
    if (header !== undefined) {
      message.messageAttributes = {
        ...message.messageAttributes,
        [TRACE_ATTRIBUTE]: { DataType: 'String', StringValue: header },
      };
    }
    enqueue(message);
  };
  return queue;
}

/**
 * To move a message to the dead-letter queue, a receive deletes it here and inserts it there. Both happen in one
 * transaction, so a kill in between loses no message (and a receive costs one commit instead of ten).
 */
function receiveAtomically(queue: SqsQueue, persistence: Persistence): SqsQueue {
  const dequeue = queue.dequeue.bind(queue);
  queue.dequeue = (...args: Parameters<SqsQueue['dequeue']>) => {
    let received: ReturnType<SqsQueue['dequeue']> = [];
    persistence.transaction(() => {
      received = dequeue(...args);
    });
    return received;
  };
  return queue;
}

function depthOf(store: SqsStore, name: string): QueueDepth {
  const queue = store.getQueueByName(name);
  return {
    visible: Number(queue?.getAttribute('ApproximateNumberOfMessages') ?? 0),
    inFlight: Number(queue?.getAttribute('ApproximateNumberOfMessagesNotVisible') ?? 0),
    delayed: Number(queue?.getAttribute('ApproximateNumberOfMessagesDelayed') ?? 0),
  };
}

const importInternal = (path: string): Promise<unknown> => import(new URL(path, import.meta.resolve('fauxqs')).href);
