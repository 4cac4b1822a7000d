import { existsSync, readFileSync } from 'node:fs';
import type { Server, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { type Doors, guard } from '../guard.ts';
import type { TableSpec } from './declared-resources.ts';
import { ServiceFileError } from './errors.ts';

/**
 * A running DynamoDB on loopback, with its state on disk. `hasLost`: LevelDB skipped records that it could not read.
 */
export type DynamoDbServer = { endpoint: string; hasLost: boolean; close(): Promise<void> };

/** The part of LevelDB's handle that is used here; dynalite ships no types. */
type Level = {
  open(): Promise<void>;
  close(): Promise<void>;
  del(key: string): Promise<void>;
  iterator(range: { gte: string; lt: string }): AsyncIterable<[key: string, table: { TableStatus?: string }]>;
};
type Dynalite = (options: { path: string; createTableMs: number }) => Server;
type DynaliteDb = { create(options: { path: string }): { db: Level } };

const require = createRequire(import.meta.url);

/**
 * Starts dynalite on a free port of 127.0.0.1 with its LevelDB in `dir`. Only callers whom `doors` admits are served.
 * Throws LevelDB's error for a broken database.
 */
export async function startDynamoDbServer(dir: string, doors: Doors): Promise<DynamoDbServer> {
  // dynalite opens its database after the first request, and ends the process if that fails. So it is opened once
  // before, where a failure can still be reported.
  const { db } = (require('dynalite/db') as DynaliteDb).create({ path: dir });
  await db.open();
  await forgetHalfMade(db);
  await db.close();
  const hasLost = saysLoss(join(dir, 'LOG'));

  const server = (require('dynalite') as Dynalite)({ path: dir, createTableMs: 0 });
  guard(server, doors);
  const answered = answeredOn(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    hasLost,
    close: async () => {
      await answered();
      await new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        // Clients keep connections open between requests; closing the server would wait for them.
        server.closeAllConnections();
      });
    },
  };
}

/**
 * Removes tables that a killed process was creating: dynalite would say for ever that they are being created. Nothing is
 * in them yet.
 */
const forgetHalfMade = async (db: Level): Promise<void> => {
  for await (const [key, { TableStatus }] of db.iterator({ gte: 'table~', lt: 'table~\xff' })) {
    if (TableStatus === 'CREATING') await db.del(key);
  }
};

const ANSWER_GRACE_MS = 2_000;

/**
 * Waits, for a limited time, until every request has its answer. dynalite works on a request even after its client has
 * gone, and ends the process if its database is closed meanwhile.
 */
const answeredOn = (server: Server): (() => Promise<void>) => {
  const open = new Set<ServerResponse>();
  server.on('request', (_, response) => {
    open.add(response);
    response.once('finish', () => open.delete(response));
  });
  return async () => {
    const untilMs = Date.now() + ANSWER_GRACE_MS;
    while ([...open].some(({ writableEnded }) => !writableEnded) && Date.now() < untilMs) await sleep(5);
  };
};

/** Whether LevelDB's own log of its last start says that it dropped records: it starts without them. */
const saysLoss = (file: string): boolean => existsSync(file) && /dropping \d+ bytes/.test(readFileSync(file, 'utf8'));

/** Creates the tables that do not exist yet. Throws ServiceFileError where an existing one has other keys. */
export async function deployTables(client: DynamoDBClient, tables: readonly TableSpec[]): Promise<void> {
  await Promise.all(tables.map((table) => deployTable(client, table)));
}

async function deployTable(client: DynamoDBClient, table: TableSpec): Promise<void> {
  const { logicalId, name, ...definition } = table;
  const existing = await describeTable(client, name);
  if (existing === undefined) {
    await client.send(new CreateTableCommand({ TableName: name, BillingMode: 'PAY_PER_REQUEST', ...definition }));
    await untilActive(client, name);
    return;
  }
  const keys = (schema: readonly { AttributeName?: string | undefined; KeyType?: string | undefined }[] = []) =>
    schema.map((key) => `${key.AttributeName} ${key.KeyType}`).join(', ');
  if (keys(existing.KeySchema) !== keys(definition.KeySchema)) {
    throw new ServiceFileError(
      logicalId,
      `the stored table ${name} has the keys ${keys(existing.KeySchema)}, not ${keys(definition.KeySchema)}; start once with --fresh to discard it`,
    );
  }
}

async function untilActive(client: DynamoDBClient, name: string): Promise<void> {
  while ((await describeTable(client, name))?.TableStatus !== 'ACTIVE') {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function describeTable(client: DynamoDBClient, name: string) {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
