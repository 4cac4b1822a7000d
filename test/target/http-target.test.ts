import { describe, expect, it } from 'vitest';
import type { Api, ApiAnswer, ApiRequest } from '../../lib/connection/api/api.ts';
import { targetPlanOf } from '../../lib/integration/compile/target-plan.ts';
import { type JsonObject, type JsonValue, parseJson } from '../../lib/json/json.ts';
import { defined } from '../../lib/runtime/defined.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { httpTarget } from '../../lib/target/http-target.ts';
import type { PostRecord } from '../../lib/target/target.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { answered, answeredBytes, failed } from '../fakes/fake-http.ts';
import { granted } from '../fakes/granted.ts';
import { type Changes, integrationWith, type ShippedName } from '../integration/sample.ts';
import { NOW_MS } from '../load/message.ts';

const [single, batched] = ['okki-product-groups-to-qingyiyun', 'okki-product-groups-to-crm'] as const;
const records = (...ids: string[]): PostRecord[] =>
  ids.map((id) => ({ id, body: { id, big: 812_252_963_824_297_984n } as JsonObject, idempotencyKey: `key-${id}` }));

const targetOf = async (name: ShippedName, answer: ApiAnswer, requests = 1, changes: Changes = {}) => {
  const sent: Array<ApiRequest & { deadlineMs: number }> = [];
  const api: Api = {
    send: async (request, { deadlineMs }) => {
      sent.push({ ...request, deadlineMs });
      return { answer, requests, tokenRenewed: false };
    },
  };
  const limit = { requests: 60, intervalMs: 60_000 };
  const plan = await targetPlanOf(integrationWith(name, changes));
  const deps = { clock: fakeClock(NOW_MS), tuning: standardTuning };
  return { sent, target: httpTarget(plan, api, limit, deps) };
};

describe('a request to the target', () => {
  it('carries one record as it is mapped, under its own key, big integers exactly', async () => {
    const { sent, target } = await targetOf(single, answered(200, { success: true, code: 0 }));
    const { outcomes } = await target.post(records('0'), granted);
    expect(outcomes).toEqual([{ kind: 'loaded' }]);
    expect(sent).toMatchObject([
      {
        method: 'POST',
        headers: { 'idempotency-key': 'key-0' },
        body: '{"id":"0","big":812252963824297984}',
        deadlineMs: NOW_MS + target.longestPostMs,
      },
    ]);
    expect([target.rows, target.limit]).toEqual([1, { requests: 60, intervalMs: 60_000 }]);
  });

  it('carries several records under the key that the integration names', async () => {
    const { sent, target } = await targetOf(batched, answered(200, {}));
    expect(target.rows).toBeGreaterThan(1);
    const { outcomes } = await target.post(records('1', '2'), granted);
    expect(outcomes).toHaveLength(2);
    const [wrapped] = Object.values(parseJson(sent[0]?.body ?? '') as JsonObject);
    expect(wrapped).toEqual(records('1', '2').map(({ body }) => body));
  });

  it('carries a record, or a list of it, as one JSON text under a key, beside constants', async () => {
    const otherRequest = [{ field: 'formUuid', value: 'F' }];
    const text = '{"id":"0","big":812252963824297984}';
    for (const [list, formDataJson] of [
      [undefined, text],
      ['items', `{"items":[${text}]}`],
    ]) {
      const { sent, target } = await targetOf(single, answered(200, { success: true, code: 0 }), 1, {
        'target.send': { request: { under: 'formDataJson', as: 'text', ...defined({ list }) } },
        'target.metadata.otherRequest': otherRequest,
      });
      await target.post(records('0'), granted);
      expect(parseJson(sent[0]?.body ?? '')).toEqual({ formUuid: 'F', formDataJson });
    }
  });

  const constants: JsonValue = [
    { field: 'version', value: '2', type: 'int' },
    { field: 'shop', value: 'S' },
  ];
  it.each<[string, JsonObject, JsonObject]>([
    [
      'record → list → under → text, constants beside',
      { request: { list: 'items', under: 'data', text: 'biz' } },
      { version: 2, shop: 'S', biz: '{"data":{"items":[{"id":"0","big":812252963824297984}]}}' },
    ],
    [
      'constants in a text of their own',
      { request: { text: 'biz' }, otherRequest: { text: 'common' } },
      { biz: '{"id":"0","big":812252963824297984}', common: '{"version":2,"shop":"S"}' },
    ],
    [
      'both in one text, where the key is the same',
      { request: { list: 'items', text: 'biz' }, otherRequest: { text: 'biz' } },
      { biz: '{"version":2,"shop":"S","items":[{"id":"0","big":812252963824297984}]}' },
    ],
    [
      'constants in a text alone',
      { otherRequest: { under: 'a', text: 'c' } },
      { id: '0', c: '{"a":{"version":2,"shop":"S"}}' },
    ],
  ])('carries %s, as JSON and as a form, numbers as numbers', async (_, send, expected) => {
    for (const body of ['json', 'form']) {
      const { sent, target } = await targetOf(single, answered(200, { success: true, code: 0 }), 1, {
        'target.send': { ...send, body },
        'target.metadata.otherRequest': constants,
      });
      await target.post(records('0'), granted);
      const [one] = sent;
      if (body === 'json') expect(parseJson(one?.body ?? '')).toMatchObject(expected);
      else {
        const fields = Object.fromEntries(new URLSearchParams(one?.body));
        const texts = Object.entries(expected).map(([key, value]) => [key, String(value)]);
        expect(fields).toMatchObject(Object.fromEntries(texts));
        expect(one?.headers).toMatchObject({ 'content-type': 'application/x-www-form-urlencoded' });
      }
    }
  });

  it('writes a batch in a form as the JSON text of its list', async () => {
    const { sent, target } = await targetOf(batched, answered(200, {}), 1, { 'target.send': { body: 'form' } });
    await target.post(records('1', '2'), granted);
    const [list] = Object.values(Object.fromEntries(new URLSearchParams(sent[0]?.body)));
    expect(parseJson(list ?? '')).toEqual(records('1', '2').map(({ body }) => body));
  });

  it('has the same key for the same records in the same order, and another for any other', async () => {
    const keyOf = async (...ids: string[]) => {
      const { sent, target } = await targetOf(batched, answered(200, {}));
      await target.post(records(...ids), granted);
      return sent[0]?.headers?.['idempotency-key'];
    };
    expect(await keyOf('1', '2')).toBe(await keyOf('1', '2'));
    expect(new Set([await keyOf('1', '2'), await keyOf('2', '1'), await keyOf('1'), await keyOf('12')]).size).toBe(4);
    expect(await keyOf('1')).toBe('key-1');
  });
});

