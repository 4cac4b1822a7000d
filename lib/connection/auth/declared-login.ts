import { createHash } from 'node:crypto';
import { isCompound, isJsonObject, type JsonValue, stringifyJson } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';
import { asText, FORM, formText } from '../form.ts';
import { type Answered, joinUrl } from '../http.ts';
import type { Ref } from '../secrets.ts';
import type { DeclaredToken } from './declared-token.ts';
import { resolveTree, withSigns } from './dressing.ts';
import { openLogin, statedLifeSec, type TokenReading } from './login.ts';
import { TOKEN_REQUEST } from './params.ts';
import { placed, withCookies } from './request-parts.ts';
import type { CredentialSource, SchemeDeps, UnsentRequest } from './scheme.ts';
import { signsIn } from './sign.ts';

/** The published life of most of these tokens (轻易云, 钉钉, 企业微信, 飞书, YonBIP); a shorter one ends by `auth.expired`. */
const DEFAULT_LIFE_SEC = 7_200;

const said = (value: JsonValue | undefined): string | undefined =>
  value === undefined || value === null || value === '' ? undefined : asText(value);

/** Name and value of each cookie that an answer sets, without its attributes (RFC 6265 §5.2). */
const cookiesIn = ({ setCookies = [] }: Answered): string =>
  setCookies
    .map((cookie) => cookie.split(';')[0]?.trim() ?? '')
    .filter((pair) => /^[^=]+=/.test(pair))
    .join('; ');

/** How a file has the answers to its token requests read. Pure. */
export const readingOf = ({ answer: { token, expiresInSec, lifeSec, code, successCodes, message } }: DeclaredToken) => {
  const successes = new Set(successCodes.map(String));
  const codeIn = (body: JsonValue | undefined) => (code === undefined ? undefined : said(readPath(body, code)));
  const reading: TokenReading = {
    wordsIn: (body, text) => {
      const words = message === undefined ? undefined : said(readPath(body, message));
      const shown = words ?? (body === undefined || !isCompound(body) ? undefined : text);
      return [codeIn(body), shown].filter((part) => part !== undefined).join(': ') || undefined;
    },
    tokenIn: (body, answered) => {
      const found = codeIn(body);
      if (code !== undefined && found === undefined) return { kind: 'unavailable', why: `no ${code} in the answer` };
      if (found !== undefined && !successes.has(found)) return { kind: 'refused', why: `${code} ${found}` };
      const accessToken = token === undefined ? cookiesIn(answered) : tokenAt(body, token);
      if (accessToken === '') return { kind: 'unavailable', why: `no ${token ?? 'cookie'} in the answer` };
      const stated = expiresInSec === undefined ? undefined : statedLifeSec(readPath(body, expiresInSec));
      return { accessToken, lifeSec: stated ?? lifeSec ?? DEFAULT_LIFE_SEC };
    },
  };
  return reading;
};

const tokenAt = (body: JsonValue | undefined, at: string): string => {
  const value = readPath(body, at);
  return isCompound(value) || value === undefined || value === null || value === false ? '' : asText(value);
};

/** The parameters of a token request where the file wants them. Pure. */
const carrying = (
  request: UnsentRequest,
  carrier: DeclaredToken['request']['in'],
  params: JsonValue,
): UnsentRequest => {
  const named = Object.entries(isJsonObject(params) ? params : {});
  switch (carrier) {
    case 'query':
      return named.reduce((filled, [name, value]) => placed(filled, { in: 'query', name }, value), request);
    case 'form':
      return { ...request, headers: { ...request.headers, 'content-type': FORM }, body: formText(named) };
    case 'json': {
      const headers = { ...request.headers, 'content-type': 'application/json' };
      return { ...request, headers, body: stringifyJson(params) };
    }
    default:
      return carrier satisfies never;
  }
};

const urlOf = async (url: string | Ref, { resolve, baseUrl }: SchemeDeps): Promise<string> => {
  const found = typeof url === 'string' ? url : await resolve({ key: `${TOKEN_REQUEST}.url`, ref: url });
  return found.startsWith('/') ? joinUrl(await baseUrl(), found) : found;
};

/** A token request, unsigned, and the secrets in it. */
const unsignedOf = async (
  { request: { method, url, in: carrier, params, headers } }: DeclaredToken,
  deps: SchemeDeps,
) => {
  const secrets: string[] = [];
  const own = await Promise.all(
    Object.entries(headers ?? {}).map(
      async ([name, value]): Promise<[string, string]> => [
        name.toLowerCase(),
        asText(await resolveTree(value, { key: `${TOKEN_REQUEST}.headers.${name}`, name }, deps.resolve, secrets)),
      ],
    ),
  );
  const filled = await resolveTree(params ?? {}, { key: `${TOKEN_REQUEST}.params`, name: '' }, deps.resolve, secrets);
  const bare: UnsentRequest = { method, url: await urlOf(url, deps), headers: { accept: 'application/json' } };
  const request = carrying(bare, carrier, filled);
  return { request: { ...request, headers: { ...request.headers, ...Object.fromEntries(own) } }, secrets };
};

const secretsOf = async (auth: DeclaredToken, deps: SchemeDeps): Promise<string[]> => {
  const { secrets } = await unsignedOf(auth, deps);
  for (const { secret } of signsIn(auth.request.sign)) {
    secrets.push(await deps.resolve({ key: `${TOKEN_REQUEST}.sign`, ref: secret }));
  }
  return secrets;
};

const showing = ({ use, answer }: DeclaredToken, accessToken: string) => {
  const isSession = answer.token === undefined;
  const values = isSession ? accessToken.split('; ').map((pair) => pair.slice(pair.indexOf('=') + 1)) : [accessToken];
  const { name, prefix } = use;
  return {
    authorise: (request: UnsentRequest) =>
      name === undefined
        ? withCookies(request, accessToken)
        : placed(request, { in: use.in, name }, `${prefix}${accessToken}`),
    secrets: [...new Set([accessToken, ...values])],
    token: accessToken,
  };
};

/** The credentials of a login as the file declares it. */
export const openDeclaredLogin = (auth: DeclaredToken, deps: SchemeDeps): CredentialSource =>
  openLogin(
    {
      // The parameters name the account: whichever of them change, the old token is not theirs.
      audience: async () => {
        const { request } = await unsignedOf(auth, deps);
        const parts = [await deps.baseUrl(), request.url, request.headers, request.body ?? ''];
        return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
      },
      request: async () => {
        const { request, secrets } = await unsignedOf(auth, deps);
        const signs = signsIn(auth.request.sign);
        return { request: await withSigns(request, signs, `${TOKEN_REQUEST}.sign`, deps, secrets), secrets };
      },
      reading: readingOf(auth),
      show: ({ accessToken }) => showing(auth, accessToken),
      secrets: () => secretsOf(auth, deps),
    },
    deps,
  );
