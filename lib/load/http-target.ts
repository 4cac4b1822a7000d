import type { Api, ApiAnswer } from '../connection/authorized.ts';
import type { RateLimit } from '../connection/rate-limit.ts';
import { batchOf, type Integration, targetPath } from '../integration/schema.ts';
import { type JsonObject, stringifyJson } from '../json/json.ts';
import type { Clock } from '../runtime/clock.ts';
import { contentHash } from '../transform/hash.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { PostRecord, Target } from './target.ts';

/** The key of a request: a record's own, or for several the hash of theirs in order. */
const requestKey = (records: readonly PostRecord[]): string => {
  const keys = records.map(({ idempotencyKey }) => idempotencyKey);
  return keys.length === 1 ? (keys[0] as string) : contentHash(keys);
};

/** The target's API as the integration describes it: one record per request, or `rows` wrapped under `rowsKey`. */
export const httpTarget = (integration: Integration, api: Api, limit: RateLimit | undefined, clock: Clock): Target => {
  const { connection, metadata, success, concurrency } = integration.target;
  const batch = batchOf(integration);
  const bodyOf = (records: readonly PostRecord[]): JsonObject =>
    batch === undefined ? (records[0] as PostRecord).body : { [batch.rowsKey]: records.map(({ body }) => body) };
  return {
    connection: connection.name,
    limit,
    rows: batch?.rows ?? 1,
    concurrency,
    longestPostMs: connection.timeoutMs,
    post: async (records) => {
      const request = {
        method: metadata.method,
        path: targetPath(integration),
        headers: { 'idempotency-key': requestKey(records) },
        body: stringifyJson(bodyOf(records)),
      };
      const { answer, requests } = await api.send(request, { deadlineMs: clock.nowMs() + connection.timeoutMs });
      const outcome = apiOutcome(answer, success, clock.nowMs());
      return { outcomes: records.map(() => outcome), requests };
    },
  };
};

const apiOutcome = (answer: ApiAnswer, success: Integration['target']['success'], nowMs: number): Outcome => {
  switch (answer.kind) {
    case 'answered':
    case 'failed':
      return outcomeOf(answer, success, nowMs);
    case 'noToken':
      return { kind: 'notApplied', failure: { cause: 'no-token', excerpt: answer.message }, waits: false };
    case 'later':
      return { kind: 'notApplied', failure: { cause: 'no-time' }, waits: true, pauseMs: 0 };
    case 'foreignLink':
      return { kind: 'notApplied', failure: { cause: 'foreign-link' }, waits: false };
    default:
      return answer satisfies never;
  }
};
