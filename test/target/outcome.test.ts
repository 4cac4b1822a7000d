import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpAnswer } from '../../lib/connection/http.ts';
import type { Success } from '../../lib/integration/schema/schema.ts';
import { type JsonValue, stringifyJson } from '../../lib/json/json.ts';
import { judgeBody, outcomeOf, targetReactions } from '../../lib/target/outcome.ts';
import { excerptOf, isNotUnderstood, type Outcome } from '../../lib/target/target.ts';
import { tableInWords } from '../fakes/every-end.ts';
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

it('the table of a POST is this one, with all that headers and causes change', () => {
  expect(tableInWords(targetReactions, String)).toEqual([
    '100-199 uncertain',
    '200-299 success',
    '300-399 retry',
    '400 rejected',
    '401-403 retry',
    '404 rejected',
    '405-408 retry',
    '409 conflict',
    '410 rejected',
    '411-412 retry',
    '413 rejected',
    '414-421 retry',
    '422 rejected',
    '423-428 retry',
    '429 throttled',
    '430-499 retry',
    '500-999 uncertain',
    '403 with Retry-After throttled',
    '503 with Retry-After unavailable',
    '403 with nothing remaining throttled',
    ...['dns', 'refused', 'unreachable', 'tls'].map((cause) => `${cause} retry`),
    ...['timeout', 'reset', 'tooLarge', 'network'].map((cause) => `${cause} uncertain`),
  ]);
});

