import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnswerPlan } from '../../lib/integration/compile/source-plan.ts';
import { type JsonValue, stringifyJson } from '../../lib/json/json.ts';
import { messageIn, readAnswer } from '../../lib/source/answer.ts';
import { okkiAnswer, okkiList } from './settings.ts';

const read = (text: string, answer: AnswerPlan = okkiAnswer, headers = {}) => readAnswer(text, headers, answer);

const withNext = (next: AnswerPlan['next']): AnswerPlan => ({ ...okkiAnswer, next });
const end = new Set(['false', '-1', 'N']);
const withCursor = withNext({ kind: 'cursor', path: 'next', hasMorePath: 'more', end });
const withHeaderLink = withNext({ kind: 'link', in: 'header' });

describe('an answer with a page', () => {
  it.each<[name: string, text: string, answer: AnswerPlan, page: object]>([
    ['code 200', '{"code":200,"data":[{"id":1}]}', okkiAnswer, { records: [{ id: 1 }] }],
    ['code 0', '{"code":0,"data":[]}', okkiAnswer, { records: [] }],
    ['a code as text', '{"code":"200","data":[]}', okkiAnswer, { records: [] }],
    ['no code', '{"data":[]}', okkiAnswer, { records: [] }],
    ['a bare array', '[{"id":1}]', okkiList, { records: [{ id: 1 }] }],
    ['a list and a total', '{"code":0,"data":{"list":[1],"totalItem":5}}', okkiList, { records: [1], total: 5 }],
    ['a total as text', '{"code":0,"data":{"list":[1],"count":"5"}}', okkiList, { records: [1], total: 5 }],
    [
      'a total as text with a point',
      '{"code":0,"data":{"list":[1],"count":"5.0"}}',
      okkiList,
      { records: [1], total: 5 },
    ],
    ['no usable total', '{"code":0,"data":{"list":[1],"count":"many"}}', okkiList, { records: [1] }],
    ['a negative total', '{"code":0,"data":{"list":[1],"count":-1}}', okkiList, { records: [1] }],
    ['the first total of two', '{"data":{"list":[],"totalItem":0,"count":9}}', okkiList, { records: [], total: 0 }],
    ['null for nothing', '{"code":0,"data":{"list":null,"count":0}}', okkiList, { records: [], total: 0 }],
    ['records of any kind', '{"data":[null,[],"x",1]}', okkiAnswer, { records: [null, [], 'x', 1] }],
  ])('has %s', (_, text, answer, page) => {
    expect(read(text, answer)).toEqual({ kind: 'page', page });
  });

  it('keeps integers past 2^53 exact', () => {
    expect(read('[{"id":812252963824298001}]')).toEqual({
      kind: 'page',
      page: { records: [{ id: 812252963824298001n }] },
    });
  });

  it.each([
    ['"abc"', { kind: 'given', at: 'abc' }],
    ['7', { kind: 'given', at: 7 }],
    ['0', { kind: 'given', at: 0 }],
    ['812252963824298001', { kind: 'given', at: '812252963824298001' }],
    ['null', { kind: 'end' }],
    ['""', { kind: 'end' }],
    ['false', { kind: 'end' }],
    ['-1', { kind: 'end' }],
    ['"-1"', { kind: 'end' }],
    ['"N"', { kind: 'end' }],
    ['true', { kind: 'unfit', found: 'true' }],
    ['{}', { kind: 'unfit', found: 'an object with nothing in it' }],
    ['{"href":"/p2"}', { kind: 'unfit', found: 'an object with href' }],
    ['["a"]', { kind: 'unfit', found: 'a list' }],
    ['"null"', { kind: 'unfit', found: 'the text "null"' }],
    ['"None"', { kind: 'unfit', found: 'the text "None"' }],
  ])('has the cursor %s: %j', (cursor, next) => {
    expect(read(`{"data":[],"next":${cursor}}`, withCursor)).toMatchObject({ kind: 'page', page: { next } });
  });

  it('has no cursor where nothing stands in its place', () => {
    expect(read('{"data":[]}', withCursor)).toMatchObject({ page: { next: { kind: 'absent' } } });
  });

  it.each([
    ['true', true],
    ['1', true],
    ['"Y"', true],
    ['"true"', true],
    ['false', false],
    ['0', false],
    ['"0"', false],
    ['null', undefined],
    ['{"toString":false}', undefined],
    ['"constructor"', undefined],
  ])('says whether there is more by %s: %s', (flag, hasMore) => {
    const result = read(`{"data":[],"more":${flag}}`, withCursor);
    expect(result.kind === 'page' ? result.page.hasMore : 'none').toBe(hasMore);
  });

  it.each([
    ['</list?page=2>; rel="next"', '/list?page=2'],
    ['</list?page=2>; rel=next', '/list?page=2'],
    ['</list?page=1>; rel="prev", </list?page=3>; rel="next"; title="a, b"', '/list?page=3'],
    ['</a,b>; title="x"; rel="last next"', '/a,b'],
    ['</a>; REL=NEXT', '/a'],
    ['</list?page=1>; rel="prev"', undefined],
    ['</a>; rel="nextish"', undefined],
    ['</a>; title="rel=next"', undefined],
    ['</a>; title="b; rel=\\"prev\\", <c>"; rel="next last"', '/a'],
    ["</a>; rel='next'", '/a'],
    ['</a>; title="x;y, z"; rel="next"', '/a'],
    ['</a>;rel="prev";title="<b>", </b>;rel="next"', '/b'],
    ['garbage', undefined],
    ['</a>', undefined],
  ])('has in the header link %j the next link %s', (header, link) => {
    const next = link === undefined ? { kind: 'absent' } : { kind: 'given', at: link };
    expect(read('[]', withHeaderLink, { link: header })).toMatchObject({ kind: 'page', page: { records: [], next } });
  });

  // Each would take years where every way to part the blanks were tried.
  it.each([`</a>${'; '.repeat(50_000)}=`, `</a>${';a\t'.repeat(50_000)}"`, '<'.repeat(200_000)])(
    'reads a long header in time that grows with its length (%#)',
    (header) => {
      expect(read('[]', withHeaderLink, { link: header })).toMatchObject({ page: { next: { kind: 'absent' } } });
    },
  );

  it.each([
    ['"/p2"', { kind: 'given', at: '/p2' }],
    ['null', { kind: 'end' }],
    ['""', { kind: 'end' }],
    ['7', { kind: 'unfit', found: 'the number 7' }],
    ['{"href":"/p2"}', { kind: 'unfit', found: 'an object with href' }],
    ['"null"', { kind: 'unfit', found: 'the text "null"' }],
  ])('has in its body the next link %s', (link, next) => {
    const answer = withNext({ kind: 'link', in: 'body', path: 'links.next', end });
    expect(read(`{"data":[],"links":{"next":${link}}}`, answer)).toMatchObject({ page: { next } });
  });
});

