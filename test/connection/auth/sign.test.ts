import { createDecipheriv, createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { signatureOf, withSigns } from '../../../lib/connection/auth/dressing.ts';
import type { UnsentRequest } from '../../../lib/connection/auth/scheme.ts';
import { type Sign, signKey, signsIn } from '../../../lib/connection/auth/sign.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';
import { seededRandom } from '../../fakes/seeded-random.ts';

const schema = z.strictObject(signKey());
const signsOf = (sign: unknown): readonly Sign[] => signsIn(schema.parse({ sign }).sign);
const secret = { env: 'SECRET' };
const use = { in: 'query', name: 'sign' };
const signOf = (sign: object): Sign => {
  const [first] = signsOf({ algorithm: 'md5', secret, use, ...sign });
  if (first === undefined) throw new TypeError('no signature');
  return first;
};

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const get = (query: Record<string, string>): UnsentRequest => ({
  method: 'GET',
  url: `http://api.test/path?${new URLSearchParams(query)}`,
  headers: {},
});
const form = (fields: Record<string, string>): UnsentRequest => ({
  method: 'POST',
  url: 'http://api.test/path',
  headers: FORM,
  body: new URLSearchParams(fields).toString(),
});
const json = (body: string, url = 'http://api.test/path'): UnsentRequest => ({
  method: 'POST',
  url,
  headers: { 'content-type': 'application/json' },
  body,
});

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

// https://pay.weixin.qq.com/wiki/doc/api/jsapi.php?chapter=4_3
const weixin = {
  appid: 'wxd930ea5d5a258f4f',
  mch_id: '10000100',
  device_info: '1000',
  body: 'test',
  nonce_str: 'ibuaiVcKdpRxkhJA',
};
const weixinKey = '192006250b4c09247ec02edce69f6a2d';
const weixinRule = { join: '{k}={v}&', after: '&key={secret}', case: 'upper' };

// https://open.yonyoucloud.com, "获取租户token": sorted key and value, HMAC-SHA256, Base64.
const yonbip = { algorithm: 'hmac-sha256', encode: 'base64' };

describe('a published signature is made', () => {
  it.each<[name: string, sign: object, request: UnsentRequest, secret: string, signature: string]>([
    ['微信支付, MD5', weixinRule, form(weixin), weixinKey, '9A0A8659F005D6984697E2CA0A9CF3B7'],
    [
      '微信支付, HMAC-SHA256',
      { ...weixinRule, algorithm: 'hmac-sha256' },
      form(weixin),
      weixinKey,
      '6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6',
    ],
    [
      '用友 YonBIP, …693',
      yonbip,
      get({ appKey: 'app_key', timestamp: '1689561299693' }),
      'app_secret',
      '5emnxzmPp/CFvb2hcddwtMVgfKUARq9DGQZOjxqe/p8=',
    ],
    [
      '用友 YonBIP, …694',
      yonbip,
      get({ appKey: 'app_key', timestamp: '1689561299694' }),
      'app_secret',
      'ySpMB/+mia+CbYYGM72rHWHsuyhOMy5Q008ppOBgxWM=',
    ],
    [
      // https://open.wangdian.cn/open/guide?path=guide_signsf
      '旺店通企业版',
      { algorithm: 'wangdian' },
      form({
        sid: 'test2',
        appkey: 'test2-xx',
        page_no: '0',
        end_time: '2016-08-01 13:00:00',
        start_time: '2016-08-01 12:00:00',
        page_size: '40',
        timestamp: '1470042310',
      }),
      '12345',
      'ad4e6fe037ea6e3ba4768317be9d1309',
    ],
    [
      // RFC 4231 §4.3, over a body as it stands.
      'HMAC-SHA256, test case 2',
      { algorithm: 'hmac-sha256', over: 'body' },
      { ...json('what do ya want for nothing?'), headers: {} },
      'Jefe',
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [
      // RFC 2202 §2, test case 2
      'HMAC-MD5, test case 2',
      { algorithm: 'hmac-md5', over: 'body' },
      { ...json('what do ya want for nothing?'), headers: {} },
      'Jefe',
      '750c783e6ab0b503eaa86e310a5db738',
    ],
  ])('%s', (_, sign, request, key, signature) => {
    expect(signatureOf(request, signOf(sign), key)).toBe(signature);
  });

  it('领星: the upper MD5 of sorted pairs, encrypted with the app id; null is signed, an empty value is not', () => {
    const appId = 'ak_0123456789abc';
    const request = json(
      '{"b":"","c":null,"list":[1,{"d":"中"}]}',
      'http://api.test/x?app_key=ak&timestamp=1720429074',
    );
    const signature = signatureOf(request, signOf({ algorithm: 'lingxing' }), appId);
    const cipher = createDecipheriv('aes-128-ecb', appId, null);
    const decrypted = cipher.update(signature, 'base64', 'utf8') + cipher.final('utf8');
    expect(decrypted).toBe(md5('app_key=ak&c=null&list=[1,{"d":"中"}]&timestamp=1720429074').toUpperCase());
  });

  it('旺店通: lengths count characters, a longer value more digits', () => {
    const name = '名😀';
    const long = 'x'.repeat(12_345);
    const text = `01-a:0002-${name};01-b:12345-${long}secret`;
    expect(signatureOf(form({ b: long, a: name }), signOf({ algorithm: 'wangdian' }), 'secret')).toBe(md5(text));
  });
});

describe('what is signed', () => {
  const around = { before: '{secret}', after: '{secret}' };
  it.each<[name: string, sign: object, request: UnsentRequest, text: string]>([
    [
      'query and body root, by name, in the order of code points',
      around,
      json('{"a":1,"Z":"z","\u{ff5e}":"w"}', 'http://api.test/?b=%E4%B8%AD+%2B&%F0%9F%98%80=e'),
      'keyZza1b中 +\u{ff5e}w😀ekey',
    ],
    [
      'numbers as they are sent',
      around,
      json('{"n":812252963824298001,"d":1.50,"t":true}'),
      'keyd1.5n812252963824298001ttruekey',
    ],
    ['an object or list as its JSON text', around, json('{"o": {"b": 1, "a": [2]}}'), 'keyo{"b":1,"a":[2]}key'],
    ['a JSON text as the text that is sent', around, form({ biz: '{"b": 1}', a: '' }), 'keybiz{"b": 1}key'],
    ['no empty value', around, json('{"a":"","b":null,"c":0}'), 'keyc0key'],
    ['empty values where they count', { ...around, empties: true }, json('{"a":"","b":null,"c":0}'), 'keyabc0key'],
    ['no name that is left out', { ...around, except: ['token'] }, form({ token: 't', a: '1', sign: 'x' }), 'keya1key'],
    ['separators between pairs only', { join: '{k}={v}&', after: '{secret}' }, form({ a: '1', b: '2' }), 'a=1&b=2key'],
    ['values alone', { join: '{v},', after: '{secret}' }, form({ b: '2', a: '1' }), '1,2key'],
    [
      'braces in values as they stand',
      { join: '{k}:{v};', after: '{secret}' },
      form({ a: '{secret}{k}' }),
      'a:{secret}{k}key',
    ],
    ['the whole text in small letters', { ...around, lowerText: true }, form({ A: 'B中' }), 'keyab中key'],
    [
      'the body as its bytes',
      { ...around, over: 'body' },
      json('{"a" : 1}', 'http://api.test/?q=1'),
      'key{"a" : 1}key',
    ],
  ])('%s', (_, sign, request, text) => {
    expect(signatureOf(request, signOf(sign), 'key')).toBe(md5(text));
  });

  it('is sorted by code point, whatever the names are', () => {
    const name = fc.string({ minLength: 1, unit: 'binary' }).filter((text) => text.isWellFormed() && text !== 'sign');
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 2, maxLength: 6 }), (names) => {
        const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        const request = form(Object.fromEntries(names.map((one) => [one, 'v'])));
        const expected = createHmac('sha1', 'key')
          .update(sorted.map((one) => `${one}v`).join(''))
          .digest('hex');
        expect(signatureOf(request, signOf({ algorithm: 'hmac-sha1' }), 'key')).toBe(expected);
      }),
    );
  });
});