describe('the status of an answer', () => {
  const rejected = new Set([400, 404, 410, 413, 422]);
  const expected = (status: number): string => {
    if (status >= 200 && status < 300) return 'loaded';
    if (rejected.has(status)) return 'rejected';
    if (status === 409) return 'conflict';
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
    { status: 403, header: '120', pauseMs: 120_000 },
    { status: 403, header: 'soon', pauseMs: PAUSE_MS },
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

  it.each([
    [{ 'x-ratelimit-remaining': '0' }, PAUSE_MS],
    [{ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '7' }, 7_000],
  ])('is not needed in a 403 that says %j: everyone waits for %d ms', (headers, pauseMs) => {
    expect(judge(answered(403, '', headers as Record<string, string>))).toMatchObject({ waits: true, pauseMs });
  });

  it('tells how long a throttle inside a 2xx lasts', () => {
    const body = { success: false, code: 42901, message: 'too many' };
    expect(judge(answered(200, body, { 'retry-after': '300' }), qingyiyun)).toMatchObject({ pauseMs: 300_000 });
    expect(judge(answered(200, body), qingyiyun)).toMatchObject({ pauseMs: PAUSE_MS });
  });
});

describe('a conflict', () => {
  it.each([
    [{}, undefined],
    [{ 'retry-after': '3' }, 3_000],
  ])('with %j waits for %s ms', (headers, waitMs) => {
    const failure = { cause: 'status', status: 409, excerpt: 'busy' };
    const expected = waitMs === undefined ? { kind: 'conflict', failure } : { kind: 'conflict', failure, waitMs };
    expect(judge(answered(409, 'busy', headers as Record<string, string>))).toStrictEqual(expected);
  });
});

describe('the body of a 2xx', () => {
  const covered: Success = { ...qingyiyun, status: true };
  const open: Success = { ...anyBody, status: true };

  // By rules; by rules beside status; without any; without any but status.
  it.each([
    ['a success', { success: true, code: 0 }, 'loaded loaded loaded loaded'],
    ['a success, its code as text', { success: 'true', code: '0' }, 'loaded loaded loaded loaded'],
    ['the other code of success', { code: 200 }, 'loaded loaded loaded loaded'],
    ['null beside a success', { success: null, code: 0 }, 'loaded loaded loaded loaded'],
    ['a refusal', { success: 'no', code: 40001 }, 'rejected rejected loaded loaded'],
    ['one rule kept, one broken', { success: true, code: 500 }, 'rejected rejected loaded loaded'],
    ['the code of a throttle', { success: false, code: 42901 }, 'waits waits rejected rejected'],
    ['the code of a throttle as text', { code: '42901' }, 'waits waits loaded loaded'],
    ['an expired token', { success: false, code: 40102 }, 'rejected rejected rejected rejected'],
    ['none of the paths', { inserted: 1 }, 'uncertain loaded loaded loaded'],
    ['null at the only path', { success: null }, 'uncertain loaded loaded loaded'],
    ['a list', [1], 'uncertain loaded loaded loaded'],
    ['a word of JSON', '"ok"', 'uncertain loaded loaded loaded'],
    ['an object at the path', { success: {} }, 'uncertain uncertain loaded loaded'],
    ['a list at the path', { code: [0] }, 'uncertain uncertain loaded loaded'],
    ['an object that is no text', { code: { toString: 1, valueOf: 1 } }, 'uncertain uncertain loaded loaded'],
    ['plain words', 'ok', 'uncertain uncertain loaded loaded'],
    ['a cut answer', '{"code":500,"message":"deadlo', 'uncertain uncertain uncertain loaded'],
    ['a cut list', '[{"code":0},', 'uncertain uncertain uncertain loaded'],
    ['a page of HTML', '\n <html>Bad gateway</html>', 'uncertain uncertain uncertain loaded'],
    ['nothing', '', 'loaded loaded loaded loaded'],
    ['a blank line', ' \n', 'loaded loaded loaded loaded'],
  ])('with %s: %j is %s', (_, body, expected) => {
    const settings = [qingyiyun, covered, anyBody, open];
    expect(settings.map((success) => inOneWord(judge(answered(200, body), success))).join(' ')).toBe(expected);
  });

  it.each<[string, JsonValue, string]>([
    [
      'at its root',
      [
        { id: 1, success: true },
        { id: 2, success: false },
      ],
      'uncertain',
    ],
    ['beside a success', { code: 0, data: { rows: [{ id: 1 }, { id: 2, errcode: 7 }] } }, 'uncertain'],
    ['with an error', { code: 0, data: [{ id: 1 }, { id: 2, error_response: { code: 15 } }] }, 'uncertain'],
    ['three levels down', { code: 0, data: { rows: [{ success: false }] } }, 'uncertain'],
    ['whose list lies too deep', { code: 0, data: { of: { rows: [{ success: false }] } } }, 'loaded'],
    ['whose status is its own', { code: 0, data: [{ id: 1, status: 'failed' }, { id: 2 }] }, 'loaded'],
    ['of words', { code: 0, data: ['success', 'false'] }, 'loaded'],
    ['where all is well', { code: 0, data: [{ success: true, errcode: 0 }, { success: 'true' }] }, 'loaded'],
  ])('that lists a row %s is %3$s', (_, body, expected) => {
    expect(inOneWord(judge(answered(200, body), open))).toBe(expected);
  });

  it('that has a refused row is judged by its rows, where the file says where they are', () => {
    const body = JSON.stringify({ code: 0, rows: [{ success: false }] });
    expect(judgeBody(body, 200, qingyiyun, 'rows').as).toBe('loaded');
    expect(judgeBody(body, 200, qingyiyun).as).toBe('uncertain');
  });

  it.each([200, 201, 202, 204])('that is empty is a success by status %i, unless a rule asks for words', (status) => {
    expect(judge(answered(status), qingyiyun)).toEqual({ kind: 'loaded' });
    expect(judge(answered(status), strict)).toMatchObject({
      kind: 'uncertain',
      failure: { cause: 'unreadable-answer', status },
    });
  });

  it.each([
    { what: 'the promised word', body: { result: { ok: 'yes' } }, expected: 'loaded' },
    { what: 'the promised number', body: { result: { ok: 1 } }, expected: 'loaded' },
    { what: 'another word', body: { result: { ok: 'no' } }, expected: 'rejected' },
    { what: 'the promised field missing', body: { result: {} }, expected: 'uncertain' },
    { what: 'the promised field null', body: { result: { ok: null } }, expected: 'uncertain' },
    { what: 'half an answer', body: '{"result":{"ok":', expected: 'uncertain' },
  ])('where a field is promised, with $what: $expected', ({ body, expected }) => {
    expect(inOneWord(judge(answered(200, body), strict))).toBe(expected);
  });

  it('that lacks what one rule requires is no success by another', () => {
    const [first, second] = qingyiyun.rules;
    const rules = [{ ...first, required: true }, second] as Success['rules'];
    expect(inOneWord(judge(answered(200, { code: 0 }), { ...qingyiyun, rules }))).toBe('uncertain');
    expect(inOneWord(judge(answered(200, { success: {}, code: 0 }), { ...qingyiyun, rules }))).toBe('uncertain');
  });

  it.each([
    ['no JSON', 'oops', 'unreadable-answer'],
    ['none of the paths', { inserted: 1 }, 'no-known-status'],
  ])('with %s is an answer that is not understood', (_, body, cause) => {
    const outcome = judge(answered(200, body), qingyiyun);
    expect(outcome).toMatchObject({ kind: 'uncertain', failure: { cause, status: 200 } });
    expect('failure' in outcome && isNotUnderstood(outcome.failure)).toBe(true);
  });

  it.each([answered(500), failed('timeout'), answered(422), failed('reset')])('%j is another failure', (answer) => {
    const outcome = judge(answer, qingyiyun);
    expect('failure' in outcome && isNotUnderstood(outcome.failure)).toBe(false);
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

  it.each([
    [302, { kind: 'notApplied', waits: false }],
    [400, { kind: 'notApplied', waits: true, pauseMs: 5_000, failure: { cause: 'throttled', status: 400 } }],
    [403, { kind: 'notApplied', waits: true, pauseMs: 5_000, failure: { cause: 'throttled', status: 403 } }],
    // It may have been applied.
    [500, { kind: 'uncertain' }],
  ])('that says "too many" by the code of the file counts beside a refusing status as well: %i', (status, outcome) => {
    const headers = { 'retry-after': '5' };
    expect(judge(answered(status, { code: 42901 }, headers), qingyiyun)).toMatchObject(outcome);
    expect(judge(answered(400, { code: 42901 }), qingyiyun)).toMatchObject({ pauseMs: PAUSE_MS });
    expect(judge(answered(400, { code: 1 }), qingyiyun)).toMatchObject({ kind: 'rejected' });
  });

  it('is compared exactly where its code is past 2^53', () => {
    const big: Success = { rules: [{ path: 'code', equals: ['9007199254740993'], required: true }], message: [] };
    expect(inOneWord(judge(answered(200, '{"code":9007199254740993}'), big))).toBe('loaded');
    expect(inOneWord(judge(answered(200, '{"code":9007199254740992}'), big))).toBe('rejected');
  });
});

describe('a refusal in a usual envelope, which no rule names', () => {
  it.each<[JsonValue, string]>([
    [{ success: false, message: 'no such unit' }, 'success: false "no such unit"'],
    [{ success: false, reason: 7 }, 'success: false {"success":false,"reason":7}'],
    [{ error_response: { code: 7 } }, 'error_response {"error_response":{"code":7}}'],
  ])('%j is told as %s', (body, excerpt) => {
    expect(judge(answered(200, body))).toEqual({
      kind: 'rejected',
      failure: { cause: 'business-error', status: 200, excerpt },
    });
  });

  it('is none where a rule of the file speaks of it', () => {
    const inverted: Success = { rules: [{ path: 'success', equals: [false], required: true }], message: [] };
    expect(inOneWord(judge(answered(200, { success: false }), inverted))).toBe('loaded');
    const elsewhere: Success = { rules: [{ path: 'code', equals: [0], required: true }], message: [] };
    expect(inOneWord(judge(answered(200, { success: false, code: 0 }), elsewhere))).toBe('rejected');
  });
});

describe('an answer whose bytes nobody can read', () => {
  const unreadable = (status: number, body: JsonValue) => ({
    ...answered(status, body),
    unreadable: { why: 'charset', message: 'in no charset' } as const,
  });
  const outcomeFor = (status: number, body: JsonValue, success: Success, rowsPath?: string): Outcome =>
    outcomeOf(unreadable(status, body), success, NOW_MS, { pauseMs: PAUSE_MS }, rowsPath);

  it('is not understood where its body must say success, by a rule or by its rows', () => {
    const failure = { cause: 'unreadable-answer', status: 200, excerpt: 'in no charset: {"code":0}' };
    expect(outcomeFor(200, { code: 0 }, qingyiyun)).toEqual({ kind: 'uncertain', failure });
    expect(outcomeFor(200, { code: 0 }, anyBody, 'rows')).toEqual({ kind: 'uncertain', failure });
    expect(outcomeFor(200, { code: 0 }, anyBody)).toEqual({ kind: 'loaded' });
  });

  it('says nothing of "too many", whatever stands in it', () => {
    expect(outcomeFor(400, { code: 42901 }, qingyiyun)).toMatchObject({
      kind: 'rejected',
      failure: { cause: 'status' },
    });
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