describe('an answer without a page', () => {
  it.each<[name: string, text: string, code: string, words: RegExp]>([
    ['nothing', '', 'answer-empty', /no body/],
    ['only space', ' \n', 'answer-empty', /no body/],
    ['a web page', '<!DOCTYPE html><html>token=hush</html>', 'answer-html', /web page/],
    ['a web page without a doctype', '\n<html><body>', 'answer-html', /web page/],
    ['an object that breaks off', '{"code":200,"data":[{"id":1},', 'answer-truncated', /breaks off after 29/],
    ['an array that breaks off', '[{"id":1}', 'answer-truncated', /breaks off/],
    ['a text that breaks off', '{"data":[{"name":"产', 'answer-truncated', /breaks off/],
    ['other text', 'hush', 'answer-not-json', /not JSON/],
    ['JSON with more behind it', '{"a":1}{"b":2}', 'answer-not-json', /not JSON/],
    ['a number', '7', 'answer-shape', /no list of records at the root, but a number/],
    ['null', 'null', 'answer-shape', /but null/],
    [
      'success without data',
      '{"code":200,"message":"OK"}',
      'answer-shape',
      /at "data", but an object with code, message/,
    ],
    ['success with null', '{"code":200,"data":null}', 'answer-shape', /at "data", but null/],
    ['an object for the list', '{"code":200,"data":{"list":[]}}', 'answer-shape', /"data", but an object with list/],
    ['a text for the list', '{"code":200,"data":"none"}', 'answer-shape', /but a string/],
    ['No Privilege', '{"code":404,"message":"No Privilege"}', 'business-error', /code 404 "No Privilege"/],
    ['code -1', '{"code":-1,"message":"分组不存在","data":[]}', 'business-error', /code -1 "分组不存在"/],
    ['code 500', '{"code":500,"message":"父级节点不存在"}', 'business-error', /code 500/],
    ['a code that is no code', '{"code":{"a":1},"data":[]}', 'business-error', /an object with a/],
    ['a code that is an object without words', '{"code":{"toString":[]}}', 'business-error', /an object with toString/],
    ['an error without words', '{"code":"E1"}', 'business-error', /code E1$/],
  ])('holds %s', (_, text, code, words) => {
    expect(read(text)).toMatchObject({ kind: 'fault', code, message: expect.stringMatching(words) });
    expect(read(text)).not.toMatchObject({ message: expect.stringContaining('hush') });
  });

  it.each([
    ['钉钉', { errcode: 88, errmsg: '不合法', sub_msg: 'x', data: [] }, 'errcode 88 "不合法"'],
    ['a list beside it', { errcode: 40_014, errmsg: 'bad token', data: [{ id: 1 }] }, 'errcode 40014 "bad token"'],
    ['奇门', { error_response: { code: 15, msg: 'Remote error', sub_msg: 'no such shop' } }, '"Remote error"'],
    ['success false', { success: false, description: 'closed', data: [] }, 'success false "closed"'],
    ['a status in words', { status: 'failed', sub_msg: 'no right', data: [] }, 'status failed "no right"'],
    ['words under msg', { code: 9, msg: 'no right' }, 'code 9 "no right"'],
    ['words under errmsg', { code: 9, errmsg: 'no right' }, 'code 9 "no right"'],
    ['words under sub_msg', { code: 9, sub_msg: 'no right' }, 'code 9 "no right"'],
    ['words under description', { code: 9, description: 'no right' }, 'code 9 "no right"'],
    [
      '金蝶, as the only row of a list',
      [[{ Result: { ResponseStatus: { IsSuccess: false, Errors: [{ Message: '字段不存在' }] } } }]],
      'IsSuccess false "字段不存在"',
    ],
    [
      '金蝶, as an object',
      { Result: { ResponseStatus: { IsSuccess: false, Errors: [{ Message: '会话信息已丢失' }] } } },
      'IsSuccess false "会话信息已丢失"',
    ],
  ])('is a refusal before it is a list: %s', (_, body, words) => {
    const answer = read(stringifyJson(body), okkiAnswer);
    expect(answer).toMatchObject({ code: 'business-error', message: expect.stringContaining(words), isOrderly: true });
  });

  it.each<[string, JsonValue, JsonValue[]]>([
    ['in a record', { data: [{ success: false, status: 'failed', response: { flag: 'failure' } }] }, [{}]],
    ['in the only record of a bare list', [{ status: 'failed', errcode: 7, response: { flag: 'failure' } }], [{}]],
    ['in another list', { data: [1], logs: [{ ResponseStatus: { IsSuccess: false } }] }, [1]],
    ['in good order', { errcode: 0, success: true, status: 'ok', errmsg: 'ok', data: [1] }, [1]],
    ['absent in words', { errcode: null, error_response: null, status: '', data: [1] }, [1]],
  ])('is a list where the envelope stands %s', (_, body, { length }) => {
    expect(read(stringifyJson(body))).toMatchObject({ kind: 'page', page: { records: { length } } });
  });

  it('is judged by the code of the plan alone where that is its path', () => {
    const answer = { ...okkiAnswer, code: 'status', successCodes: new Set(['failed']) };
    expect(read('{"status":"failed","data":[]}', answer)).toMatchObject({ kind: 'page' });
  });

  it('shows only the beginning of a long message', () => {
    const fault = read(stringifyJson({ code: 1, message: 'x'.repeat(10_000) }));
    expect(JSON.stringify(fault).length).toBeLessThan(400);
  });

  it('may say in its own words why', () => {
    expect(messageIn('{"message":"No Privilege"}', okkiAnswer)).toBe('No Privilege');
    expect(messageIn('{"message":7}', okkiAnswer)).toBeUndefined();
    expect(messageIn('<html>', okkiAnswer)).toBeUndefined();
  });
});

