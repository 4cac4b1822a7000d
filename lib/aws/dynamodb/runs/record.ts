import * as z from 'zod/mini';
import { parseJson } from '../../../json/json.ts';
import type { LimitHits } from '../../../runs/limits.ts';
import type { Checkpoint, DeletionCounts, RunRecord, Unsettled, Window } from '../../../runs/record.ts';
import { MalformedItemError } from '../attributes.ts';

const count = z.number();

// `satisfies` over the keys: a field that the schema forgot would be dropped from every run read back.
const checkpoint = z.object({
  page: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  chunks: count,
  fetched: count,
  judged: z.exactOptional(count),
} satisfies Record<keyof Checkpoint, z.ZodMiniType>);

const counts = z.object({
  fetched: count,
  filtered: count,
  invalid: count,
  merged: count,
  unchanged: count,
  skipped: count,
  enqueued: count,
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

const runRecord: z.ZodMiniType<RunRecord> = z.object({
  runId: z.string(),
  integration: z.string(),
  status: z.enum(['extracting', 'incomplete', 'loading', 'balanced', 'unbalanced']),
  scheduledMs: z.number(),
  startedMs: z.number(),
  versionMs: z.number(),
  fullRefresh: z.boolean(),
  checkpoint: z.exactOptional(checkpoint),
  extractedMs: z.exactOptional(z.number()),
  chunks: z.exactOptional(z.number()),
  closedMs: z.exactOptional(z.number()),
  counts,
  requests: z.object({ source: count, target: count }),
  limits: z.exactOptional(z.object({ source: hits, target: hits })),
  vanished: count,
  vanishedSample: z.array(z.string()),
  deletions: z.exactOptional(deletions),
  window: z.exactOptional(window),
  warnings: z.array(z.object({ code: z.string(), count, message: z.string() })),
  unsettled: z.exactOptional(unsettled),
  fields: z.exactOptional(z.record(z.string(), z.string())),
  failure: z.exactOptional(z.object({ code: z.string(), message: z.string() })),
} satisfies Record<keyof RunRecord, z.ZodMiniType>);

/** Reads a stored run's JSON; throws `MalformedItemError` with the item's key. */
export const parseRunRecord = (json: string, key: string): RunRecord => {
  try {
    return runRecord.parse(parseJson(json));
  } catch (cause) {
    throw new MalformedItemError(key, 'record is not a run', { cause });
  }
};
