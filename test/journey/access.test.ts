import { describe, expect, onTestFinished, test } from 'vitest';
import type { JsonObject } from '../../lib/json/json.ts';
import type { Changes } from '../integration/sample.ts';
import { integrationCopy } from './integration-copy.ts';
import { groups, sourceEnv, startOwnSource } from './own-source.ts';
import { startOwnTarget, targetEnv } from './own-target.ts';
import { newDir, nonZero, runJson } from './program.ts';
import { dingtalk, jackyun, jushuitan, kingdee, qingyiyun, startVendor, type Vendor, yonbip } from './vendors.ts';

const NAME = 'okki-product-groups-to-qingyiyun';
const env = { APP_KEY: 'app-key-77', APP_SECRET: 'app-s3cret+77/x', ACCT: 'acct-2022', USERNAME: 'administrator' };
const key = { env: 'APP_KEY' };
const secret = { env: 'APP_SECRET' };

/** An integration whose source is a list by POST with pages of ten. */
const listOf = (auth: JsonObject, metadata: JsonObject, source: Record<string, JsonObject>): Changes => ({
  'source.connection.auth': auth,
  'source.metadata': { effect: 'QUERY', method: 'POST', id: 'id', number: 'name', ...metadata },
  'source.rateLimit': undefined,
  'target.connection.auth': { kind: 'none' },
  ...Object.fromEntries(Object.entries(source).map(([block, value]) => [`source.${block}`, value])),
});
const numbered = (pageParam: string, sizeParam: string, firstPage = 1): JsonObject => ({
  kind: 'pageNumber',
  pageParam,
  sizeParam,
  pageSize: 10,
  firstPage,
});

const md5Between = { algorithm: 'md5', secret, use: { in: 'body', name: 'sign' } };
const jushuitanSign: JsonObject = { ...md5Between, before: '{secret}', timestamp: { name: 'timestamp', form: 's' } };

const jushuitanList = listOf(
  {
    kind: 'token',
    request: {
      url: '/openWeb/auth/getInitToken',
      in: 'form',
      params: { app_key: key, grant_type: 'authorization_code', charset: 'utf-8' },
      sign: { ...jushuitanSign, nonce: { name: 'code', length: 6 } },
    },
    answer: { token: 'data.access_token', expiresInSec: 'data.expires_in', code: 'code', message: 'msg' },
    use: { in: 'body', name: 'access_token' },
    params: [
      { in: 'body', name: 'app_key', value: key },
      { in: 'body', name: 'charset', value: 'utf-8' },
      { in: 'body', name: 'version', value: 2 },
    ],
    sign: jushuitanSign,
    expired: { path: 'code', equals: [100] },
    refused: { path: 'code', equals: [10] },
  },
  { api: '/open/sku/query' },
  {
    send: { body: 'form', request: { text: 'biz' } },
    answer: { records: 'data.datas', code: 'code', successCodes: [0], message: 'msg', total: ['data.data_count'] },
    paging: numbered('page_index', 'page_size'),
  },
);

const jackyunList = listOf(
  {
    kind: 'none',
    params: [
      { in: 'body', name: 'method', value: '{{api}}' },
      { in: 'body', name: 'appkey', value: key },
      { in: 'body', name: 'version', value: 'v1.0' },
      { in: 'body', name: 'contenttype', value: 'json' },
    ],
    sign: {
      ...md5Between,
      before: '{secret}',
      after: '{secret}',
      lowerText: true,
      empties: true,
      except: ['token', 'contextid'],
      timestamp: { name: 'timestamp', form: 'datetime' },
    },
    refused: { path: 'subCode', equals: ['0858030801'] },
  },
  { api: 'erp.goods.get' },
  {
    send: { body: 'form', request: { text: 'bizcontent' } },
    answer: { records: 'result.data', code: 'code', successCodes: [200], message: 'msg', total: [] },
    paging: numbered('pageIndex', 'pageSize', 0),
  },
);

const dingtalkList = listOf(
  {
    kind: 'token',
    request: { method: 'GET', url: '/gettoken', params: { appkey: key, appsecret: secret } },
    answer: { token: 'access_token', expiresInSec: 'expires_in', code: 'errcode', message: 'errmsg' },
    use: { in: 'query', name: 'access_token' },
    expired: [
      { path: 'errcode', equals: [40014, 42001] },
      { path: 'sub_code', equals: ['40014'] },
    ],
  },
  { api: '/topapi/v2/items/list' },
  {
    answer: { records: 'result.list', code: 'errcode', successCodes: [0], message: 'errmsg', total: [] },
    paging: { kind: 'offset', offsetParam: 'cursor', sizeParam: 'size', pageSize: 10 },
  },
);

const LOGIN = '/Kingdee.BOS.WebApi.ServicesStub.AuthService.LoginByAppSecret.common.kdsvc';
const kingdeeList = listOf(
  {
    kind: 'token',
    request: { url: LOGIN, params: { parameters: [{ env: 'ACCT' }, { env: 'USERNAME' }, key, secret, 2052] } },
    answer: { code: 'LoginResultType', successCodes: [1], message: 'Message', lifeSec: 1200 },
    use: { in: 'cookie' },
    expired: { path: '0.0.Result.ResponseStatus.MsgCode', equals: [1] },
  },
  {
    api: 'executeBillQuery',
    request: [
      { field: 'id', value: 'id' },
      { field: 'name', value: 'name' },
    ],
    otherRequest: [{ field: 'FormId', value: 'BD_MATERIAL' }],
  },
  { paging: { kind: 'offset', offsetParam: 'StartRow', sizeParam: 'Limit', pageSize: 10 } },
);
const kingdeeFile: Changes = { ...kingdeeList, 'source.profile': 'kingdee', 'source.answer': undefined };

