import { type Api, type ApiAnswer, type ApiDeps, type ApiRequest, connect } from '../connection/api/api.ts';
import { FORM, formText } from '../connection/form.ts';
import { limitOf, type RateLimit } from '../connection/limit/rate-limit.ts';
import { contentHash } from '../idcheck/hash.ts';
import type { ResultsPlan, TargetPlan } from '../integration/compile/target-plan.ts';
import type { Success } from '../integration/schema/schema.ts';
import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../json/json.ts';
import { setPath } from '../json/path.ts';
import { defined } from '../runtime/defined.ts';
import type { Tuning } from '../runtime/tuning.ts';
import { outcomeOf } from './outcome.ts';
import { hasNoRows, rowOutcomes } from './row-results.ts';
import type { Outcome } from './target.ts';
import { failureOf, isNotUnderstood, type PostRecord, type Target } from './target.ts';

/** Lays `over` on `base`, objects into objects. */
const merged = (base: JsonObject, over: JsonObject): JsonObject => {
  const both = Object.entries(over).map(([key, value]): [string, JsonValue] => {
    const own = Object.hasOwn(base, key) ? base[key] : undefined;
    return [key, isJsonObject(own) && isJsonObject(value) ? merged(own, value) : value];
  });
  return Object.fromEntries([...Object.entries(base), ...both]);
};

/** The key of a request: a record's own, or for several the hash of theirs in order. */
const idempotencyKeyOf = ([first, ...others]: readonly [PostRecord, ...PostRecord[]]): string =>
  others.length === 0
    ? first.idempotencyKey
    : contentHash([first, ...others].map(({ idempotencyKey }) => idempotencyKey));

/** The request that loads records. A constant beside them never replaces a field of theirs. Pure. */
export const loadRequest = (
  { method, path, batch, under, text, isForm, beside }: TargetPlan,
  records: readonly [PostRecord, ...PostRecord[]],
): ApiRequest => {
  const rows = batch === undefined ? records[0].body : { [batch.rowsKey]: records.map(({ body }) => body) };
  const content = under === undefined ? rows : setPath({}, under, rows);
  const isOneText = text !== undefined && beside.text === text;
  const own = isOneText ? merged(beside.body, content) : content;
  const others = isOneText ? {} : asOneText(beside.body, beside.text);
  return {
    method,
    path,
    ...(beside.query.length > 0 && { query: beside.query }),
    headers: { ...beside.headers, ...(isForm && asForm), 'idempotency-key': idempotencyKeyOf(records) },
    body: written(merged(others, asOneText(own, text)), isForm),
  };
};

const asForm = { 'content-type': FORM };

const written = (body: JsonObject, isForm: boolean): string =>
  isForm ? formText(Object.entries(body)) : stringifyJson(body);

/** A body as the JSON text at this path of another; without a path it stays as it is. */
const asOneText = (body: JsonObject, path: string | undefined): JsonObject =>
  path === undefined ? body : setPath({}, path, stringifyJson(body));

/** The request that tells the target of a deletion. Pure. */
const deletionRequest = (
  { method, path }: NonNullable<TargetPlan['deletion']>,
  { isForm, text }: TargetPlan,
  record: PostRecord,
): ApiRequest => ({
  method,
  path,
  headers: { ...(isForm && asForm), 'idempotency-key': idempotencyKeyOf([record]) },
  // Whoever takes records as a text in a form takes nothing else.
  body: written(isForm ? asOneText(record.body, text) : record.body, isForm),
});

/** Deleted already (RFC 9110 §15.5.11). A 404 may as well mean that the path is wrong: that is not taken for success. */
const GONE = 410;

/** The deletion was queued when the file had an endpoint for deletions; now it has none. */
const notConfigured: Outcome = { kind: 'rejected', failure: { cause: 'no-deletion-endpoint' } };

export type TargetDeps = ApiDeps & { tuning: Pick<Tuning, 'target'> };

/**
 * The target of a plan over HTTP. Throws `ConfigurationError` where the environment does not give what the target block
 * refers to.
 */
