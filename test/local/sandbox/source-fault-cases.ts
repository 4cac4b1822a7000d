import { expect } from 'vitest';
import { isJsonObject, type JsonValue } from '../../../lib/json/json.ts';
import { type Client, plainGroups, pluck, testSandbox } from './client.ts';

/** Starts a sandbox with these faults over 25 plain groups. */
const withFaults = (...faults: string[]): Promise<Client> => testSandbox({ groups: plainGroups(25), faults });

const dropped = async (answer: Promise<unknown>): Promise<void> => {
  await expect(answer).rejects.toThrow(TypeError);
};

const receiptTotal = (data: JsonValue | undefined): JsonValue | undefined =>
  isJsonObject(data) ? (data.totalItem ?? data.count) : undefined;

/** What each fault of the source looks like to a client. */
export const sourceFaultCases = {
  'source-429': async () => {
    const { groups } = await withFaults('source-429:times=1:retryAfter=3', 'source-429:after=1:times=1');
    const [first, second, third] = [await groups(), await groups(), await groups()];
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '3']);
    expect([second.status, second.headers.get('retry-after')]).toEqual([429, null]);
    expect(third.status).toBe(200);

    const nowMs = Date.parse('2026-03-01T00:00:00.250Z');
    const dated = await testSandbox({ nowMs: () => nowMs, faults: ['source-429:retryAfter=3:form=date'] });
    expect((await dated.groups()).headers.get('retry-after')).toBe('Sun, 01 Mar 2026 00:00:04 GMT');
  },
  'source-500': async () => {
    const { groups, askToken } = await withFaults(
      'source-500:times=1',
      'source-500:on=token:after=1:status=503:retryAfter=1',
    );
    expect((await groups()).status).toBe(500);
    const answer = await askToken();
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  },
  'source-drop': async () => {
    const { groups } = await withFaults('source-drop:times=1', 'source-drop:after=1:times=1:when=start');
    await dropped(groups());
    await dropped(groups());
    expect((await groups()).status).toBe(200);
  },
  'source-slow': async () => {
    const { groups, token } = await withFaults('source-slow:ms=80');
    const bearer = await token();
    const startMs = performance.now();
    expect((await groups('', bearer)).status).toBe(200);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(75);
  },
  'source-html': async () => {
    const { groups } = await withFaults('source-html');
    const answer = await groups();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(answer.text).toMatch(/^<!DOCTYPE html>/);
  },
  'source-truncated': async () => {
    const { groups } = await withFaults('source-truncated:times=1');
    const [half, whole] = [await groups(), await groups()];
    expect([half.status, half.json]).toEqual([200, null]);
    expect(whole.text.length).toBeGreaterThan(half.text.length);
    expect(half.text.length).toBe(Math.floor(whole.text.length / 2));
  },
  'source-empty': async () => {
    const { groups } = await withFaults('source-empty');
    const answer = await groups();
    expect([answer.status, answer.text]).toEqual([200, '']);
  },
  'source-wrong-shape': async () => {
    const { groups } = await withFaults('source-wrong-shape');
    const answer = await groups();
    expect(answer.status).toBe(200);
    expect(answer.body).not.toHaveProperty('code');
    expect(answer.body).not.toHaveProperty('data');
  },
  'source-business-error': async () => {
    const { groups, receipts } = await withFaults('source-business-error:on=groups:code=500:message=父级节点不存在');
    const answer = await groups();
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ code: 500, message: '父级节点不存在', now: expect.any(String) });
    expect((await receipts()).body.code).toBe(200);
  },
  huge: async () => {
    const { groups } = await withFaults('huge:bytes=5000000');
    const answer = await groups();
    expect(answer.text.length).toBeGreaterThan(5_000_000);
    expect(answer.body.data).toHaveLength(25);
  },
  'token-revoked': async () => {
    const { groups, token } = await withFaults('token-revoked:after=2');
    const old = await token();
    expect([(await groups('', old)).status, (await groups('', old)).status]).toEqual([200, 200]);
    expect([(await groups('', old)).status, (await groups('', old)).status]).toEqual([401, 401]);
    const renewed = await token();
    expect(renewed).not.toBe(old);
    expect((await groups('', renewed)).status).toBe(200);
  },
  'token-refused': async () => {
    const { askToken } = await withFaults('token-refused:times=1');
    const answer = await askToken();
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_client']);
    expect((await askToken()).status).toBe(200);
  },
  'no-expires-in': async () => {
    const { askToken } = await withFaults('no-expires-in');
    const { body } = await askToken();
    expect(body).toMatchObject({ access_token: expect.any(String) });
    expect(body).not.toHaveProperty('expires_in');
  },
  'token-short-life': async () => {
    let nowMs = 0;
    const { groups, askToken } = await testSandbox({ nowMs: () => nowMs, faults: ['token-short-life:sec=5'] });
    const { body } = await askToken();
    expect(body.expires_in).toBe(5);
    nowMs = 5000;
    expect((await groups('', String(body.access_token))).status).toBe(401);
  },
  'code-zero': async () => {
    const { groups } = await withFaults('code-zero');
    expect((await groups()).body).toMatchObject({ code: 0, message: 'success' });
  },
  'bare-array': async () => {
    const { groups } = await withFaults('bare-array');
    expect((await groups()).json).toEqual(plainGroups(25));
  },
  'paging-ignored': async () => {
    const { groups } = await withFaults('paging-ignored');
    for (const page of [1, 2]) expect((await groups(`?start_index=${page}&count=10`)).body.data).toHaveLength(25);
  },
  'page-repeated': async () => {
    const { groups } = await withFaults('page-repeated:page=2');
    const firstIdOf = async (page: number) => pluck((await groups(`?start_index=${page}&count=10`)).body.data, 'id')[0];
    expect(await firstIdOf(1)).toBe(1);
    expect(await firstIdOf(3)).toBe(21);
    expect(await firstIdOf(2)).toBe(1);
    expect(await firstIdOf(2)).toBe(11);
  },
  'page-overlap': async () => {
    const { groups } = await withFaults('page-overlap:rows=2');
    const idsOf = async (page: number) => pluck((await groups(`?start_index=${page}&count=10`)).body.data, 'id');
    expect((await idsOf(1)).at(-1)).toBe(10);
    expect((await idsOf(2)).slice(0, 3)).toEqual([9, 10, 11]);
    expect((await idsOf(3)).at(-1)).toBe(25);
  },
  'total-drift': async () => {
    const { receipts } = await withFaults('total-drift:by=2');
    expect(receiptTotal((await receipts()).body.data)).toBe(131);
    expect(receiptTotal((await receipts()).body.data)).toBe(133);
  },
  'total-form': async () => {
    const { receipts } = await withFaults('total-form:key=count:as=string');
    expect((await receipts()).body.data).toMatchObject({ count: '129' });
  },
  dirty: async () => {
    const { groups } = await withFaults('dirty');
    const { data } = (await groups()).body;
    const extra = Array.isArray(data) ? data.slice(25) : [];
    expect(extra.map((record) => (isJsonObject(record) ? (record.id ?? 'none') : record))).toEqual([
      'none',
      'none',
      '',
      { value: 1 },
      null,
      [expect.anything()],
      '照明灯具',
      5_203_300_001,
    ]);
  },
};
