import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import type { FaultBoard } from './fault-board.ts';
import { beijingTime, parseBeijingTime } from './okki-time.ts';
import type { TokenService } from './okki-token.ts';
import { bearerToken, jsonReply, type Reply, type SandboxRequest } from './reply.ts';

type ListEndpoint = 'groups' | 'receipts';

/** OKKI's lists, and how they may be changed between two runs. */
export type OkkiLists = {
  /** `GET /v1/product/groups` */
  groups(request: SandboxRequest): Reply;
  /** `GET /v1/invoices/receipt/list` */
  receipts(request: SandboxRequest): Reply;
  setGroups(groups: readonly JsonValue[]): void;
  setReceipts(receipts: readonly JsonValue[]): void;
};

type Found = { rows: readonly JsonValue[] } | { error: { code: number; message: string } };

const invalidQuery: Found = { error: { code: 400, message: 'Invalid query' } };

const field = (row: JsonValue, key: string): string | undefined => {
  const value = isJsonObject(row) ? row[key] : undefined;
  return value === undefined || value === null || typeof value === 'object' ? undefined : String(value);
};

/** `group_id` and `group_name` as published; `id` and `name` as exports of integrations send them. Empty is not sent. */
const filterGroups = (groups: readonly JsonValue[], query: URLSearchParams): Found => {
  const id = query.get('group_id') || query.get('id');
  const name = query.get('group_name') || query.get('name');
  // Unfiltered, a page of a million groups must not cost a walk over all of them.
  if (!id && !name) return { rows: groups };
  const rows = groups.filter((row) => (!id || field(row, 'id') === id) && (!name || field(row, 'name') === name));
  return id && rows.length === 0 ? { error: { code: -1, message: '分组不存在' } } : { rows };
};

/** `start_time` ≤ update time ≤ `end_time` (Beijing), and removed ones only on `removed=1`. */
const filterReceipts = (receipts: readonly JsonValue[], query: URLSearchParams): Found => {
  const bound = (key: string, unset: number): number | undefined => {
    const text = query.get(key);
    return text ? parseBeijingTime(text) : unset;
  };
  const fromMs = bound('start_time', Number.NEGATIVE_INFINITY);
  const toMs = bound('end_time', Number.POSITIVE_INFINITY);
  const removed = query.get('removed') || '0';
  if (fromMs === undefined || toMs === undefined || (removed !== '0' && removed !== '1')) return invalidQuery;
  return {
    rows: receipts.filter((row) => {
      const updatedMs = parseBeijingTime(field(row, 'update_time') ?? '') ?? 0;
      return fromMs <= updatedMs && updatedMs <= toMs && (field(row, 'removed') ?? '0') === removed;
    }),
  };
};

