import { createHash } from 'node:crypto';
import { canonicalJson, type JsonValue, parsedOrUndefined } from '../../lib/json/json.ts';
import type { FaultBoard, Occasion } from './fault-board.ts';
import { lockouts } from './lockout.ts';
import { bearerToken, jsonReply, type Reply, retryAfterHeader, type SandboxRequest } from './reply.ts';
import type { Dialect, JudgedRow, Refusal, Row } from './target-dialect.ts';
import type { TargetStore } from './target-store.ts';

/** Codes as 轻易云's open API numbers them. */
const codes = { invalid: 40_001, tokenInvalid: 40_102, keyReused: 40_901, refused: 42_201, throttled: 42_901 } as const;

/** For a connection that ends without an answer. */
const noAnswer: Reply = { status: 0, headers: {}, text: '', dropped: 'before' };

/**
 * A target's write endpoint: reads rows, upserts them by id, answers in its dialect. A known Idempotency-Key gets its
 * first answer again and nothing is applied; with another body it gets 409. A refused request leaves its key unused, so
 * the same request can succeed once the target is mended.
 */
export const targetEndpoint = (
  dialect: Dialect,
  store: TargetStore,
  faults: FaultBoard,
  nowMs: () => number,
): ((request: SandboxRequest) => Reply) => {
  const on = dialect.target;
  const lockout = lockouts();
  const error = (status: number, code: number, message: string, headers: Record<string, string> = {}): Reply =>
    jsonReply(status, dialect.error(code, message), headers);

  const throttled = (occasion: Occasion): Reply | undefined => {
    const limit = faults.happens('target-lockout', occasion);
    const verdict = limit && lockout(limit, nowMs());
    if (limit !== undefined && verdict?.locked) {
      const waitSec = Math.ceil((verdict.untilMs - nowMs()) / 1000);
      const told = {
        'retry-after': String(waitSec),
        'x-ratelimit-limit': String(limit.requests),
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.ceil(verdict.untilMs / 1000)),
      };
      return error(429, codes.throttled, '请求过于频繁,已被锁定,请稍后再试', limit.header === 'yes' ? told : {});
    }
    const once = faults.happens('target-429', occasion);
    return once && error(429, codes.throttled, '请求过于频繁', retryAfterHeader(once, nowMs()));
  };

  const unauthorized = (occasion: Occasion, request: SandboxRequest): Reply | undefined => {
    const required = faults.happens('token-required', occasion);
    const token = bearerToken(request);
    const isWrong = required !== undefined && (required.token === '' ? token === undefined : token !== required.token);
    const told = faults.happens('target-401', occasion) !== undefined;
    return isWrong || told ? error(401, codes.tokenInvalid, 'token 无效或已过期') : undefined;
  };

  /** What befalls a request before the target has looked at it. */
  const before = (occasion: Occasion, request: SandboxRequest): Reply | undefined => {
    if (faults.happens('target-drop', occasion)) return noAnswer;
    const early = throttled(occasion) ?? unauthorized(occasion, request);
    if (early !== undefined) return early;
    const broken = faults.happens('target-500', occasion);
    return broken && error(broken.status, broken.status, '服务器内部错误', retryAfterHeader(broken, nowMs()));
  };

  const judge = (row: Row): JudgedRow => {
    const occasion = { on, ids: [row.id] };
    const refused = faults.happens('target-refuse', occasion);
    if (refused !== undefined) {
      return { row, refusal: { status: refused.status, code: codes.refused, message: refused.message } };
    }
    const inBody = faults.happens('target-business-error', occasion);
    return inBody === undefined
      ? { row }
      : { row, refusal: { status: 200, code: inBody.code, message: inBody.message } };
  };

  /** Applies rows and answers. The store is written before the answer is sent. */
  const apply = (rows: Row[], answer: JsonValue, key: string | undefined, request: string): void =>
    store.apply({ target: on, atMs: nowMs(), rows, ...(key === undefined ? {} : { key, request, answer }) });

  const write = (rows: Row[], key: string | undefined, request: string): Reply => {
    const known = key === undefined ? undefined : store.known(on, key);
    if (known !== undefined) {
      return known.request === request
        ? jsonReply(200, known.answer, { 'idempotency-replayed': 'true' })
        : error(409, codes.keyReused, 'Idempotency-Key 已用于另一请求');
    }
    const judged = rows.map(judge);
    const refused = judged.find((one): one is Required<JudgedRow> => one.refusal !== undefined);
    if (dialect.byRow !== undefined && faults.happens('row-results', { on })) {
      const answer = dialect.byRow(judged);
      // A mixed answer is not kept: rows that were refused must find their key unused when they come again.
      const accepted = judged.filter(({ refusal }) => refusal === undefined).map(({ row }) => row);
      if (accepted.length > 0) apply(accepted, answer, refused === undefined ? key : undefined, request);
      return jsonReply(200, answer);
    }
    if (refused !== undefined) return refusal(refused, judged);
    const isNew = new Set(rows.filter(({ id }) => !store.has(on, id)).map(({ id }) => id));
    const answer = dialect.success({ inserted: isNew.size, updated: rows.length - isNew.size });
    apply(rows, answer, key, request);
    return jsonReply(200, answer);
  };

  /** One refused row refuses its whole request; the words name the rows. */
  const refusal = ({ refusal: first }: { refusal: Refusal }, judged: readonly JudgedRow[]): Reply => {
    const ids = judged.filter((one) => one.refusal !== undefined).map(({ row }) => row.id);
    return error(first.status, first.code, `${first.message} (${ids.join(', ')})`);
  };

  /** What befalls an answer once the target has done its work. */
  const after = (occasion: Occasion, reply: Reply): Reply => {
    if (faults.happens('target-commit-then-drop', occasion)) return noAnswer;
    const slow = faults.happens('target-slow', occasion);
    return slow === undefined ? reply : { ...reply, lateMs: slow.ms };
  };

  return (request) => {
    const body = parsedOrUndefined(request.body);
    const anyFields = faults.happens('any-fields', { on }) !== undefined;
    const found = body === undefined ? { problem: '请求体不是合法的 JSON' } : dialect.read(body, anyFields);
    const occasion: Occasion = { on, ids: 'rows' in found ? found.rows.map(({ id }) => id) : [] };
    const early = before(occasion, request);
    if (early !== undefined) return early;
    if (body === undefined || 'problem' in found) {
      return error(dialect.malformedStatus, codes.invalid, 'problem' in found ? found.problem : '');
    }
    return after(occasion, write(found.rows, request.headers['idempotency-key'], fingerprint(body)));
  };
};

const fingerprint = (body: JsonValue): string => createHash('sha256').update(canonicalJson(body)).digest('hex');
