import type { ApiRequest } from '../connection/api/api.ts';
import { contentHash } from '../idcheck/hash.ts';
import type { TargetPlan } from '../integration/compile/target-plan.ts';
import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../json/json.ts';
import { setPath } from '../json/path.ts';
import type { PostRecord } from './target.ts';

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

/** The request that loads records: what stands beside them never replaces a field of their own. Pure. */
export const loadRequest = (
  { method, path, batch, under, beside }: TargetPlan,
  records: readonly [PostRecord, ...PostRecord[]],
): ApiRequest => {
  const content = batch === undefined ? records[0].body : { [batch.rowsKey]: records.map(({ body }) => body) };
  const placed = under === undefined ? content : setPath({}, under, content);
  return {
    method,
    path,
    ...(beside.query.length > 0 && { query: beside.query }),
    headers: { ...beside.headers, 'idempotency-key': idempotencyKeyOf(records) },
    body: stringifyJson(merged(beside.body, placed)),
  };
};

/** The request that tells the target of a deletion. Pure. */
export const deletionRequest = (
  { method, path }: NonNullable<TargetPlan['deletion']>,
  record: PostRecord,
): ApiRequest => ({
  method,
  path,
  headers: { 'idempotency-key': idempotencyKeyOf([record]) },
  body: stringifyJson(record.body),
});
