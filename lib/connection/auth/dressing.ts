import { createCipheriv, createHash, createHmac } from 'node:crypto';
import type { JsonValue } from '../../json/json.ts';
import { beijingTime, type Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import { asText } from '../form.ts';
import { isRef, type Param, type Tree } from './params.ts';
import { partsOf, placed } from './request-parts.ts';
import type { SchemeDeps, UnsentRequest } from './scheme.ts';
import type { Hashed, hashes, Sign } from './sign.ts';

// What a request carries beside its token. Loaded by those connections only whose files say so.

/** Names of what a server calls an account: no secret, and it may well stand in records, which must come whole. */
const ACCOUNT_NAME =
  /^(?:(?:app|client|corp|acct|account|customer|user|agent|tenant|org|company)?[_-]?id|app[_-]?key|user(?:[_-]?name)?|account|sid)$/i;

/**
 * A value with all its references resolved. `name` is that of its parameter. What they lead to is added to `secrets`, but
 * for the names of accounts. Throws as `resolve` does.
 */
export const resolveTree = async (
  value: Tree,
  { key, name }: { key: string; name: string },
  resolve: SchemeDeps['resolve'],
  secrets: string[],
): Promise<JsonValue> => {
  if (typeof value !== 'object' || value === null) return value;
  if (isRef(value)) {
    const found = await resolve({ key, ref: value });
    if (!ACCOUNT_NAME.test(name)) secrets.push(found);
    return found;
  }
  if (Array.isArray(value)) {
    const inside = value.map((inner, index) => resolveTree(inner, { key: `${key}[${index}]`, name }, resolve, secrets));
    return Promise.all(inside);
  }
  const entries = Object.entries(value).map(
    async ([inner, one]): Promise<[string, JsonValue]> => [
      inner,
      await resolveTree(one, { key: `${key}.${inner}`, name: inner }, resolve, secrets),
    ],
  );
  return Object.fromEntries(await Promise.all(entries));
};

/** The request with its `auth.params`; what of them is secret is added to `secrets`. Throws as `resolve` does. */
export const withParams = async (
  request: UnsentRequest,
  params: readonly Param[],
  resolve: SchemeDeps['resolve'],
  secrets: string[],
): Promise<UnsentRequest> => {
  let filled = request;
  for (const [index, { value, ...spot }] of params.entries()) {
    const place = { key: `auth.params[${index}].value`, name: spot.name };
    filled = placed(filled, spot, await resolveTree(value, place, resolve, secrets));
  }
  return filled;
};

/** In UTF-8 the order of bytes is that of code points; that of JavaScript's strings is not (RFC 3629 §1). */
const byCodePoint = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Fills `{k}`, `{v}` and `{secret}`; what they stand for is not looked into again. */
const filled = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (all, name: string) => (Object.hasOwn(values, name) ? (values[name] ?? all) : all));

const joined = (pairs: readonly (readonly [k: string, v: string])[], join: string): string => {
  const pairEnd = join.lastIndexOf('{v}') + '{v}'.length;
  return pairs.map(([k, v]) => filled(join.slice(0, pairEnd), { k, v })).join(join.slice(pairEnd));
};

const isPlain = (name: (typeof hashes)[number]): boolean => !name.startsWith('hmac-');

const digestOf = (sign: Hashed, content: string, secret: string): string => {
  const { algorithm, before, after, encode, case: letters, lowerText } = sign;
  const whole = `${filled(before, { secret })}${content}${filled(after, { secret })}`;
  const hash = isPlain(algorithm) ? createHash(algorithm) : createHmac(algorithm.slice('hmac-'.length), secret);
  const digest = hash.update(lowerText ? whole.toLowerCase() : whole).digest(encode);
  return letters === 'upper' ? digest.toUpperCase() : digest;
};

/** The pairs that are signed, by name. `keeps`: which values count. */
const signedPairs = (
  request: UnsentRequest,
  { except, use }: Sign,
  keeps: (value: JsonValue) => boolean,
): [name: string, value: JsonValue][] =>
  partsOf(request)
    .filter(([name, value]) => (use.in === 'header' || name !== use.name) && !except.includes(name) && keeps(value))
    .sort(byCodePoint);

