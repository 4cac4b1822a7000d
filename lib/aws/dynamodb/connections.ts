import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type { StoredToken, TokenStore } from '../../connection/auth/token.ts';
import {
  type ConnectionHealth,
  type HealthStore,
  healthy,
  type Rest,
  type RestingRun,
  restCauses,
} from '../../connection/limit/health.ts';
import { parseJson } from '../../json/json.ts';
import { reachMs } from '../../runtime/clock.ts';
import { getItem, type Item, MalformedItemError, number, readItem, succeeds, type Table, text } from './table.ts';

const UNLOCKED = '(attribute_not_exists(lockedUntilMs) OR lockedUntilMs <= :nowMs OR lockedUntilMs > :longestUntilMs)';
const NO_TOKEN = 'attribute_not_exists(obtainedAtMs)';
const TOKEN_AS_SEEN = 'obtainedAtMs = :seenObtainedAtMs';
const LOCK_IS_MINE = 'lockOwner = :owner';

/**
 * The tokens in one DynamoDB item per connection (`pk` = `token#CONNECTION`, `sk` = `token`). Needs a table that is
 * encrypted at rest, as all DynamoDB tables are.
 */
export const dynamoTokenStore = (table: Table): TokenStore => {
  const keyOf = (connection: string): Item => ({ pk: text(`token#${connection}`), sk: text('token') });

  /** Whether the condition held. */
  const update = (connection: string, change: string, condition: string, values: Item): Promise<boolean> =>
    succeeds(
      table.client.send(
        new UpdateItemCommand({
          TableName: table.TableName,
          Key: keyOf(connection),
          UpdateExpression: change,
          ConditionExpression: condition,
          ExpressionAttributeValues: values,
        }),
      ),
    );

  return {
    read: async (connection) => {
      const stored = await getItem(table, keyOf(connection));
      // An item without a token holds the lock of the first worker only.
      if (stored?.obtainedAtMs === undefined) return undefined;
      const item = readItem(stored, `token#${connection}`);
      return {
        accessToken: item.text('accessToken'),
        audience: item.text('audience'),
        obtainedAtMs: item.number('obtainedAtMs'),
        expiresAtMs: item.number('expiresAtMs'),
      };
    },
    lock: async (connection, { owner, seenObtainedAtMs, nowMs, untilMs }) => {
      const seen: Item = seenObtainedAtMs === undefined ? {} : { ':seenObtainedAtMs': number(seenObtainedAtMs) };
      const locked = await update(
        connection,
        'SET lockOwner = :owner, lockedUntilMs = :untilMs',
        `${UNLOCKED} AND ${seenObtainedAtMs === undefined ? NO_TOKEN : TOKEN_AS_SEEN}`,
        {
          ':owner': text(owner),
          ':nowMs': number(nowMs),
          ':longestUntilMs': number(nowMs + reachMs.tokenLock),
          ':untilMs': number(untilMs),
          ...seen,
        },
      );
      return locked ? 'locked' : 'conflict';
    },
    save: async (connection, owner, token: StoredToken) => {
      const saved = await update(
        connection,
        'SET accessToken = :accessToken, audience = :audience, obtainedAtMs = :obtainedAtMs, ' +
          'expiresAtMs = :expiresAtMs REMOVE lockOwner, lockedUntilMs',
        LOCK_IS_MINE,
        {
          ':owner': text(owner),
          ':accessToken': text(token.accessToken),
          ':audience': text(token.audience),
          ':obtainedAtMs': number(token.obtainedAtMs),
          ':expiresAtMs': number(token.expiresAtMs),
        },
      );
      return saved ? 'saved' : 'conflict';
    },
    unlock: async (connection, owner) => {
      await update(connection, 'REMOVE lockOwner, lockedUntilMs', LOCK_IS_MINE, { ':owner': text(owner) });
    },
  };
};

const rest = z.object({
  cause: z.enum(restCauses),
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
