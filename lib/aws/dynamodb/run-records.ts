import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { parseJson } from '../../json/json.ts';
import type { Selection } from '../../messages/run-request.ts';
import { isHit, type LimitHits, noHits } from '../../runs/limits.ts';
import type {
  Adoption,
  Checkpoint,
  DeletionCounts,
  Doubts,
  ExtractCounts,
  ExtractedRun,
  InvalidRow,
  NotGiven,
  RunRecord,
  UnfinishedRun,
  Unsettled,
  Weighing,
  Window,
} from '../../runs/record.ts';
import type { RunStore } from '../../runs/store.ts';
import { noteRest, restSchema, restsIn } from './run-rests.ts';
import {
  getItem,
  type Item,
  type ItemReader,
  keyName,
  MalformedItemError,
  number,
  queryPages,
  readItem,
  succeeds,
  type Table,
  text,
} from './table.ts';

const count = z.number();

// `satisfies` over the keys: a field that the schema forgot would be dropped from every run read back.
const checkpoint = z.object({
  page: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  chunks: count,
  fetched: count,
  judged: z.exactOptional(count),
} satisfies Record<keyof Checkpoint, z.ZodMiniType>);

const extractCounts = {
  fetched: count,
  filtered: count,
  invalid: count,
  merged: count,
  unchanged: count,
  skipped: count,
  // Earlier commits knew of none.
  waiting: z._default(count, 0),
  enqueued: count,
} satisfies Record<keyof ExtractCounts, z.ZodMiniType>;

const counts = z.object({
  ...extractCounts,
  loaded: count,
  superseded: count,
  rejected: count,
  uncertain: count,
  open: count,
} satisfies Record<keyof RunRecord['counts'], z.ZodMiniType>);

const unsettled = z.object({
  open: z.array(z.string()),
  rejected: z.array(z.string()),
  uncertain: z.array(z.string()),
} satisfies Record<keyof Unsettled, z.ZodMiniType>);

const deletions = z.object({
  enqueued: count,
  loaded: count,
  superseded: count,
  rejected: count,
  uncertain: count,
  open: count,
} satisfies Record<keyof DeletionCounts, z.ZodMiniType>);

const hits = z.object({ heldMs: count, throttled: count, putOff: count } satisfies Record<
  keyof LimitHits,
  z.ZodMiniType
>);

const window = z.object({ fromMs: count, toMs: count } satisfies Record<keyof Window, z.ZodMiniType>);

const invalidRow = z.object({ id: z.string(), reason: z.string() } satisfies Record<keyof InvalidRow, z.ZodMiniType>);

const doubts = z.object({ unreadIds: count, repeatedIds: count } satisfies Record<keyof Doubts, z.ZodMiniType>);

const weighing = z.object({
  checkpoint: z.exactOptional(checkpoint),
  isDone: z.boolean(),
  counts: z.object(extractCounts),
  overwrites: count,
} satisfies Record<keyof Weighing, z.ZodMiniType>);

const selection = z.object({
  limit: z.exactOptional(count),
  ids: z.exactOptional(z.array(z.string())),
} satisfies Record<keyof Selection, z.ZodMiniType>);

const adoption = z.object({
  idChunks: z.exactOptional(count),
  adopted: count,
  known: count,
} satisfies Record<keyof Adoption, z.ZodMiniType>);

const notGiven = z.object({
  count,
  sample: z.array(z.string()),
  chunks: count,
} satisfies Record<keyof NotGiven, z.ZodMiniType>);

const facts = {
  runId: z.string(),
  integration: z.string(),
  scheduledMs: z.number(),
  startedMs: z.number(),
  versionMs: z.number(),
  fullRefresh: z.boolean(),
  counts,
  requests: z.object({ source: count, target: count }),
  limits: z.exactOptional(z.object({ source: hits, target: hits })),
  vanished: count,
  vanishedSample: z.array(z.string()),
  deletions: z.exactOptional(deletions),
  window: z.exactOptional(window),
  windowHeld: z.exactOptional(count),
  keptChunks: z.exactOptional(count),
  warnings: z.array(z.object({ code: z.string(), count, message: z.string() })),
  doubts: z.exactOptional(doubts),
  absences: z.exactOptional(count),
  shrunkFrom: z.exactOptional(count),
  confirmed: z.exactOptional(z.boolean()),
  selection: z.exactOptional(selection),
  adoption: z.exactOptional(adoption),
  waitsFor: z.exactOptional(z.array(z.string())),
  ahead: z.exactOptional(count),
  loadMs: z.exactOptional(count),
  leftOut: z.exactOptional(count),
  notGiven: z.exactOptional(notGiven),
  mapping: z.exactOptional(z.string()),
  mappingBefore: z.exactOptional(z.string()),
  generation: z.exactOptional(count),
  ends: z.exactOptional(z.object({ source: z.exactOptional(z.string()), target: z.exactOptional(z.string()) })),
  sourceSinceMs: z.exactOptional(count),
  sourceMoved: z.exactOptional(z.literal(true)),
  weighing: z.exactOptional(weighing),
  invalidRows: z.exactOptional(z.array(invalidRow)),
  toleratesInvalid: z.exactOptional(z.boolean()),
  fields: z.exactOptional(z.record(z.string(), z.string())),
  hasLinked: z.exactOptional(z.literal(true)),
  rests: z.exactOptional(z.array(restSchema)),
  failure: z.exactOptional(z.object({ code: z.string(), message: z.string() })),
};