const isFull = (value: JsonValue): boolean => value !== null && value !== '';
const asTexts = ([name, value]: readonly [string, JsonValue]): [string, string] => [name, asText(value)];

/** The signature of a request as it stands. Pure. */
export const signatureOf = (request: UnsentRequest, sign: Sign, secret: string): string => {
  switch (sign.algorithm) {
    case 'wangdian':
      return wangdianSign(signedPairs(request, sign, () => true).map(asTexts), secret);
    case 'lingxing': {
      // 领星 signs null as a text of its own, and leaves out what is empty.
      const pairs = signedPairs(request, sign, (value) => value !== '');
      return lingxingSign(
        pairs.map(([name, value]) => [name, value === null ? 'null' : asText(value)]),
        secret,
      );
    }
    default: {
      if (sign.over === 'body') return digestOf(sign, request.body ?? '', secret);
      const pairs = signedPairs(request, sign, sign.empties ? () => true : isFull).map(asTexts);
      return digestOf(sign, joined(pairs, sign.join), secret);
    }
  }
};

const timeIn = (form: 's' | 'ms' | 'datetime', nowMs: number): string | number => {
  switch (form) {
    case 's':
      return Math.floor(nowMs / 1000);
    case 'ms':
      return nowMs;
    case 'datetime':
      return beijingTime(nowMs) ?? '';
    default:
      return form satisfies never;
  }
};

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

const nonceOf = (length: number, random: Random): string =>
  Array.from({ length }, () => LETTERS[Math.floor(random.fraction() * LETTERS.length)]).join('');

/** What signing needs beside the request. */
type SignDeps = { clock: Clock; random: Random; resolve: SchemeDeps['resolve'] };

/**
 * The request with its signatures, each made over what the request holds by then; timestamp and nonce are made anew at
 * each call, which is to be one for each attempt. `key`: where `sign` stands in the connection block. Secrets, and the
 * signatures themselves, are added to `secrets`. Throws as `resolve` does.
 */
export const withSigns = async (
  request: UnsentRequest,
  signs: readonly Sign[],
  key: string,
  { clock, random, resolve }: SignDeps,
  secrets: string[],
): Promise<UnsentRequest> => {
  let signed = request;
  for (const sign of signs) {
    const { use, timestamp, nonce } = sign;
    const secret = await resolve({ key, ref: sign.secret });
    if (timestamp !== undefined) {
      signed = placed(signed, { in: use.in, ...timestamp }, timeIn(timestamp.form, clock.nowMs()));
    }
    if (nonce !== undefined) signed = placed(signed, { in: use.in, ...nonce }, nonceOf(nonce.length, random));
    const signature = signatureOf(signed, sign, secret);
    signed = placed(signed, use, signature);
    secrets.push(secret, signature);
  }
  return signed;
};

/**
 * The signature of 领星: the upper MD5 over sorted `k=v&k=v`, encrypted by AES-128/ECB/PKCS5 whose key is the app id, in
 * Base64. The rule: https://apidoc.lingxing.com/#/docs/Guidance/newInstructions §4.1. Pure. Throws RangeError where the app
 * id has not 16 bytes.
 */
const lingxingSign = (sorted: readonly (readonly [name: string, value: string])[], appId: string): string => {
  const text = sorted.map(([name, value]) => `${name}=${value}`).join('&');
  const digest = createHash('md5').update(text).digest('hex').toUpperCase();
  const cipher = createCipheriv('aes-128-ecb', appId, null);
  return cipher.update(digest, 'utf8', 'base64') + cipher.final('base64');
};

const counted = (text: string, digits: number): string => `${String([...text].length).padStart(digits, '0')}-${text}`;

/**
 * The signature of 旺店通企业版: MD5 over sorted pairs, each name and value behind the number of its characters, and the
 * secret at the end. Rule and vector: https://open.wangdian.cn/open/guide?path=guide_signsf. Pure.
 */
const wangdianSign = (sorted: readonly (readonly [name: string, value: string])[], secret: string): string => {
  const pairs = sorted.map(([name, value]) => `${counted(name, 2)}:${counted(value, 4)}`);
  return createHash('md5')
    .update(`${pairs.join(';')}${secret}`)
    .digest('hex');
};