describe('a signed request', () => {
  const clock = fakeClock();
  const deps = { clock, random: seededRandom(1), resolve: async () => 'key' };
  const signed = (request: UnsentRequest, sign: unknown, secrets: string[] = []) =>
    withSigns(request, signsOf(sign), 'auth.sign', deps, secrets);
  const plain = { algorithm: 'md5', secret, before: '{secret}' };

  it('carries a timestamp and a nonce that are signed, where the signature goes unless said otherwise', async () => {
    const sign = {
      ...plain,
      timestamp: { name: 'ts', form: 's' },
      nonce: { name: 'n', length: 8, in: 'header' },
      use: { in: 'body', name: 'sign' },
    };
    const { body = '', headers } = await signed(json('{"a":"x"}'), sign);
    const ts = Math.floor(clock.nowMs() / 1000);
    expect(JSON.parse(body)).toEqual({ a: 'x', ts, sign: md5(`keyaxts${ts}`) });
    expect(headers.n).toMatch(/^[A-Za-z0-9]{8}$/);
  });

  it.each([
    ['s', '1767229445'],
    ['ms', '1767229445678'],
    ['datetime', '2026-01-01 09:04:05'],
  ])('writes the time as %s, in Beijing whatever the machine’s zone', async (form_, text) => {
    const at = { nowMs: () => Date.UTC(2026, 0, 1, 1, 4, 5, 678), sleep: async () => {} };
    const sign = signsOf({ ...plain, timestamp: { name: 'ts', form: form_ }, use });
    const { url } = await withSigns(get({}), sign, 'auth.sign', { ...deps, clock: at }, []);
    expect(new URL(url).searchParams.get('ts')).toBe(text);
  });

  it('is made anew at each attempt', async () => {
    const sign = { ...plain, nonce: { name: 'n', length: 16 }, use };
    const [one, other] = [await signed(get({}), sign), await signed(get({}), sign)];
    expect(one.url).not.toBe(other.url);
  });

  it('has a later signature include the earlier ones, unless it leaves them out', async () => {
    const first = { ...plain, use: { in: 'query', name: 's1' } };
    const later = { ...plain, use: { in: 'query', name: 's2' } };
    const both = new URL((await signed(get({ a: '1' }), [first, later])).url).searchParams;
    expect(both.get('s2')).toBe(md5(`keya1s1${both.get('s1')}`));
    const alone = new URL((await signed(get({ a: '1' }), [first, { ...later, except: ['s1'] }])).url).searchParams;
    expect(alone.get('s2')).toBe(md5('keya1'));
  });

  it('writes Base64 with padding, and encodes it once in a query', async () => {
    const { url } = await signed(get({ appKey: 'app_key', timestamp: '1689561299693' }), {
      ...plain,
      algorithm: 'sha256',
      encode: 'base64',
      use,
    });
    const expected = createHash('sha256').update('keyappKeyapp_keytimestamp1689561299693').digest('base64');
    expect(url).toContain(`sign=${encodeURIComponent(expected)}`);
  });

  it('tells its secret and its signature, which nobody may see', async () => {
    const secrets: string[] = [];
    const { url } = await signed(get({}), { ...plain, use }, secrets);
    expect(secrets).toEqual(['key', new URL(url).searchParams.get('sign')]);
  });
});

it.each([
  ['a plain hash without the secret', { before: 'x' }],
  ['a join without the value', { before: '{secret}', join: '{k}' }],
  ['the case of Base64', { before: '{secret}', encode: 'base64', case: 'upper' }],
  ['a rule beside an algorithm of its own', { algorithm: 'wangdian', join: '{k}{v}' }],
  ['no signature at all', []],
])('a file is refused with %s', (_, sign) => {
  const whole = Array.isArray(sign) ? sign : { algorithm: 'md5', secret, use, ...sign };
  expect(schema.safeParse({ sign: whole }).success).toBe(false);
});