/** The keys that a run of this kind can have: not those that only the other kind has. */
type KeysOf<Run> = { [Key in keyof Run]-?: [Exclude<Run[Key], undefined>] extends [never] ? never : Key }[keyof Run];

const runRecord: z.ZodMiniType<RunRecord> = z.discriminatedUnion('status', [
  z.object({
    ...facts,
    status: z.enum(['extracting', 'incomplete']),
    checkpoint: z.exactOptional(checkpoint),
    chunks: z.exactOptional(z.number()),
  } satisfies Record<KeysOf<UnfinishedRun>, z.ZodMiniType>),
  z.object({
    ...facts,
    status: z.enum(['loading', 'balanced', 'unbalanced', 'failed']),
    extractedMs: z.number(),
    chunks: z.number(),
    closedMs: z.exactOptional(z.number()),
    unsettled: z.exactOptional(unsettled),
  } satisfies Record<KeysOf<ExtractedRun>, z.ZodMiniType>),
]);

/** Reads a stored run's JSON; throws `MalformedItemError` with the item's key. */
const parseRunRecord = (json: string, key: string): RunRecord => {
  try {
    return runRecord.parse(parseJson(json));
  } catch (cause) {
    throw new MalformedItemError(key, 'record is not a run', { cause });
  }
};

const RUN_EXISTS = 'attribute_exists(pk)';

const toRun = (item: Item): RunRecord => {
  const key = keyName(item);
  const reader = readItem(item, key);
  const { limits, rests: _, ...run } = parseRunRecord(reader.text('record'), key);
  const source = limits?.source ?? noHits();
  const target = targetHits(reader);
  const rests = restsIn(item, key);
  return {
    ...run,
    requests: { ...run.requests, target: reader.number('targetRequests') },
    ...((isHit(source) || isHit(target)) && { limits: { source, target } }),
    ...(rests.length > 0 && { rests }),
  };
};

/** Counted apart from the record; none of them is there before a batch was counted. */
const targetHits = (reader: ItemReader): LimitHits => {
  const count = (name: string) => (reader.has(name) ? reader.number(name) : 0);
  return { heldMs: count('targetHeldMs'), throttled: count('targetThrottled'), putOff: count('targetPutOff') };
};

export const runKey = (integration: string, runId: string): Item => ({
  pk: text(integration),
  sk: text(`run#${runId}`),
});

/** Runs: each a record as JSON, with its use of the target beside it, which goes before what the record itself says. */
export const dynamoRunRecords = (
  table: Table,
  expiresAtSec: (startMs: number) => number,
): Pick<RunStore, 'run' | 'runs' | 'saveRun' | 'addTargetUse' | 'noteRest'> => {
  const { client, TableName } = table;
  return {
    run: async (integration, runId) => {
      const item = await getItem(table, runKey(integration, runId));
      return item && toRun(item);
    },
    runs: async (integration, limit) => {
      const found: RunRecord[] = [];
      const pages = queryPages(table, {
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :run)',
        ExpressionAttributeValues: { ':pk': text(integration), ':run': text('run#') },
        ScanIndexForward: false,
        Limit: limit,
      });
      for await (const page of pages) {
        found.push(...page.map(toRun));
        if (found.length >= limit) break;
      }
      return found.slice(0, limit);
    },
    saveRun: async (run) => {
      await client.send(
        new UpdateItemCommand({
          TableName,
          Key: runKey(run.integration, run.runId),
          UpdateExpression:
            'SET #record = :record, expiresAtSec = if_not_exists(expiresAtSec, :expiresAtSec), targetRequests = if_not_exists(targetRequests, :none)',
          ExpressionAttributeNames: { '#record': 'record' },
          ExpressionAttributeValues: {
            ':record': text(JSON.stringify(run)),
            ':expiresAtSec': number(expiresAtSec(run.startedMs)),
            ':none': number(0),
          },
        }),
      );
    },
    noteRest: (integration, runId, rest) => noteRest(table, runKey(integration, runId), rest),
    addTargetUse: async (integration, runId, { requests, heldMs, throttled, putOff }) => {
      await succeeds(
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: runKey(integration, runId),
            UpdateExpression:
              'ADD targetRequests :requests, targetHeldMs :heldMs, targetThrottled :throttled, targetPutOff :putOff',
            ConditionExpression: RUN_EXISTS,
            ExpressionAttributeValues: {
              ':requests': number(requests),
              ':heldMs': number(heldMs),
              ':throttled': number(throttled),
              ':putOff': number(putOff),
            },
          }),
        ),
      );
    },
  };
};
