import { createHash, createHmac } from 'node:crypto';
import { type Answer, type Request, startHttpServer } from './http-server.ts';

// Vendors as they document themselves: each with its own reading of its rule, and no code of the client's.

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const reply = (body: unknown, headers: Record<string, string | string[]> = {}): Answer => ({
  text: JSON.stringify(body),
  headers,
});

const PAGE = 10;
const ROWS = Array.from({ length: 25 }, (_, index) => ({ id: String(1001 + index), name: `货品 ${index + 1}` }));
const pageOf = (number: number) => ROWS.slice(number * PAGE, number * PAGE + PAGE);

/** What a vendor has seen. `logins` are its requests for a token, and all else its lists or its records. */
export type Seen = { logins: number; refusedLogins: number; taken: unknown[] };

/** A vendor's server; it revokes its first token once that has served `revokesAfter` requests. */
export type Vendor = (state: {
  seen: Seen;
  token: () => string;
  isValid: (token: string | null) => boolean;
}) => (request: Request) => Answer;

export const startVendor = async (vendor: Vendor, revokesAfter = 1) => {
  const seen: Seen = { logins: 0, refusedLogins: 0, taken: [] };
  let served = 0;
  const token = () => {
    seen.logins += 1;
    return `tok/${seen.logins}+abcdefgh=`;
  };
  const isValid = (given: string | null): boolean => {
    if (given !== `tok/${seen.logins}+abcdefgh=`) return false;
    if (seen.logins > 1) return true;
    served += 1;
    return served <= revokesAfter;
  };
  const server = await startHttpServer(vendor({ seen, token, isValid }));
  return { ...server, seen };
};

const formOf = ({ body, headers }: Request): URLSearchParams | undefined =>
  headers['content-type']?.startsWith('application/x-www-form-urlencoded') ? new URLSearchParams(body) : undefined;

const KEY = 'app-key-77';
const SECRET = 'app-s3cret+77/x';

/** 聚水潭 V2: every request is a form, signed by md5(secret + key1value1…); the content is JSON in `biz`. */
export const jushuitan: Vendor =
  ({ seen, token, isValid }) =>
  (request) => {
    const form = formOf(request);
    if (form === undefined) return reply({ code: 400, msg: 'no form' });
    const names = [...form.keys()].filter((name) => name !== 'sign' && form.get(name) !== '').sort();
    const text = names.map((name) => name + form.get(name)).join('');
    const age = Math.abs(Date.now() / 1000 - Number(form.get('timestamp')));
    if (form.get('sign') !== md5(SECRET + text) || age > 300) return reply({ code: 10, msg: `sign error ${SECRET}` });
    if (request.path === '/openWeb/auth/getInitToken') {
      if (!/^[A-Za-z0-9]{6}$/.test(form.get('code') ?? '')) return reply({ code: 11, msg: 'code' });
      return reply({ code: 0, data: { access_token: token(), expires_in: 2_592_000 } });
    }
    if (!isValid(form.get('access_token'))) return reply({ code: 100, msg: 'token 无效' });
    const biz = JSON.parse(form.get('biz') ?? '') as { page_index: unknown; page_size: unknown };
    if (typeof biz.page_index !== 'number' || biz.page_size !== PAGE) return reply({ code: 130, msg: 'biz' });
    seen.taken.push(biz);
    return reply({ code: 0, data: { data_count: ROWS.length, datas: pageOf(biz.page_index - 1) } });
  };

/** 吉客云: one path; the method is a parameter; md5 of the lower-cased text between secrets; no token. */
export const jackyun: Vendor = () => (request) => {
  const form = formOf(request);
  if (form === undefined) return reply({ code: 400 });
  const names = [...form.keys()].filter((name) => !['sign', 'token', 'contextid'].includes(name)).sort();
  const text = names.map((name) => name + form.get(name)).join('');
  if (form.get('sign') !== md5(`${SECRET}${text}${SECRET}`.toLowerCase())) {
    return reply({ code: 0, subCode: '0858030801', msg: '签名错误' });
  }
  const sentMs = Date.parse(`${form.get('timestamp')?.replace(' ', 'T')}+08:00`);
  if (Math.abs(Date.now() - sentMs) > 300_000) return reply({ code: 0, subCode: '0858030802', msg: '时间戳' });
  if (form.get('method') !== 'erp.goods.get' || form.get('contenttype') !== 'json') return reply({ code: 500 });
  const { pageIndex } = JSON.parse(form.get('bizcontent') ?? '') as { pageIndex: number };
  return reply({ code: 200, subCode: '', result: { data: pageOf(pageIndex) } });
};

