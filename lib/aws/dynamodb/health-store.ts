import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import {
  type ConnectionHealth,
  type HealthStore,
  healthy,
  type Rest,
  type RestingRun,
} from '../../connection/limit/health.ts';
import { parseJson } from '../../json/json.ts';
import { getItem, type Item, MalformedItemError, number, readItem, succeeds, type Table, text } from './table.ts';

const rest = z.object({
  cause: z.enum(['down', 'not-understood']),
  integration: z.exactOptional(z.string()),
  why: z.string(),
  sinceMs: z.number(),
  probeAtMs: z.exactOptional(z.number()),
  failedProbes: z.number(),
  failedMs: z.exactOptional(z.number()),
  probe: z.exactOptional(z.object({ owner: z.string(), untilMs: z.number() })),
  runs: z.array(
    z.object({ integration: z.string(), runId: z.string() } satisfies Record<keyof RestingRun, z.ZodMiniType>),
  ),
} satisfies Record<keyof Rest, z.ZodMiniType>);

const healthSchema: z.ZodMiniType<ConnectionHealth> = z.object({
  tries: z.array(
    z.union([
      z.object({ atMs: z.number(), well: z.number() }),
      z.object({ atMs: z.number(), failed: z.array(z.string()), isUnsent: z.boolean() }),
    ]),
  ),
  unclear: z.record(z.string(), z.number()),
  rests: z.array(rest),
} satisfies Record<keyof ConnectionHealth, z.ZodMiniType>);

const parseHealth = (json: string, key: string): ConnectionHealth => {
  try {
    return healthSchema.parse(parseJson(json));
  } catch (cause) {
    throw new MalformedItemError(key, 'health is not what is known of a connection', { cause });
  }
};

/**
 * What is known of connections in one DynamoDB item each (`pk` = `health#CONNECTION`, `sk` = `health`), beside the
 * limiter's: JSON, and the revision that a write must have seen.
 */
export const dynamoHealthStore = (table: Table): HealthStore => {
  const keyOf = (connection: string): Item => ({ pk: text(`health#${connection}`), sk: text('health') });
  return {
    read: async (connection) => {
      const stored = await getItem(table, keyOf(connection));
      if (stored === undefined) return { rev: 0, health: healthy };
      const key = `health#${connection}`;
      const item = readItem(stored, key);
      return { rev: item.number('rev'), health: parseHealth(item.text('health'), key) };
    },
    write: async (connection, health, rev) => {
      const isWritten = await succeeds(
        table.client.send(
          new UpdateItemCommand({
            TableName: table.TableName,
            Key: keyOf(connection),
            UpdateExpression: 'SET health = :health, rev = :next',
            ConditionExpression: rev === 0 ? 'attribute_not_exists(pk)' : 'rev = :rev',
            ExpressionAttributeValues: {
              ':health': text(JSON.stringify(health)),
              ':next': number(rev + 1),
              ...(rev !== 0 && { ':rev': number(rev) }),
            },
          }),
        ),
      );
      return isWritten ? 'written' : 'conflict';
    },
  };
};
