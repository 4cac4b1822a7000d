import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpAnswer } from '../../lib/connection/http.ts';
import type { Success } from '../../lib/integration/schema/schema.ts';
import { stringifyJson } from '../../lib/json/json.ts';
import { excerptOf, type Outcome, outcomeOf } from '../../lib/target/outcome.ts';
import { answered, failed } from '../fakes/fake-http.ts';

const PAUSE_MS = 10_000;

const NOW_MS = Date.UTC(2026, 0, 5, 8, 0, 0);
const anyBody: Success = { rules: [], message: ['message', 'error.message'] };
const qingyiyun: Success = {
  rules: [
    { path: 'success', equals: [true], required: false },
    { path: 'code', equals: [0, 200], required: false },
  ],
  throttled: { path: 'code', equals: [42901] },
  message: ['message', 'error.message'],
};
const strict: Success = { rules: [{ path: 'result.ok', equals: ['yes', 1], required: true }], message: ['error'] };

/** `waits` is a wait, `fails` a failure that surely was not applied. */
const inOneWord = (outcome: Outcome): string =>
  outcome.kind === 'notApplied' ? (outcome.waits ? 'waits' : 'fails') : outcome.kind;
const judge = (answer: HttpAnswer, success = anyBody): Outcome =>
  outcomeOf(answer, success, NOW_MS, { pauseMs: PAUSE_MS });

describe('the status of an answer', () => {
  const rejected = new Set([400, 404, 409, 410, 413, 422]);
  const expected = (status: number): string => {
    if (status >= 200 && status < 300) return 'loaded';
    if (rejected.has(status)) return 'rejected';
    if (status === 429) return 'waits';
    return status >= 300 && status < 500 ? 'fails' : 'uncertain';
  };

  it.each([100, 200, 300, 400, 500])('decides from %i on: loaded, rejected, waits, fails or uncertain', (from) => {
    const statuses = Array.from({ length: 100 }, (_, index) => from + index);
    expect(statuses.map((status) => [status, inOneWord(judge(answered(status)))])).toEqual(
      statuses.map((status) => [status, expected(status)]),
    );
  });

  it('is kept with the beginning of what the target said, and never in a success', () => {
    expect(judge(answered(422, '  分组名称\n\t重复  '))).toEqual({
      kind: 'rejected',
      failure: { cause: 'status', status: 422, excerpt: '分组名称 重复' },
    });
    expect(judge(answered(500))).toStrictEqual({ kind: 'uncertain', failure: { cause: 'status', status: 500 } });
    expect(judge(answered(403, 'no'))).toEqual({
      kind: 'notApplied',
      failure: { cause: 'status', status: 403, excerpt: 'no' },
      waits: false,
    });
    expect(judge(answered(204))).toEqual({ kind: 'loaded' });
  });

  it('beyond 599 says nothing: uncertain', () => {
    expect(inOneWord(judge(answered(600)))).toBe('uncertain');
    expect(inOneWord(judge(answered(999)))).toBe('uncertain');
  });
});

describe('no answer', () => {
  it.each([
    ['dns', 'fails'],
    ['refused', 'fails'],
    ['unreachable', 'fails'],
    ['tls', 'fails'],
    ['timeout', 'uncertain'],
    ['reset', 'uncertain'],
    ['tooLarge', 'uncertain'],
    ['network', 'uncertain'],
  ] as const)('for %s: %s, with the cause and its words', (cause, expected) => {
    const outcome = judge(failed(cause, 'in words'));
    expect(inOneWord(outcome)).toBe(expected);
    expect(outcome).toMatchObject({ failure: { cause, excerpt: 'in words' } });
    expect(outcome).not.toHaveProperty('pauseMs');
  });
});

describe('Retry-After', () => {
  const inTenMinutes = 'Mon, 05 Jan 2026 08:10:00 GMT';
  it.each([
    { status: 429, header: '120', pauseMs: 120_000 },
    { status: 429, header: inTenMinutes, pauseMs: 600_000 },
    { status: 429, header: '0', pauseMs: 0 },
    { status: 429, header: 'soon', pauseMs: PAUSE_MS },
    { status: 429, header: undefined, pauseMs: PAUSE_MS },
    { status: 503, header: '120', pauseMs: 120_000 },
    { status: 503, header: inTenMinutes, pauseMs: 600_000 },
    { status: 503, header: 'Mon, 05 Jan 2026 07:00:00 GMT', pauseMs: 0 },
  ])('$header with status $status pauses everyone for $pauseMs ms', ({ status, header, pauseMs }) => {
    const headers: Record<string, string> = header === undefined ? {} : { 'retry-after': header };
    expect(judge(answered(status, '', headers))).toEqual({
      kind: 'notApplied',
      failure: { cause: 'status', status },
      waits: true,
      pauseMs,
    });
  });

  it.each([undefined, 'soon'])('%s with status 503 says nothing of the request: uncertain', (header) => {
    const headers: Record<string, string> = header === undefined ? {} : { 'retry-after': header };
    expect(inOneWord(judge(answered(503, '', headers)))).toBe('uncertain');
  });

  it('with another 5xx does not make it less uncertain', () => {
    expect(inOneWord(judge(answered(502, '', { 'retry-after': '1' })))).toBe('uncertain');
  });

  it('tells how long a throttle inside a 2xx lasts', () => {
    const body = { success: false, code: 42901, message: 'too many' };
    expect(judge(answered(200, body, { 'retry-after': '300' }), qingyiyun)).toMatchObject({ pauseMs: 300_000 });
    expect(judge(answered(200, body), qingyiyun)).toMatchObject({ pauseMs: PAUSE_MS });
  });
});