/** OKKI's lists over these groups and receipts. */
export const okkiLists = (
  start: { groups: readonly JsonValue[]; receipts: readonly JsonValue[] },
  tokens: TokenService,
  faults: FaultBoard,
  nowMs: () => number,
): OkkiLists => {
  let { groups, receipts } = start;
  let drift = 0;

  /** Business errors travel inside HTTP 200 and have no `data`. */
  const businessError = (code: number, message: string): Reply =>
    jsonReply(200, { code, message, now: beijingTime(nowMs()) });

  const refusedToken = (request: SandboxRequest, on: ListEndpoint): Reply | undefined => {
    const token = bearerToken(request);
    if (token !== undefined && tokens.check(token) && faults.happens('token-revoked', { on })) tokens.revoke(token);
    const grant = tokens.check(token);
    if (grant === undefined) {
      return jsonReply(401, { code: 401, message: 'access_token is invalid', now: beijingTime(nowMs()) });
    }
    return on === 'groups' && !grant.scope.includes('product') ? businessError(404, 'No Privilege') : undefined;
  };

  const pageRows = (on: ListEndpoint, all: readonly JsonValue[], query: URLSearchParams): Found => {
    const sent = readPaging(query);
    if (sent === 'invalid') return invalidQuery;
    // The groups come whole where no page is asked for; the neighbouring lists always page.
    const paging = sent ?? (on === 'receipts' ? { startIndex: 1, count: 20 } : undefined);
    if (faults.happens('paging-ignored', { on }) || paging === undefined) return { rows: all };
    const overlap = faults.happens('page-overlap', { on })?.rows ?? 0;
    const before = { ...paging, startIndex: paging.startIndex - 1 };
    return { rows: pageOf(all, isRepeated(on, paging.startIndex) ? before : paging, overlap) };
  };

  /** Only requests for that page are occasions of the fault. */
  const isRepeated = (on: ListEndpoint, startIndex: number): boolean =>
    startIndex > 1 && faults.happens('page-repeated', { on, page: startIndex }) !== undefined;

  const total = (count: number): JsonObject => {
    drift += faults.happens('total-drift', { on: 'receipts' })?.by ?? 0;
    const form = faults.happens('total-form', { on: 'receipts' });
    const value = count + drift;
    return { [form?.key ?? 'totalItem']: form?.as === 'string' ? String(value) : value };
  };

  const answer = (on: ListEndpoint, list: JsonValue[], totals: JsonObject): Reply => {
    if (faults.happens('bare-array', { on })) return jsonReply(200, list);
    const padding = faults.happens('huge', { on });
    const reply = jsonReply(200, {
      code: faults.happens('code-zero', { on }) ? 0 : 200,
      message: 'success',
      now: beijingTime(nowMs()),
      data: on === 'groups' ? list : { list, ...totals },
    });
    return padding === undefined ? reply : { ...reply, paddingBytes: padding.bytes };
  };

  const respond = (on: ListEndpoint, request: SandboxRequest): Reply => {
    const refused = refusedToken(request, on);
    if (refused !== undefined) return refused;
    const told = faults.happens('source-business-error', { on });
    if (told !== undefined) return businessError(told.code, told.message);

    const found = on === 'groups' ? filterGroups(groups, request.query) : filterReceipts(receipts, request.query);
    if ('error' in found) return businessError(found.error.code, found.error.message);
    const all = faults.happens('dirty', { on }) ? [...found.rows, ...dirtyRecords] : found.rows;
    const page = pageRows(on, all, request.query);
    if ('error' in page) return businessError(page.error.code, page.error.message);
    return answer(on, [...page.rows], on === 'receipts' ? total(all.length) : {});
  };

  return {
    groups: (request) => respond('groups', request),
    receipts: (request) => respond('receipts', request),
    setGroups: (next) => {
      groups = next;
    },
    setReceipts: (next) => {
      receipts = next;
    },
  };
};

/** Rows by OKKI's paging: `startIndex` is a page number from 1, not an offset; `count` is the page size. */
type Paging = { startIndex: number; count: number };

const DEFAULT_COUNT = 20;
const POSITIVE = /^[1-9]\d{0,8}$/;

/**
 * Reads `start_index` and `count`; undefined where neither is sent (then the groups come whole), `invalid` where one
 * is not a whole number from 1. An empty parameter counts as not sent.
 */
const readPaging = (query: URLSearchParams): Paging | undefined | 'invalid' => {
  const startIndex = query.get('start_index') || undefined;
  const count = query.get('count') || undefined;
  if (startIndex === undefined && count === undefined) return undefined;
  for (const value of [startIndex, count]) if (value !== undefined && !POSITIVE.test(value)) return 'invalid';
  return { startIndex: Number(startIndex ?? 1), count: Number(count ?? DEFAULT_COUNT) };
};

/**
 * The rows of a page. `overlap`: as if so many rows had been added at the top since the page before was read, so that
 * this page repeats them.
 */
const pageOf = (rows: readonly JsonValue[], { startIndex, count }: Paging, overlap: number): JsonValue[] => {
  const start = Math.max(0, (startIndex - 1) * count - (startIndex > 1 ? overlap : 0));
  return rows.slice(start, start + count);
};

/** What the fault `dirty` puts at the end of a list: elements that are not records, or have no id. */
const dirtyRecords: readonly JsonValue[] = [
  { name: '没有编号的分组', parent_id: 0 },
  { id: null, name: '编号为空的分组', parent_id: 0 },
  { id: '', name: '编号为空串的分组', parent_id: 0 },
  { id: { value: 1 }, name: '编号是对象的分组', parent_id: 0 },
  null,
  [{ id: 5_203_300_001, name: '数组里的分组' }],
  '照明灯具',
  5_203_300_001,
];
