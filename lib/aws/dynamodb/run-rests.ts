import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { restCauses } from '../../connection/limit/health.ts';
import { parseJson } from '../../json/json.ts';
import { MAX_RESTS, type RunRest } from '../../runs/record.ts';
import { type Item, MalformedItemError, number, succeeds, type Table, text } from './table.ts';

/** A rest as it stands in a run's item. */
export const restSchema = z.object({
  connection: z.string(),
  cause: z.enum(restCauses),
  why: z.string(),
  sinceMs: z.number(),
  endedMs: z.exactOptional(z.number()),
} satisfies Record<keyof RunRest, z.ZodMiniType>);

const REST = 'rest ';

/**
 * The rests in a run's item, oldest first. Each is an attribute of its own, so that workers note theirs without reading
 * the others'. Throws `MalformedItemError`.
 */
export const restsIn = (item: Item, key: string): RunRest[] =>
  Object.entries(item)
    .flatMap(([name, value]) => (name.startsWith(REST) && value.S !== undefined ? [parseRest(value.S, key)] : []))
    .sort((a, b) => a.sinceMs - b.sinceMs);

const parseRest = (json: string, key: string): RunRest => {
  try {
    return restSchema.parse(parseJson(json));
  } catch (cause) {
    throw new MalformedItemError(key, 'a rest is not one', { cause });
  }
};

/** Notes a rest, or its end, in a run's item, where there is one. */
export const noteRest = async ({ client, TableName }: Table, key: Item, rest: RunRest): Promise<void> => {
  // Word of its beginning may come after word of its end.
  const value = rest.endedMs === undefined ? 'if_not_exists(#rest, :rest)' : ':rest';
  const hasRoom = 'attribute_not_exists(rests) OR rests < :most OR attribute_exists(#rest)';
  await succeeds(
    client.send(
      new UpdateItemCommand({
        TableName,
        Key: key,
        UpdateExpression: `SET #rest = ${value} ADD rests :one`,
        ConditionExpression: `attribute_exists(pk) AND (${hasRoom})`,
        ExpressionAttributeNames: { '#rest': `${REST}${rest.sinceMs} ${rest.cause}` },
        ExpressionAttributeValues: {
          ':rest': text(JSON.stringify(rest)),
          ':one': number(1),
          ':most': number(MAX_RESTS),
        },
      }),
    ),
  );
};
