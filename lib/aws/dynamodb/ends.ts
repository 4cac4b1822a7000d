import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type { Address } from '../../connection/api/connection.ts';
import { canonicalJson, parseJson } from '../../json/json.ts';
import type { Ends, KnownEnd } from '../../runs/ends.ts';
import type { RunStore } from '../../runs/store.ts';
import {
  getItem,
  type Item,
  keyName,
  MalformedItemError,
  number,
  readItem,
  succeeds,
  type Table,
  text,
} from './table.ts';

// `satisfies` over the keys: a field that the schema forgot would be dropped from every item read back.
const address = { id: z.string(), origin: z.string() } satisfies Record<keyof Address, z.ZodMiniType>;
const knownEnd = z.object({ ...address, formerly: z.exactOptional(z.array(z.string())) } satisfies Record<
  keyof KnownEnd,
  z.ZodMiniType
>);
const endsItem: z.ZodMiniType<Ends> = z.object({
  rev: z.number(),
  generation: z.number(),
  source: z.exactOptional(knownEnd),
  target: z.exactOptional(knownEnd),
  met: z.exactOptional(
    z.object({ source: z.exactOptional(z.object(address)), target: z.exactOptional(z.object(address)) }),
  ),
  pausedSinceMs: z.exactOptional(z.number()),
  sourceSinceMs: z.exactOptional(z.number()),
} satisfies Record<keyof Ends, z.ZodMiniType>);

const asText = (ends: Ends): string => canonicalJson(parseJson(JSON.stringify(ends)));

const endsKey = (integration: string): Item => ({ pk: text(integration), sk: text('ends') });

const REVISION_BEFORE = 'rev = :rev';
const NOTHING_STORED = 'attribute_not_exists(pk)';

/** Whose state is kept of each integration: one item each, `ends` as JSON with its revision beside it. */
export const dynamoEnds = (table: Table): Pick<RunStore, 'ends' | 'saveEnds'> => {
  const { client, TableName } = table;
  const ends = async (integration: string): Promise<Ends | undefined> => {
    const item = await getItem(table, endsKey(integration));
    if (item === undefined) return undefined;
    const key = keyName(item);
    try {
      return endsItem.parse(parseJson(readItem(item, key).text('ends')));
    } catch (cause) {
      throw new MalformedItemError(key, 'ends does not say whose state it is', { cause });
    }
  };
  return {
    ends,
    saveEnds: async (integration, next) => {
      const json = asText(next);
      const Item = { ...endsKey(integration), ends: text(json), rev: number(next.rev) };
      const condition =
        next.rev === 1
          ? { ConditionExpression: NOTHING_STORED }
          : { ConditionExpression: REVISION_BEFORE, ExpressionAttributeValues: { ':rev': number(next.rev - 1) } };
      if (await succeeds(client.send(new PutItemCommand({ TableName, Item, ...condition })))) return 'saved';
      // The SDK repeats a write whose answer was lost, and then meets its own first try.
      const stored = await ends(integration);
      return stored !== undefined && asText(stored) === json ? 'saved' : 'conflict';
    },
  };
};