describe('any answer', () => {
  const nexts: AnswerPlan['next'][] = [
    { kind: 'nothing' },
    { kind: 'cursor', path: 'next', hasMorePath: 'more', end },
    { kind: 'link', in: 'header' },
    { kind: 'link', in: 'body', path: 'next', end },
  ];
  const nearly = fc.record(
    {
      code: fc.oneof(fc.constantFrom(0, 200, '200', -1, null), fc.jsonValue()),
      message: fc.jsonValue(),
      data: fc.oneof(
        fc.array(fc.jsonValue()),
        fc.jsonValue(),
        fc.record({ list: fc.jsonValue(), count: fc.jsonValue() }),
      ),
      next: fc.jsonValue(),
      more: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );

  it('is a page or a named fault, never an exception', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      nearly.map((body) => JSON.stringify(body)),
    );
    fc.assert(
      fc.property(text, fc.constantFrom(...nexts), fc.string(), (body, next, link) => {
        for (const answer of [okkiAnswer, okkiList]) {
          const result = readAnswer(body, { link }, { ...answer, next });
          if (result.kind === 'page') expect(Array.isArray(result.page.records)).toBe(true);
          else expect(result.message).not.toBe('');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('that breaks off anywhere is not taken for a page', () => {
    const whole = '{"code":200,"message":"","data":[{"id":1,"name":"产品"},{"id":2}]}';
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(read(whole.slice(0, length)).kind).toBe('fault');
      }),
    );
  });

  it('is read in linear time, whatever its Link header', () => {
    const header = `<a>${'; x="'.repeat(20_000)}${'<'.repeat(20_000)}`;
    const before = process.cpuUsage();
    read('[]', withHeaderLink, { link: header });
    // Of the processor, not of the clock: other programs do not count.
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(1_000);
  });
});
