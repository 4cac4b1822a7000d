import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { StoredToken, TokenStore } from '../../connection/auth/token.ts';
import { reachMs } from '../../runtime/clock.ts';
import { getItem, type Item, number, readItem, succeeds, type Table, text } from './table.ts';

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