describe('the body of a 2xx', () => {
  it.each([
    { what: 'success', body: { success: true, code: 0 }, expected: 'loaded' },
    { what: 'success, its code as text', body: { success: 'true', code: '0' }, expected: 'loaded' },
    { what: 'the other code of success', body: { code: 200 }, expected: 'loaded' },
    { what: 'nothing of what is declared', body: { inserted: 1 }, expected: 'loaded' },
    { what: 'a list', body: [1], expected: 'loaded' },
    { what: 'a business error', body: { success: false, code: 40001 }, expected: 'rejected' },
    { what: 'one rule kept, one broken', body: { success: true, code: 500 }, expected: 'rejected' },
    { what: 'null where success is told', body: { success: null }, expected: 'rejected' },
    { what: 'an object where success is told', body: { success: {} }, expected: 'rejected' },
    { what: 'an object that cannot be text', body: { code: { toString: 1, valueOf: 1 } }, expected: 'rejected' },
    { what: 'the code of a throttle', body: { success: false, code: 42901 }, expected: 'waits' },
    { what: 'the code of a throttle as text', body: { code: '42901' }, expected: 'waits' },
    { what: 'an expired token', body: { success: false, code: 40102 }, expected: 'rejected' },
    { what: 'nothing at all', body: '', expected: 'loaded' },
    { what: 'plain words', body: 'ok', expected: 'loaded' },
    { what: 'a page of HTML', body: '\n <html>Bad gateway</html>', expected: 'uncertain' },
  ])('with $what: $expected', ({ body, expected }) => {
    expect(inOneWord(judge(answered(200, body), qingyiyun))).toBe(expected);
  });

  it.each([
    { what: 'the promised word', body: { result: { ok: 'yes' } }, expected: 'loaded' },
    { what: 'the promised number', body: { result: { ok: 1 } }, expected: 'loaded' },
    { what: 'another word', body: { result: { ok: 'no' } }, expected: 'rejected' },
    { what: 'the promised field missing', body: { result: {} }, expected: 'rejected' },
    { what: 'nothing at all', body: '', expected: 'uncertain' },
    { what: 'half an answer', body: '{"result":{"ok":', expected: 'uncertain' },
  ])('where a field is promised, with $what: $expected', ({ body, expected }) => {
    expect(inOneWord(judge(answered(200, body), strict))).toBe(expected);
  });

  it('without any rule is a success, whatever it says', () => {
    expect(judge(answered(201, { success: false }))).toEqual({ kind: 'loaded' });
  });

  it('gives the words of its message, first hit first, else its beginning', () => {
    const words = (body: unknown) => {
      const outcome = judge(answered(200, body), qingyiyun);
      return 'failure' in outcome ? outcome.failure : undefined;
    };
    expect(words({ code: 1, message: '重复', error: { message: 'other' } })).toEqual({
      cause: 'business-error',
      status: 200,
      excerpt: '重复',
    });
    expect(words({ code: 1, message: 7, error: { message: 'nested' } })?.excerpt).toBe('nested');
    expect(words({ code: 1 })?.excerpt).toBe('{"code":1}');
    expect(words({ code: 42901, message: 'slow down' })).toMatchObject({ cause: 'throttled', status: 200 });
    expect(words('<html>')).toEqual({ cause: 'unreadable-answer', status: 200, excerpt: '<html>' });
  });

  it('is compared exactly where its code is past 2^53', () => {
    const big: Success = { rules: [{ path: 'code', equals: ['9007199254740993'], required: true }], message: [] };
    expect(inOneWord(judge(answered(200, '{"code":9007199254740993}'), big))).toBe('loaded');
    expect(inOneWord(judge(answered(200, '{"code":9007199254740992}'), big))).toBe('rejected');
  });
});

describe('whatever the target answers', () => {
  it('comes to an outcome, and to the same one each time', () => {
    const json = fc.jsonValue().map((value) => stringifyJson(value as never));
    const nearly = fc.record(
      {
        success: fc.jsonValue(),
        code: fc.oneof(fc.constantFrom(0, 200, 42901, '0'), fc.jsonValue()),
        message: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const text = fc.oneof(
      fc.string(),
      json,
      nearly.map((value) => JSON.stringify(value)),
    );
    const header = fc.option(fc.oneof(fc.string(), fc.constantFrom('1', 'Mon, 05 Jan 2026 08:10:00 GMT')), {
      nil: undefined,
    });
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 999 }), text, header, (status, body, retryAfter) => {
        const answer = answered(status, body, retryAfter === undefined ? {} : { 'retry-after': retryAfter });
        for (const success of [anyBody, qingyiyun, strict]) {
          const outcome = judge(answer, success);
          expect(judge(answer, success)).toEqual(outcome);
          if (outcome.kind === 'notApplied') expect(outcome.pauseMs ?? 0).toBeGreaterThanOrEqual(0);
          if ('failure' in outcome) expect(outcome.failure.excerpt?.length ?? 0).toBeLessThanOrEqual(301);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('an excerpt', () => {
  it.each([
    ['', undefined],
    [' \n\t ', undefined],
    [' a \n\n b ', 'a b'],
    ['x'.repeat(300), 'x'.repeat(300)],
    ['x'.repeat(301), `${'x'.repeat(300)}…`],
  ])('of %j is %j', (text, expected) => {
    expect(excerptOf(text)).toBe(expected);
  });
});