export const openTarget = (plan: TargetPlan, deps: TargetDeps): Target => {
  const file = `integrations/${plan.integration}.json`;
  const limit = limitOf(plan.rateLimit, { file, path: 'target' }, deps.env);
  const api = connect(plan.connection, { file, path: 'target.connection' }, deps, plan.typedSecrets);
  return httpTarget(plan, api, limit, deps);
};

/** The target's API as its plan describes it: one record per request, or `rows` wrapped under `rowsKey`. */
export const httpTarget = (
  plan: TargetPlan,
  api: Api,
  limit: RateLimit | undefined,
  { clock, tuning }: Pick<TargetDeps, 'clock' | 'tuning'>,
): Target => {
  const { connection, batch, deletion, success, results, concurrency } = plan;
  const requestFor = (first: PostRecord, others: readonly PostRecord[]): ApiRequest | undefined =>
    first.deletes ? deletion && deletionRequest(deletion, plan, first) : loadRequest(plan, [first, ...others]);
  return {
    connection: connection.name,
    limit,
    rows: batch?.rows ?? 1,
    concurrency,
    longestPostMs: connection.timeoutMs,
    post: async (records, awaitPermit) => {
      const [first, ...others] = records;
      const request = first && requestFor(first, others);
      if (request === undefined) return { outcomes: records.map(() => notConfigured), requests: 0 };
      const { answer, requests } = await api.send(request, {
        deadlineMs: clock.nowMs() + connection.timeoutMs,
        awaitPermit,
      });
      const rowsPath = first?.deletes ? undefined : results?.path;
      const judge = (given: ApiAnswer): Outcome[] => {
        const isGone = first?.deletes && given.kind === 'answered' && given.status === GONE;
        if (isGone) return [{ kind: 'loaded' }];
        const outcome = outcomeOf(given, success, clock.nowMs(), tuning.target, rowsPath);
        return results === undefined || first?.deletes || given.kind !== 'answered' || !isOk(given.status)
          ? records.map(() => outcome)
          : outcomesByRow(outcome, given, records, results, success);
      };
      const outcomes = judge(answer);
      if (answer.kind !== 'answered' || answer.shown === undefined) return { outcomes, requests };
      // Judged by what the target wrote, told in the words that may be shown.
      const told = judge({ ...answer, text: answer.shown });
      return { outcomes: outcomes.map((outcome, index) => toldAs(outcome, told[index])), requests };
    },
  };
};

/** The outcome with the words of the other one where both agree, else without words. */
const toldAs = (outcome: Outcome, told: Outcome | undefined): Outcome => {
  if (outcome.kind === 'loaded') return outcome;
  const { excerpt: _, ...failure } = outcome.failure;
  const words = told !== undefined && told.kind === outcome.kind ? told.failure.excerpt : undefined;
  return { ...outcome, failure: { ...failure, ...defined({ excerpt: words }) } };
};

/**
 * The outcomes of a 2xx to a batch that is answered row by row: its rows decide, where there are any. Without rows a
 * success of the whole says nothing of the single ones, unless the file says that a 2xx is enough.
 */
const outcomesByRow = (
  outcome: Outcome,
  { status, text, unreadable }: Extract<ApiAnswer, { kind: 'answered' }>,
  records: readonly PostRecord[],
  results: ResultsPlan,
  success: Success,
): Outcome[] => {
  const isJudged = outcome.kind === 'loaded' || outcome.kind === 'rejected';
  const isUnknown = outcome.kind === 'uncertain' && isNotUnderstood(outcome.failure) && unreadable === undefined;
  const rows = isJudged || isUnknown ? rowOutcomes(text, status, records, results) : undefined;
  if (rows !== undefined) return rows;
  const isEnough = success.status === true && hasNoRows(text, results);
  const whole: Outcome =
    outcome.kind === 'loaded' && !isEnough
      ? { kind: 'uncertain', failure: failureOf('no-rows', status, text) }
      : outcome;
  return records.map(() => whole);
};

const isOk = (status: number): boolean => status >= 200 && status < 300;
