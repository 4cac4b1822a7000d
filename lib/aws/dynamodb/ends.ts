import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type { Address } from '../../connection/api/connection.ts';
import { canonicalJson, parseJson } from '../../json/json.ts';
import type { Ends, KnownEnd } from '../../runs/ends.ts';
import type { Line, Unsent } from '../../runs/line.ts';
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

const unsent = z.object({
  runId: z.string(),
  generation: z.exactOptional(z.number()),
  chunks: z.number(),
  at: z.object({ chunk: z.number(), place: z.number() }),
  left: z.number(),
  movedMs: z.exactOptional(z.number()),
  takes: z.exactOptional(z.number()),
} satisfies Record<keyof Unsent, z.ZodMiniType>);
const lineItem: z.ZodMiniType<Line> = z.object({
  rev: z.number(),
  sender: z.exactOptional(z.object({ owner: z.string(), untilMs: z.number() })),
  runs: z.array(unsent),
} satisfies Record<keyof Line, z.ZodMiniType>);

const asText = (value: unknown): string => canonicalJson(parseJson(JSON.stringify(value)));

const REVISION_BEFORE = 'rev = :rev';
const NOTHING_STORED = 'attribute_not_exists(pk)';

/** One item of each integration: `field` as JSON with its revision beside it, replaced on condition of the one before. */
const versioned = <Value extends { rev: number }>(
  table: Table,
  field: 'ends' | 'line',
  schema: z.ZodMiniType<Value>,
  fault: string,
) => {
  const { client, TableName } = table;
  const keyOf = (integration: string): Item => ({ pk: text(integration), sk: text(field) });
  const read = async (integration: string): Promise<Value | undefined> => {
    const item = await getItem(table, keyOf(integration));
    if (item === undefined) return undefined;
    const key = keyName(item);
    try {
      return schema.parse(parseJson(readItem(item, key).text(field)));
    } catch (cause) {
      throw new MalformedItemError(key, fault, { cause });
    }
  };
  const save = async (integration: string, next: Value): Promise<'saved' | 'conflict'> => {
    const json = asText(next);
    const Item = { ...keyOf(integration), [field]: text(json), rev: number(next.rev) };
    const condition =
      next.rev === 1
        ? { ConditionExpression: NOTHING_STORED }
        : { ConditionExpression: REVISION_BEFORE, ExpressionAttributeValues: { ':rev': number(next.rev - 1) } };
    if (await succeeds(client.send(new PutItemCommand({ TableName, Item, ...condition })))) return 'saved';
    // The SDK repeats a write whose answer was lost, and then meets its own first try.
    const stored = await read(integration);
    return stored !== undefined && asText(stored) === json ? 'saved' : 'conflict';
  };
  return { read, save };
};

/** Whose state is kept of each integration. */
export const dynamoEnds = (table: Table): Pick<RunStore, 'ends' | 'saveEnds'> => {
  const { read, save } = versioned(table, 'ends', endsItem, 'ends does not say whose state it is');
  return { ends: read, saveEnds: save };
};

/** What of each integration's runs waits to be sent. */
export const dynamoLine = (table: Table): Pick<RunStore, 'line' | 'saveLine'> => {
  const { read, save } = versioned(table, 'line', lineItem, 'line does not say what waits to be sent');
  return { line: read, saveLine: save };
};
