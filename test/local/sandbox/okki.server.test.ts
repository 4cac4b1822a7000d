import { describe, expect, test } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';
import { builtInFacts, builtInGroups } from '../../../local/sandbox/groups.ts';
import { plainGroups, pluck, testSandbox } from './client.ts';

const START_MS = Date.parse('2026-03-01T16:30:05Z');

describe('token', () => {
  test('asking again within its life returns the same token, its life not extended', async () => {
    let nowMs = START_MS;
    const { askToken } = await testSandbox({ nowMs: () => nowMs });
    const first = await askToken();
    expect(first.body).toMatchObject({ token_type: 'Bearer', expires_in: 28_800 });
    nowMs += 28_799_000;
    expect((await askToken()).body).toMatchObject({ access_token: first.body.access_token, expires_in: 1 });
    nowMs += 1000;
    const second = await askToken();
    expect(second.body.access_token).not.toBe(first.body.access_token);
    expect(second.body.expires_in).toBe(28_800);
  });

  test('JSON bodies and the password grant are taken as well', async () => {
    const { post, askToken } = await testSandbox({});
    const client = { grant_type: 'client_credentials', client_id: 'a', client_secret: 'b', scope: 'product company' };
    expect((await post('/v1/oauth2/access_token', client)).status).toBe(200);
    const password = 'ab'.repeat(32);
    expect((await askToken({ grant_type: 'password', username: 'u@example.com', password })).status).toBe(200);
    expect(
      (await askToken({ grant_type: 'password', username: 'u@example.com', password: 'plain' })).body,
    ).toMatchObject({
      error: 'invalid_grant',
    });
  });

  test.each([
    ['invalid_client', { client_secret: 'wrong' }],
    ['invalid_client', { client_id: '' }],
    ['unsupported_grant_type', { grant_type: 'implicit' }],
    ['invalid_scope', { scope: ' ' }],
  ])('%s is HTTP 400 with an OAuth error body', async (error, fields) => {
    const { askToken } = await testSandbox({});
    const answer = await askToken(fields);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ error, error_description: expect.any(String), message: expect.any(String) });
  });

  test('a sandbox that is given a client knows no other', async () => {
    const { askToken } = await testSandbox({ clientId: 'id', clientSecret: 'secret' });
    expect((await askToken()).status).toBe(400);
    expect((await askToken({ client_id: 'id', client_secret: 'secret' })).status).toBe(200);
  });

  test('a refresh token serves once and ends the access token it came with', async () => {
    const { post, askToken, groups } = await testSandbox({ groups: plainGroups(1) });
    const first = await askToken();
    const client = { grant_type: 'refresh_token', client_id: 'demo', client_secret: 'demo' };
    const refresh = { ...client, refresh_token: first.body.refresh_token ?? null };
    const second = await post('/v1/oauth2/refresh_token', refresh);
    expect(second.status).toBe(200);
    expect((await groups('', String(first.body.access_token))).status).toBe(401);
    expect((await groups('', String(second.body.access_token))).status).toBe(200);
    expect((await post('/v1/oauth2/refresh_token', refresh)).body.error).toBe('invalid_grant');
  });

  test('a token is good until its life ends, in a sandbox started anew as well', async () => {
    let nowMs = START_MS;
    const before = await testSandbox({ nowMs: () => nowMs });
    const token = await before.token();
    const after = await testSandbox({ nowMs: () => nowMs });
    expect((await after.groups('', token)).status).toBe(200);
    nowMs += 28_800_000;
    expect((await after.groups('', token)).status).toBe(401);
  });

  test('no token, a token of nobody and a tampered one are 401; a token without the module has no privilege', async () => {
    const { send, token, groups, askToken } = await testSandbox({});
    expect((await send('/v1/product/groups')).status).toBe(401);
    expect((await groups('', 'made-up')).status).toBe(401);
    expect((await groups('', `x${await token()}`)).status).toBe(401);
    const elsewhere = String((await askToken({ scope: 'company' })).body.access_token);
    const answer = await groups('', elsewhere);
    expect([answer.status, answer.body.code, answer.body.message]).toEqual([200, 404, 'No Privilege']);
    expect(answer.body).not.toHaveProperty('data');
  });
});