const yonbipList = listOf(
  {
    kind: 'token',
    request: {
      method: 'GET',
      url: { env: 'TOKEN_URL' },
      params: { appKey: key },
      sign: {
        algorithm: 'hmac-sha256',
        encode: 'base64',
        secret,
        timestamp: { name: 'timestamp', form: 'ms' },
        use: { in: 'query', name: 'signature' },
      },
    },
    answer: {
      token: 'data.access_token',
      expiresInSec: 'data.expire',
      code: 'code',
      successCodes: ['00000'],
      message: 'message',
    },
    use: { in: 'query', name: 'access_token' },
    expired: { path: 'code', equals: ['310036'] },
  },
  { api: '/yonbip/digitalModel/product/list' },
  {
    answer: {
      records: 'data.recordList',
      code: 'code',
      successCodes: [200],
      message: 'message',
      total: ['data.recordCount'],
    },
    paging: numbered('pageIndex', 'pageSize'),
  },
);

const systems: [system: string, vendor: Vendor, changes: Changes, logins: number][] = [
  ['聚水潭', jushuitan, jushuitanList, 2],
  ['吉客云', jackyun, jackyunList, 0],
  ['钉钉', dingtalk, dingtalkList, 2],
  ['金蝶云星空', kingdee, kingdeeFile, 2],
  ['用友 YonBIP', yonbip, yonbipList, 2],
];

/** A run from a vendor to a target of the test's own. */
const readFrom = async (vendor: Vendor, changes: Changes, variables: Record<string, string> = {}) => {
  const source = await startVendor(vendor);
  const target = await startOwnTarget();
  onTestFinished(async () => void (await Promise.all([source.close(), target.close()])));
  const dir = newDir();
  const file = integrationCopy(dir, NAME, changes);
  const urls = { ...targetEnv(target), OKKI_BASE_URL: source.url };
  const TOKEN_URL = `${source.url}/iuap-api-auth/open-auth/selfAppAuth/base/v1/getAccessToken`;
  const args = ['--data-dir', dir, '--integration', file];
  const ran = await runJson(args, { ...env, ...urls, TOKEN_URL, ...variables });
  return { ...ran, source, target };
};

describe('a system whose token is revoked in the middle of a run', () => {
  test.each(systems)('is read to its end: %s', async (_, vendor, changes, logins) => {
    const { code, stderr, report, source, target } = await readFrom(vendor, changes);
    expect({ code, counts: nonZero(report.counts) }, stderr).toEqual({
      code: 0,
      counts: { fetched: 25, enqueued: 25, loaded: 25 },
    });
    expect(source.seen.logins).toBe(logins);
    expect(target.timesById().size).toBe(25);
    expect(stderr).not.toContain(env.APP_SECRET);
  });
});

describe('a system that refuses the secret', () => {
  test.each(systems.filter(([system]) => system !== '金蝶云星空'))(
    'stops the run with its own words: %s',
    async (_, vendor, changes) => {
      const { code, stderr, report } = await readFrom(vendor, changes, { APP_SECRET: 'wrong-s3cret+88' });
      expect({ code, status: report.status }).toMatchObject({ code: 3 });
      expect(stderr).toMatch(/token-refused|refuses access|no token was given/);
      expect(stderr).not.toMatch(/wrong-s3cret/);
    },
  );
});

describe('轻易云’s open API as a target', () => {
  const changes: Changes = {
    'target.connection.auth': {
      kind: 'token',
      request: { url: '/v2/oauth', params: { app_key: key, app_secret: secret } },
      answer: { token: 'content.access_token', expiresInSec: 'content.expires_in', code: 'code', message: 'message' },
      use: { in: 'query', name: 'access_token' },
      expired: { path: 'code', equals: [40102] },
    },
    'target.path': '/v2/open-api/business/s-1/store',
    'target.send': { request: { list: 'content' } },
    'target.onUncertain': 'park',
    'target.rateLimit': undefined,
    'target.retry': { maxAttempts: 3, baseMs: 20, capMs: 100 },
  };
  const writeTo = async (variables: Record<string, string> = {}) => {
    const source = await startOwnSource({ rows: groups(25) });
    const target = await startVendor(qingyiyun, 5);
    onTestFinished(async () => void (await Promise.all([source.close(), target.close()])));
    const dir = newDir();
    const args = ['--data-dir', dir, '--integration', integrationCopy(dir, NAME, changes)];
    const all = { ...env, ...sourceEnv(source), QINGYIYUN_BASE_URL: target.url };
    return { ran: await runJson(args, { ...all, ...variables }), target };
  };

  test('takes every record once, a revoked token in the middle: nothing is parked', async () => {
    const { ran, target } = await writeTo();
    expect({ code: ran.code, counts: nonZero(ran.report.counts) }, ran.stderr).toEqual({
      code: 0,
      counts: { fetched: 25, enqueued: 25, loaded: 25 },
    });
    expect(target.seen.taken).toHaveLength(25);
    expect(target.seen.logins).toBe(2);
  });

  test('that refuses the login stops the run: no dead letters, and its words without the secret', async () => {
    const { ran, target } = await writeTo({ APP_SECRET: 'wrong-s3cret+88' });
    expect(ran.code).toBe(3);
    expect(ran.report).toMatchObject({ deadLetters: 0, counts: { loaded: 0, open: 25 }, rest: { cause: 'refused' } });
    expect(ran.stderr).toMatch(/refuses login or signature.*40101.*app_secret \*\*\* is wrong/);
    expect(ran.stderr).not.toContain('wrong-s3cret');
    expect(target.seen.taken).toEqual([]);
    expect(target.seen.refusedLogins).toBe(1);
  });
});