describe('the answer of the API', () => {
  it.each<[what: string, answer: ApiAnswer, outcome: object]>([
    ['a status', answered(422, 'no'), { kind: 'rejected', failure: { cause: 'status', status: 422, excerpt: 'no' } }],
    ['no whole answer', failed('reset'), { kind: 'uncertain', failure: { cause: 'reset', excerpt: 'reset' } }],
    [
      'no token',
      { kind: 'noToken', permanent: true, message: 'invalid_client' },
      { kind: 'notApplied', failure: { cause: 'access-refused', excerpt: 'invalid_client' }, waits: false },
    ],
    [
      'no token to be had',
      { kind: 'noToken', permanent: false, message: 'status 503' },
      { kind: 'notApplied', failure: { cause: 'token-unavailable', excerpt: 'status 503' }, waits: false },
    ],
    [
      'no token for want of patience',
      { kind: 'noToken', permanent: false, message: 'status 429', retryAfterMs: 7_000 },
      { kind: 'notApplied', failure: { cause: 'no-token', excerpt: 'status 429' }, waits: true, pauseMs: 7_000 },
    ],
    [
      'a token that its rule refuses',
      { kind: 'accessRefused', status: 200, words: 'expired', isFinal: false },
      { kind: 'notApplied', failure: { cause: 'token-unavailable', status: 200, excerpt: 'expired' }, waits: false },
    ],
    [
      'credentials that its rule refuses',
      { kind: 'accessRefused', status: 200, words: 'no such app', isFinal: true },
      { kind: 'notApplied', failure: { cause: 'access-refused', status: 200, excerpt: 'no such app' }, waits: false },
    ],
    [
      'no time',
      { kind: 'later', retryAtMs: NOW_MS },
      { kind: 'notApplied', failure: { cause: 'no-time' }, waits: true, pauseMs: 0 },
    ],
    [
      'a foreign link',
      { kind: 'foreignLink' },
      { kind: 'notApplied', failure: { cause: 'foreign-link' }, waits: false },
    ],
  ])(
    '%s is the outcome of every record of the request, with the requests that it took',
    async (_what, answer, outcome) => {
      const { target } = await targetOf(batched, answer, 3);
      expect(await target.post(records('1', '2'), granted)).toEqual({ outcomes: [outcome, outcome], requests: 3 });
    },
  );
});