/** 钉钉: GET /gettoken; the token in the query; a revoked one is 40014, or 88 with a sub_code. */
export const dingtalk: Vendor =
  ({ token, isValid }) =>
  ({ method, path, query, body }) => {
    if (path === '/gettoken') {
      const isGood =
        method === 'GET' && body === '' && query.get('appkey') === KEY && query.get('appsecret') === SECRET;
      return reply(
        isGood
          ? { errcode: 0, access_token: token(), expires_in: 7200 }
          : { errcode: 40089, errmsg: `不合法的 appsecret ${SECRET}` },
      );
    }
    if (!isValid(query.get('access_token')))
      return reply({ errcode: 88, sub_code: '40014', errmsg: '不合法的access_token' });
    const { cursor, size } = JSON.parse(body) as { cursor: number; size: number };
    return reply({ errcode: 0, result: { list: ROWS.slice(cursor, cursor + size) } });
  };

/** 金蝶云星空: a login of positional parameters; the session in two cookies; lost, it is MsgCode 1 in a list of lists. */
export const kingdee: Vendor =
  ({ token, isValid }) =>
  ({ path, headers, body }) => {
    if (path.endsWith('AuthService.LoginByAppSecret.common.kdsvc')) {
      const { parameters } = JSON.parse(body) as { parameters: unknown[] };
      const isGood = JSON.stringify(parameters) === JSON.stringify(['acct-2022', 'administrator', KEY, SECRET, 2052]);
      if (!isGood)
        return reply({ LoginResultType: 0, Message: '登录失败' }, { 'set-cookie': 'kdservice-sessionid=x; path=/' });
      const cookies = [`kdservice-sessionid=${token()}; path=/; HttpOnly`, 'ASP.NET_SessionId=net1; SameSite=Lax'];
      return { text: '{"LoginResultType":1}', headers: { 'set-cookie': cookies } };
    }
    const jar = new Map(
      (headers.cookie ?? '')
        .split('; ')
        .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    );
    if (jar.get('ASP.NET_SessionId') !== 'net1' || !isValid(jar.get('kdservice-sessionid') ?? null)) {
      return reply([
        [{ Result: { ResponseStatus: { IsSuccess: false, MsgCode: 1, Errors: [{ Message: '会话信息已丢失' }] } } }],
      ]);
    }
    const { data } = JSON.parse(body) as { data: { FieldKeys: string; StartRow: number; Limit: number } };
    const columns = data.FieldKeys.split(',') as ('id' | 'name')[];
    return reply(ROWS.slice(data.StartRow, data.StartRow + data.Limit).map((row) => columns.map((key) => row[key])));
  };

/** 用友 YonBIP: the token request is signed: Base64 of HMAC-SHA256 over sorted key and value; codes are texts. */
export const yonbip: Vendor =
  ({ token, isValid }) =>
  ({ path, query, body }) => {
    if (path === '/iuap-api-auth/open-auth/selfAppAuth/base/v1/getAccessToken') {
      const text = `appKey${query.get('appKey')}timestamp${query.get('timestamp')}`;
      const signature = createHmac('sha256', SECRET).update(text).digest('base64');
      const isGood =
        query.get('signature') === signature && Math.abs(Date.now() - Number(query.get('timestamp'))) < 300_000;
      return reply(
        isGood
          ? { code: '00000', data: { access_token: token(), expire: 7200 } }
          : { code: '50000', message: '签名不正确' },
      );
    }
    if (!isValid(query.get('access_token'))) return reply({ code: '310036', message: 'token 失效' });
    const { pageIndex, pageSize } = JSON.parse(body) as { pageIndex: number; pageSize: number };
    return reply({
      code: '200',
      data: { recordCount: ROWS.length, recordList: ROWS.slice((pageIndex - 1) * pageSize, pageIndex * pageSize) },
    });
  };

/** 轻易云's open API: /v2/oauth, and its store under a scheme; everything in HTTP 200. */
export const qingyiyun: Vendor =
  ({ seen, token, isValid }) =>
  ({ path, query, body }) => {
    if (path === '/v2/oauth') {
      const { app_key: key, app_secret: secret } = JSON.parse(body) as Record<string, string>;
      if (key === KEY && secret === SECRET) {
        return reply({ success: true, code: 0, message: '', content: { access_token: token(), expires_in: 7200 } });
      }
      seen.refusedLogins += 1;
      return reply({ success: false, code: 40101, message: `app_secret ${secret} is wrong`, content: null });
    }
    if (path !== '/v2/open-api/business/s-1/store') return { status: 404, text: '{}' };
    if (!isValid(query.get('access_token')))
      return reply({ success: false, code: 40102, message: 'token expired', content: null });
    const { content } = JSON.parse(body) as { content: unknown[] };
    seen.taken.push(...content);
    return reply({ success: true, code: 0, message: '', content: { inserted: content.length, failed: 0 } });
  };