describe('groups', () => {
  test('come whole in an envelope with Beijing time where no page is asked for', async () => {
    const { groups } = await testSandbox({ nowMs: () => START_MS });
    const { body } = await groups('?id=&name=');
    expect(body).toEqual({ code: 200, message: 'success', now: '2026-03-02 00:30:05', data: builtInGroups });
    expect(body.data).toHaveLength(builtInFacts.records);
  });

  test('start_index is a page number from 1, count the page size, and past the end is empty', async () => {
    const { groups } = await testSandbox({ groups: plainGroups(25) });
    const idsOf = async (query: string) => pluck((await groups(query)).body.data, 'id');
    expect(await idsOf('?start_index=2&count=10')).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
    expect(await idsOf('?start_index=3&count=10')).toEqual([21, 22, 23, 24, 25]);
    expect(await idsOf('?start_index=4&count=10')).toEqual([]);
    expect(await idsOf('?start_index=2')).toEqual([21, 22, 23, 24, 25]);
    expect(await idsOf('?count=2')).toEqual([1, 2]);
  });

  test.each(['?start_index=0', '?count=0', '?count=ten', '?start_index=-1'])(
    '%s is an invalid query',
    async (query) => {
      const { groups } = await testSandbox({});
      const answer = await groups(query);
      expect([answer.status, answer.body.code, answer.body.message]).toEqual([200, 400, 'Invalid query']);
    },
  );

  test('are filtered by id and name under both spellings; 0 is an id; an unknown id is a business error', async () => {
    const { groups } = await testSandbox({
      groups: [{ id: 0, name: '未分组' }, ...plainGroups(3), { id: '3', name: 'x' }],
    });
    const namesOf = async (query: string) => pluck((await groups(query)).body.data, 'name');
    expect(await namesOf('?group_id=0')).toEqual(['未分组']);
    expect(await namesOf('?id=3')).toEqual(['分组 3', 'x']);
    expect(await namesOf(`?group_name=${encodeURIComponent('分组 2')}`)).toEqual(['分组 2']);
    expect(await namesOf('?name=none')).toEqual([]);
    expect((await groups('?group_id=99')).body).toMatchObject({ code: -1, message: '分组不存在' });
  });

  test('with ids past 2^53 arrive digit by digit', async () => {
    const { groups } = await testSandbox({ groups: [{ id: 812252963824297984n, name: '大编号' }] });
    expect((await groups()).text).toContain('"id":812252963824297984,');
    expect((await groups('?id=812252963824297984')).body.data).toHaveLength(1);
  });
});

describe('receipts', () => {
  test('always page, with a total', async () => {
    const { receipts } = await testSandbox({});
    const first = (await receipts()).body.data;
    expect(isJsonObject(first) && first.totalItem).toBe(129);
    expect(isJsonObject(first) && first.list).toHaveLength(20);
  });

  test('are filtered by update time, both ends included, and by removal', async () => {
    const { receipts } = await testSandbox({});
    const listOf = async (query: string): Promise<JsonObject> => {
      const { data } = (await receipts(`${query}&count=500`)).body;
      return isJsonObject(data) ? data : {};
    };
    const window = await listOf('?start_time=2026-01-05 09:30:00&end_time=2026-01-05 21:30:00');
    expect(pluck(window.list, 'update_time')).toEqual([
      '2026-01-05 09:30:00',
      '2026-01-05 15:30:00',
      '2026-01-05 21:30:00',
    ]);
    expect((await listOf('?start_time=2027-01-01')).totalItem).toBe(0);
    expect((await listOf('?removed=1')).totalItem).toBe(8);
    expect((await receipts('?start_time=yesterday')).body).toMatchObject({ code: 400, message: 'Invalid query' });
  });
});
