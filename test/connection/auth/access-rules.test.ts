import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { refusalKeys, rulesIn, tokenRefusalIn } from '../../../lib/connection/auth/access-rules.ts';
import type { Answered } from '../../../lib/connection/http.ts';

const answered = (status: number, body: unknown, headers: Record<string, string> = {}): Answered => ({
  kind: 'answered',
  status,
  headers,
  text: JSON.stringify(body),
});

const schema = z.strictObject(refusalKeys());
/** How an answer refuses the token under these rules of a file. */
const refusal = (expired: unknown, answer: Answered) =>
  tokenRefusalIn(answer, rulesIn(schema.parse({ expired }).expired))?.as;
const code = { path: 'code', equals: [401, 40100] };
const kingdee = { path: '0.0.Result.ResponseStatus.Errors.0.Message', contains: '会话信息已丢失' };
const lost = [[{ Result: { ResponseStatus: { Errors: [{ Message: '会话信息已丢失,请重新登录' }] } } }]];

describe('a rule of auth.expired', () => {
  it.each([
    ['a value', code, answered(200, { code: 401 }), 'expired'],
    ['a value as text', code, answered(200, { code: '40100' }), 'expired'],
    ['a value in an answer of any status', code, answered(500, { code: 401 }), 'expired'],
    ['another value', code, answered(200, { code: 0 }), undefined],
    ['no value', code, answered(200, {}), undefined],
    ['null', code, answered(200, { code: null }), undefined],
    ['an object', code, answered(200, { code: { code: 401 } }), undefined],
    ['words within a list of lists', kingdee, answered(200, lost), 'expired'],
    ['words that are not there', kingdee, answered(200, [[{}]]), undefined],
    ['words with a quote in them', { path: 'm', contains: 'a "b"' }, answered(200, { m: 'no a "b"' }), 'expired'],
    ['a status', { status: 419 }, answered(419, 'Page Expired'), 'expired'],
    ['another status', { status: 419 }, answered(200, {}), undefined],
    ['value and status', { ...code, status: 403 }, answered(403, { code: 401 }), 'expired'],
    ['the value without the status', { ...code, status: 403 }, answered(200, { code: 401 }), undefined],
    ['the second of two rules', [{ status: 419 }, code], answered(200, { code: 401 }), 'expired'],
    ['a 403 that speaks of the rate, named', { status: 403 }, answered(403, {}, { 'retry-after': '1' }), 'expired'],
  ])('%s', (_, rule, answer, as) => {
    expect(refusal(rule, answer)).toBe(as);
  });

  it.each([
    {},
    { path: 'code' },
    { equals: [1] },
    { path: 'a', equals: [1], contains: 'x' },
    { status: 403, equals: [1] },
    [],
  ])('is refused where it does not say what it looks for: %j', (expired) => {
    expect(schema.safeParse({ expired }).success).toBe(false);
  });

  it('is not needed for 401, and a 403 is a refusal unless it speaks of the rate', () => {
    expect(tokenRefusalIn(answered(401, {}), [])).toEqual({ as: 'expired', byRule: false });
    expect(tokenRefusalIn(answered(403, {}), [])).toEqual({ as: 'forbidden', byRule: false });
    expect(tokenRefusalIn(answered(403, {}, { 'x-ratelimit-remaining': '0' }), [])).toBeUndefined();
    expect(tokenRefusalIn(answered(200, {}), [])).toBeUndefined();
  });
});
