import { type Api, type ApiDeps, connect } from '../connection/api/api.ts';
import { limitOf, type RateLimit } from '../connection/limit/rate-limit.ts';
import type { Integration } from '../integration/schema/schema.ts';
import { type JsonObject, stringifyJson } from '../json/json.ts';
import type { Clock } from '../runtime/clock.ts';
import { once } from '../runtime/once.ts';
import { contentHash } from '../transform/hash.ts';
import type { Mapping } from '../transform/map.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { rowOutcomes } from './row-results.ts';
import type { PostRecord, Target } from './target.ts';
import { batchOf, besideRecords, requestFor, targetPath } from './target-request.ts';

/** The key of a request: a record's own, or for several the hash of theirs in order. */
const requestKey = (records: readonly PostRecord[]): string => {
  const keys = records.map(({ idempotencyKey }) => idempotencyKey);
  return keys.length === 1 ? (keys[0] as string) : contentHash(keys);
};

/**
 * How a target's answer names the row of a body. Loaded for targets that answer row by row only: the mapping brings the
 * whole dialect with it, and to send what fetch has mapped needs nothing of that.
 */
const rowNames = async (integration: Integration): Promise<Mapping['targetId']> =>
  (await import('../transform/map.ts')).compileMapping(integration).targetId;

/** Deleted already (RFC 9110 §15.5.11). A 404 may as well mean that the path is wrong: that is not taken for success. */
const GONE = 410;

/** The deletion was sent under a file that had an endpoint for it; this one has none any more. */
const notConfigured: Outcome = { kind: 'rejected', failure: { cause: 'no-deletion-endpoint' } };

/**
 * The target of an integration over HTTP. Throws `ConfigurationError` where the environment does not give what the
 * target block refers to.
 */
export const openTarget = (integration: Integration, deps: ApiDeps): Target => {
  const { connection, rateLimit } = integration.target;
  const file = `integrations/${integration.name}.json`;
  const limit = limitOf(rateLimit, { file, path: 'target' }, deps.env);
  const api = connect(connection, { file, path: 'target.connection' }, deps);
  return httpTarget(integration, api, limit, deps.clock);
};

/** The target's API as the integration describes it: one record per request, or `rows` wrapped under `rowsKey`. */
export const httpTarget = (integration: Integration, api: Api, limit: RateLimit | undefined, clock: Clock): Target => {
  const { connection, metadata, success, results, concurrency } = integration.target;
  const beside = besideRecords(integration);
  const { vanished } = integration;
  const batch = batchOf(integration);
  const rowNamesOnce = once(() => rowNames(integration));
  const bodyOf = (records: readonly PostRecord[]): JsonObject =>
    batch === undefined ? (records[0] as PostRecord).body : { [batch.rowsKey]: records.map(({ body }) => body) };
  return {
    connection: connection.name,
    limit,
    rows: batch?.rows ?? 1,
    concurrency,
    longestPostMs: connection.timeoutMs,
    post: async (records) => {
      const deletion = records[0]?.deletes ? records[0] : undefined;
      const path = deletion ? vanished.path : targetPath(integration);
      if (path === undefined) return { outcomes: records.map(() => notConfigured), requests: 0 };
      // Before the request: what fails here has sent nothing.
      const rowName = results === undefined || deletion ? undefined : await rowNamesOnce();
      const headers = { 'idempotency-key': requestKey(records) };
      const request = deletion
        ? { method: vanished.method, path, headers, body: stringifyJson(deletion.body) }
        : requestFor({ method: metadata.method, path }, bodyOf(records), integration, beside, headers);
      const { answer, requests } = await api.send(request, { deadlineMs: clock.nowMs() + connection.timeoutMs });
      const isGone = deletion !== undefined && answer.kind === 'answered' && answer.status === GONE;
      const outcome: Outcome = isGone ? { kind: 'loaded' } : outcomeOf(answer, success, clock.nowMs());
      const isSettled = outcome.kind === 'loaded' || outcome.kind === 'rejected';
      const rows =
        results !== undefined && rowName !== undefined && isSettled && answer.kind === 'answered' && isOk(answer.status)
          ? rowOutcomes(
              answer.text,
              answer.status,
              records.map(({ body, id }) => rowName(body) ?? id),
              results,
            )
          : undefined;
      return { outcomes: rows ?? records.map(() => outcome), requests };
    },
  };
};

const isOk = (status: number): boolean => status >= 200 && status < 300;
