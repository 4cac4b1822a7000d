import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusalAround, refusalIn } from '../../../lib/connection/api/refusal.ts';
import { type JsonObject, type JsonValue, parseJson, stringifyJson } from '../../../lib/json/json.ts';

const none = () => false;
const pathIn = (body: unknown, rules: readonly string[] = [], rowsPath?: string) =>
  refusalIn(body as JsonValue, (path) => rules.includes(path), rowsPath)?.path;

describe('an envelope of a refusal inside a 2xx', () => {
  it.each<[body: unknown, path: string, words?: string]>([
    [{ errcode: 40_014, errmsg: '不合法的access_token' }, 'errcode', '不合法的access_token'],
    [{ errcode: '88', sub_code: '40014', sub_msg: 'token' }, 'errcode', 'token'],
    [{ ErrCode: -1 }, 'ErrCode'],
    [{ error_response: { code: 15, msg: 'Remote service error' } }, 'error_response', 'Remote service error'],
    [{ error_response: 'busy' }, 'error_response'],
    [{ success: false, message: '单据已存在' }, 'success', '单据已存在'],
    [{ success: 'false' }, 'success'],
    [{ Success: 'FALSE' }, 'Success'],
    [{ status: 'error', description: 'no' }, 'status', 'no'],
    [{ status: 'FAIL' }, 'status'],
    [{ status: 'Failed ' }, 'status'],
    [{ status: 'failure' }, 'status'],
    [{ status: -1 }, 'status'],
    [{ status: '-3' }, 'status'],
    [{ status: '-05' }, 'status'],
    [{ response: { flag: 'failure', message: 'no stock' } }, 'response.flag', 'no stock'],
    [
      { Result: { ResponseStatus: { IsSuccess: false, Errors: [{ Message: '编码重复' }] } } },
      'Result.ResponseStatus.IsSuccess',
      '编码重复',
    ],
    [{ ResponseStatus: { IsSuccess: 'false' } }, 'ResponseStatus.IsSuccess'],
    [[[{ Result: { ResponseStatus: { IsSuccess: false } } }]], '0.0.Result.ResponseStatus.IsSuccess'],
    [[{ a: 1 }, { Result: { ResponseStatus: { IsSuccess: false } } }], '1.Result.ResponseStatus.IsSuccess'],
    [[{ errcode: 1 }], '0.errcode'],
    [[[{ success: false }]], '0.0.success'],
  ])('%j is refused by %s', (body, path, words) => {
    expect(refusalIn(body as JsonValue, none)).toMatchObject({ path, ...(words !== undefined && { words }) });
    // A rule on that very path has decided already.
    expect(pathIn(body, [path])).toBeUndefined();
  });

  it.each([
    [{ errcode: 0, errmsg: 'ok' }],
    [{ errcode: '0' }],
    [{ errcode: '' }],
    [{ errcode: null }],
    [{ errcode: '00' }],
    [{ errcode: 'false' }],
    [{ errcode: 'OK' }],
    [{ errcode: 'Success' }],
    [{ errcode: { code: 7 } }],
    [{ error_response: null }],
    [{ error_response: [] }],
    [{ success: true }],
    [{ success: 'true' }],
    [{ success: null }],
    [{ success: 3 }],
    [{ status: 'ok' }],
    [{ status: 0 }],
    [{ status: 100, message: 'a family’s own number' }],
    [{ status: '2026-01-05' }],
    [{ data: { status: 'failed', success: false, errcode: 7 } }],
    [{ rows: [{ success: false }, { status: 'failed' }] }],
    [{ Result: { ResponseStatus: { IsSuccess: true } } }],
    [{ response: { flag: 'success' } }],
    [[{ success: false }, { success: true }]],
    ['error'],
    [null],
    [-1],
  ])('%j is none', (body) => {
    expect(pathIn(body)).toBeUndefined();
  });

  it.each<[around: JsonObject]>([
    ...['message', 'msg', 'errmsg', 'sub_msg', 'sub_message', 'description', 'Message'].map((name): [JsonObject] => [
      { [name]: 'in words' },
    ]),
    [{ Errors: [{ Message: 'in words' }] }],
    [{ error: { message: 'in words' } }],
    [{ error: 'in words' }],
  ])('is told of in the words of %j beside it', (around) => {
    expect(refusalIn({ success: false, ...around }, none)).toMatchObject({ path: 'success', words: 'in words' });
  });

  it('is not looked for among the rows of a batch, which speak for themselves', () => {
    const body = { data: { rows: [{ ResponseStatus: { IsSuccess: false } }] } };
    expect(pathIn(body)).toBe('data.rows.0.ResponseStatus.IsSuccess');
    expect(pathIn(body, [], 'data.rows')).toBeUndefined();
  });

  it('gives way to another envelope where a rule has decided the first', () => {
    expect(pathIn({ success: false, errcode: 5 }, ['success'])).toBe('errcode');
  });

  it('is the one row of a list, too, with and without a result around it', () => {
    const status = { ResponseStatus: { IsSuccess: false } };
    expect(refusalAround([[status]], none)?.path).toBe('0.0.ResponseStatus.IsSuccess');
    expect(refusalAround([[{ Result: status }]], none)?.path).toBe('0.0.Result.ResponseStatus.IsSuccess');
  });

  it('lies at most eleven levels down', () => {
    const under = (levels: number): JsonValue =>
      levels === 0 ? { ResponseStatus: { IsSuccess: false } } : { a: under(levels - 1) };
    expect(pathIn(under(11))).toBe(`${'a.'.repeat(11)}ResponseStatus.IsSuccess`);
    expect(pathIn(under(12))).toBeUndefined();
  });

  it('is looked for in whatever JSON there is, however deep', () => {
    const deep = parseJson(`${'['.repeat(20_000)}{"errcode":1}${']'.repeat(20_000)}`);
    expect(refusalIn(deep, none)).toMatchObject({ value: 1 });
    const objects = parseJson(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`);
    expect(pathIn(objects)).toBeUndefined();
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const body = parseJson(JSON.stringify(value));
        const before = stringifyJson(body);
        refusalIn(body, none);
        expect(stringifyJson(body)).toBe(before);
      }),
    );
  });
});
