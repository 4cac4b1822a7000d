import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { isConditionFailed } from '../lib/aws/dynamodb/table.ts';
import { dynamoClient } from '../lib/aws/ports.ts';
import { deployTables, startDynamoDbServer } from '../local/stack/dynamodb-server.ts';
import { createGate } from '../local/stack/gate.ts';
import { newCredentials } from '../local/stack/local-account.ts';
import { REFUSED_WRITE_UNITS } from './capacity.ts';

/** What DynamoDB says a table was asked for. */
export type Consumed = { requests: number; units: number };
/** By `TABLE read` and `TABLE write`. */
type Meter = Map<string, Consumed>;

export type EmbeddedTables = {
  client: DynamoDBClient;
  /** Consumption since the last `reset`. */
  meter: Meter;
  close(): Promise<void>;
};

const READS = new Set(['GetItemCommand', 'BatchGetItemCommand', 'QueryCommand']);

type Capacity = { TableName?: string | undefined; CapacityUnits?: number | undefined };

/** Asks every call what it consumed, and adds that up. */
const measure = (client: DynamoDBClient, meter: Meter): void => {
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const add = ({ TableName, CapacityUnits = 0 }: Capacity): void => {
          const key = `${TableName} ${READS.has(commandName) ? 'read' : 'write'}`;
          const before = meter.get(key) ?? { requests: 0, units: 0 };
          meter.set(key, { requests: before.requests + 1, units: before.units + CapacityUnits });
        };
        Object.assign(args.input, { ReturnConsumedCapacity: 'TOTAL' });
        const answer = await next(args).catch((error: unknown) => {
          if (isConditionFailed(error)) add({ ...(args.input as Capacity), CapacityUnits: REFUSED_WRITE_UNITS });
          throw error;
        });
        const { ConsumedCapacity } = answer.output as { ConsumedCapacity?: Capacity | Capacity[] };
        for (const capacity of [ConsumedCapacity ?? []].flat()) add(capacity);
        return answer;
      },
    { step: 'initialize', name: 'measureCapacity' },
  );
};

/** The embedded DynamoDB with empty tables of these names, in a folder of its own. */
export const startTables = async (names: readonly string[]): Promise<EmbeddedTables> => {
  const dir = mkdtempSync(join(tmpdir(), 'okki-bench-'));
  const credentials = newCredentials();
  const server = await startDynamoDbServer(dir, createGate(credentials).doors);
  const client = dynamoClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials,
  });
  await deployTables(
    client,
    names.map((name) => ({
      logicalId: name,
      name,
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    })),
  );
  const meter: Meter = new Map();
  measure(client, meter);
  return {
    client,
    meter,
    close: async () => {
      client.destroy();
      await server.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
