import { isJsonObject, isNumber, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import type { Target } from './target-store.ts';

export type Row = { id: string; content: JsonObject };
/** Why a row is refused. */
export type Refusal = { status: number; code: number; message: string };
export type JudgedRow = { row: Row; refusal?: Refusal };

/** How one target reads requests and words its answers. */
export type Dialect = {
  target: Target;
  /** HTTP status for a body that is not what the endpoint takes. */
  malformedStatus: number;
  /** The rows of a body, or what is wrong with it. `anyFields`: an id is enough. */
  read(body: JsonValue, anyFields: boolean): { rows: Row[] } | { problem: string };
  success(count: { inserted: number; updated: number }): JsonObject;
  /** What became of each row, where the target answers row by row. */
  byRow?(rows: readonly JudgedRow[]): JsonObject;
  error(code: number, message: string): JsonObject;
};

const idOf = (value: JsonValue | undefined): string | undefined =>
  (typeof value === 'string' && value !== '') || isNumber(value) ? String(value) : undefined;

const EXECUTE_FIELDS = ['number', 'id', '编码'];

/** 轻易云's `/execute`: one record per request; errors are HTTP 200 with `success: false`, as its store API words them. */
export const qingyiyunDialect: Dialect = {
  target: 'qingyiyun',
  malformedStatus: 200,
  read: (body, anyFields) => {
    if (!isJsonObject(body)) return { problem: '请求体必须是一个 JSON 对象' };
    const id = idOf(body.id);
    if (id === undefined) return { problem: '缺少必填字段 id' };
    const missing = anyFields ? undefined : EXECUTE_FIELDS.find((key) => body[key] === undefined || body[key] === null);
    return missing === undefined ? { rows: [{ id, content: body }] } : { problem: `缺少必填字段 ${missing}` };
  },
  success: ({ inserted, updated }) => ({
    success: true,
    code: 0,
    message: 'ok',
    content: { inserted, updated, failed: 0 },
  }),
  error: (code, message) => ({ success: false, code, message, content: null }),
};

/** The CRM's `/groups/batch`: `{"array": [{group_id, group_name}, …]}`; a parent and other keys may come along. */
export const crmDialect: Dialect = {
  target: 'crm',
  malformedStatus: 400,
  read: (body) => {
    const array = isJsonObject(body) ? body.array : undefined;
    if (!Array.isArray(array) || array.length === 0) return { problem: 'array must be a list with at least one row' };
    const rows: Row[] = [];
    for (const [index, row] of array.entries()) {
      if (!isJsonObject(row)) return { problem: `array[${index}] must be an object` };
      const { group_id: id, group_name: name } = row;
      if (typeof id !== 'bigint' && !Number.isInteger(id))
        return { problem: `array[${index}].group_id must be an integer` };
      if (typeof name !== 'string' || name.trim() === '') {
        return { problem: `array[${index}].group_name must be a text that is not blank` };
      }
      rows.push({ id: String(id), content: row });
    }
    return { rows };
  },
  success: ({ inserted, updated }) => ({ code: 0, message: 'ok', data: { saved: inserted + updated } }),
  byRow: (rows) => {
    const failed = rows.filter(({ refusal }) => refusal !== undefined).length;
    return {
      code: 0,
      message: failed === 0 ? 'ok' : 'some rows were refused',
      data: {
        saved: rows.length - failed,
        failed,
        results: rows.map(({ row, refusal }) => ({
          group_id: row.content.group_id ?? row.id,
          code: refusal?.code ?? 0,
          message: refusal?.message ?? 'ok',
        })),
      },
    };
  },
  error: (code, message) => ({ code, message, data: null }),
};