describe('an answer whose bytes nobody can read', () => {
  const gbk = (text: string): Uint8Array => Buffer.from(`{"success":true,"code":0,"message":"${text}"}`, 'latin1');

  it('is no success where one is expected, and says what its bytes are', async () => {
    const { target } = await targetOf(single, await answeredBytes(200, gbk('\xb3\xc9')));
    const { outcomes } = await target.post(records('1'), granted);
    expect(outcomes).toEqual([
      {
        kind: 'uncertain',
        failure: { cause: 'unreadable-answer', status: 200, excerpt: expect.stringContaining('no UTF-8') },
      },
    ]);
  });

  it('is judged by its status all the same, and by its words where the charset is declared', async () => {
    const declared = { 'content-type': 'application/json;charset=gbk' };
    const [good, bad] = [
      await answeredBytes(200, gbk('\xb3\xc9'), declared),
      await answeredBytes(400, gbk('\xb3\xc9')),
    ];
    expect((await (await targetOf(single, good)).target.post(records('1'), granted)).outcomes).toEqual([
      { kind: 'loaded' },
    ]);
    expect((await (await targetOf(single, bad)).target.post(records('1'), granted)).outcomes).toMatchObject([
      { kind: 'rejected', failure: { status: 400 } },
    ]);
  });
});

it('an answer that quotes a secret is judged as it is, and told without it', async () => {
  const text = '{"success":false,"code":9,"message":"bad token tok/1234"}';
  const quoting = { kind: 'answered', status: 200, headers: {}, text } as const;
  const { target } = await targetOf(single, { ...quoting, shown: text.replace('tok/1234', '***') });
  expect((await target.post(records('1'), granted)).outcomes).toEqual([
    { kind: 'rejected', failure: { cause: 'business-error', status: 200, excerpt: 'bad token ***' } },
  ]);
  // Where the words that may be shown say something else, none are shown.
  const torn = await targetOf(single, { ...quoting, shown: '{"success":true,"code":0}' });
  expect((await torn.target.post(records('1'), granted)).outcomes).toEqual([
    { kind: 'rejected', failure: { cause: 'business-error', status: 200 } },
  ]);
});

describe('an answer to a batch that is answered row by row', () => {
  const rules = [{ path: 'code', equals: [0] }];
  const word = { loaded: 'loaded', rejected: 'rejected', notApplied: 'waits', uncertain: 'uncertain', conflict: '' };

  // As the shipped file has it, with `status: true`; and with its rules alone.
  it.each<[what: string, body: unknown, expected: string, strictly?: string]>([
    [
      'rows',
      {
        code: 0,
        data: {
          results: [
            { group_id: '1', code: 0 },
            { group_id: '2', code: 9 },
          ],
        },
      },
      'loaded rejected',
    ],
    ['rows alone', { data: { results: { 1: { code: 0 }, 2: { code: 9 } } } }, 'loaded rejected'],
    [
      'rows under a refusal of the whole',
      { code: 7, data: { results: { 1: { code: 0 }, 2: { code: 9 } } } },
      'loaded rejected',
    ],
    [
      'rows under the envelope of a refusal',
      { success: false, data: { results: { 1: { code: 0 }, 2: { code: 9 } } } },
      'loaded rejected',
    ],
    ['a row too few', { code: 0, data: { results: [{ group_id: '1', code: 0 }] } }, 'loaded uncertain'],
    ['no rows', { code: 0 }, 'loaded loaded', 'uncertain uncertain'],
    ['null for rows', { code: 0, data: { results: null } }, 'loaded loaded', 'uncertain uncertain'],
    ['words for rows', { code: 0, data: { results: 'three' } }, 'uncertain uncertain'],
    ['nothing', '', 'loaded loaded', 'uncertain uncertain'],
    ['nothing that is known', { saved: 2 }, 'loaded loaded', 'uncertain uncertain'],
    ['a refusal of the whole', { code: 7 }, 'rejected rejected'],
    ['the envelope of a refusal', { errcode: 7 }, 'rejected rejected'],
    ['a cut answer', '{"code":0,"data":{"results":[{"group_id"', 'uncertain uncertain'],
  ])('with %s: %j is %s', async (_, body, expected, strictly = expected) => {
    const endsOf = async (changes: Changes) => {
      const { target } = await targetOf(batched, answered(200, body), 1, { 'target.success.rules': rules, ...changes });
      const { outcomes } = await target.post(
        ['1', '2'].map((id) => ({ id, body: { group_id: Number(id) }, idempotencyKey: id })),
        granted,
      );
      return outcomes.map(({ kind }) => word[kind]).join(' ');
    };
    expect(await endsOf({})).toBe(expected);
    expect(await endsOf({ 'target.success.status': undefined })).toBe(strictly);
  });
});
