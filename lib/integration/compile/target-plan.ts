import { type Connection, connectionFor } from '../../connection/api/connection.ts';
import type { RateLimitSetting } from '../../connection/limit/rate-limit.ts';
import type { LoadPolicy } from '../../idcheck/decide.ts';
import type { JsonObject } from '../../json/json.ts';
import { defined } from '../../runtime/defined.ts';
import { requestPathOf, WRAPPER_FIELD, wrapperIn } from '../dialect/words.ts';
import type { Integration, Success } from '../schema/schema.ts';
import { typedSecretsIn } from './typed-secrets.ts';

/** What goes beside the records into every request to a target, by its `otherRequest`. */
export type Beside = {
  body: JsonObject;
  /** Key in the body of the one JSON text that `body` is. */
  text?: string;
  query: readonly (readonly [string, string])[];
  headers: Readonly<Record<string, string>>;
};

/** How the row of a record is found in an answer. */
export type RowKey =
  /** By the record's id as the body carries it under `idKey`; a body that has none is known by the source's id. */
  | { by: 'id'; path: string; idKey: string | undefined }
  /** By its place in the request, counted from 0. */
  | { by: 'index'; path: string }
  /** In the order sent; in an object, whose rows have no order, by the record's id. */
  | { by: 'order'; idKey: string | undefined };

/** A batch that is answered row by row. */
export type ResultsPlan = Pick<NonNullable<Integration['target']['results']>, 'path' | 'success' | 'message'> & {
  row: RowKey;
};

/** Everything that sending records to an integration's target needs to know. */
export type TargetPlan = {
  integration: string;
  connection: Connection;
  /** Secrets that the block itself holds, and sends. */
  typedSecrets: readonly string[];
  rateLimit?: RateLimitSetting;
  method: 'POST' | 'PUT' | 'PATCH';
  path: string;
  /** How many records go into one request and under which key, as a list; absent: each is a request's body itself. */
  batch?: { rows: number; rowsKey: string };
  /** Dotted path in the body that records go under; absent: its root. */
  under?: string;
  /** Dotted path in the body of the one JSON text that all this is; absent: it is JSON in JSON. */
  text?: string;
  /** Whether the body is a form, and no JSON. */
  isForm: boolean;
  beside: Beside;
  /** The endpoint that is told of deletions; absent: none is. */
  deletion?: { method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'; path: string };
  success: Success;
  results?: ResultsPlan;
  /** Requests at a time in one worker. */
  concurrency: number;
};

/** How many records go into one request, and under which key; undefined: a record is a request's body itself. Pure. */
export const batchOf = ({ metadata: { operation }, send }: Integration['target']): TargetPlan['batch'] => {
  const list = send.request?.list;
  if (operation?.method === 'batchArraySave') {
    return { rows: Number(operation.rows), rowsKey: list ?? operation.rowsKey };
  }
  return list === undefined ? undefined : { rows: 1, rowsKey: list };
};

/**
 * The dialect is loaded for the targets that need it only: to send what fetch has mapped needs nothing of that, and a
 * cold start is the shorter (docs/decisions/0010-cold-start.md).
 */
const besideOf = async ({ metadata, send }: Integration['target']): Promise<Beside> => {
  const list = send.request?.list;
  // Without a batch a key that is not the list's own is a parameter.
  const isWrapper =
    wrapperIn(metadata, undefined) !== undefined || (list !== undefined && wrapperIn(metadata, list) === list);
  const otherRequest = metadata.otherRequest?.filter(({ field }) => !isWrapper || field !== WRAPPER_FIELD);
  if (!otherRequest || otherRequest.length === 0) return { body: {}, query: [], headers: {} };
  const { besideRecords } = await import('./beside.ts');
  return besideRecords(otherRequest, send.otherRequest);
};

const rowKeyOf = async (integration: Integration): Promise<RowKey> => {
  const { id, index } = integration.target.results ?? {};
  if (index !== undefined) return { by: 'index', path: index };
  const { idKeyOf } = await import('./body-plan.ts');
  const idKey = idKeyOf(integration);
  return id === undefined ? { by: 'order', idKey } : { by: 'id', path: id, idKey };
};

const resultsOf = async (integration: Integration): Promise<ResultsPlan | undefined> => {
  const { results } = integration.target;
  if (results === undefined) return undefined;
  const { path, success, message } = results;
  return { path, success, message, row: await rowKeyOf(integration) };
};

/** `"as": "text"` is an older spelling: its key stands in `under`. */
const wrappedAs = (send: Integration['target']['send']['request'] = { as: 'fields' }) =>
  send.as === 'text' ? { text: send.under } : { under: send.under, text: send.text };

/** Compiles what an integration's file says of its target. Throws TypeError for what the check of the file refuses. */
export const targetPlanOf = async (integration: Integration): Promise<TargetPlan> => {
  const { name, target, vanished } = integration;
  const { connection, rateLimit, metadata, send, success, concurrency } = target;
  const deletion = vanished.action === 'post' ? { method: vanished.method, path: vanished.path } : undefined;
  return {
    integration: name,
    connection: connectionFor(connection, metadata.api),
    typedSecrets: typedSecretsIn(metadata.request, metadata.otherRequest),
    ...defined({ rateLimit }),
    method: metadata.method,
    path: requestPathOf(target),
    ...defined({ batch: batchOf(target), ...wrappedAs(send.request), deletion }),
    isForm: send.body === 'form',
    beside: await besideOf(target),
    success,
    ...defined({ results: await resultsOf(integration) }),
    concurrency,
  };
};

/** Compiles what may happen to the ids of an integration that are stored already. Pure. */
export const loadPolicyOf = ({ target }: Integration): LoadPolicy => ({
  idCheck: target.metadata.idCheck,
  onUncertain: target.onUncertain,
});
