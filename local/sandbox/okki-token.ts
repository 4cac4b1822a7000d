import { createHmac } from 'node:crypto';
import { isJsonObject, parseJson } from '../../lib/json/json.ts';
import type { FaultBoard } from './fault-board.ts';
import { jsonReply, type Reply, type SandboxRequest } from './reply.ts';

/** What a valid token allows. */
export type Grant = { scope: readonly string[] };

export type TokenService = {
  /** `POST /v1/oauth2/access_token`: client_credentials and password grants. */
  issue(request: SandboxRequest): Reply;
  /** `POST /v1/oauth2/refresh_token`. */
  refresh(request: SandboxRequest): Reply;
  /** What this token allows; undefined where it is unknown, revoked or past its life. */
  check(token: string | undefined): Grant | undefined;
  revoke(token: string): void;
};

type Claims = { client: string; scope: string; untilMs: number; serial: number; kind: 'access' | 'refresh' };

const DEFAULT_LIFE_SEC = 28_800;
const REFRESH_LIFE_MS = 30 * 24 * 60 * 60 * 1000;
const SHA256_HEX = /^[0-9a-f]{64}$/i;
// Not a secret: a token of the sandbox opens nothing. Signed, so that one outlives a restart as a real one does.
const SIGNING_KEY = 'okki-sync sandbox';

const sign = (payload: string): string => createHmac('sha256', SIGNING_KEY).update(payload).digest('base64url');

const encode = (claims: Claims): string => {
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
  return `${payload}.${sign(payload)}`;
};

const decode = (token: string): Claims | undefined => {
  const [payload = '', signature = ''] = token.split('.');
  // Only what was signed here is read as claims.
  if (sign(payload) !== signature) return undefined;
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims;
};

/** OAuth errors are HTTP 400 with a body of their own (RFC 6749 §5.2, with OKKI's `message` beside it). */
const oauthError = (error: string, description: string): Reply =>
  jsonReply(400, { error, error_description: description, message: description });

/** OKKI takes form bodies and JSON bodies alike. */
const readForm = (request: SandboxRequest): Map<string, string> => {
  if (!request.body.trimStart().startsWith('{')) return new Map(new URLSearchParams(request.body));
  try {
    const value = parseJson(request.body);
    if (!isJsonObject(value)) return new Map();
    return new Map(Object.entries(value).map(([key, field]) => [key, field === null ? '' : String(field)]));
  } catch {
    return new Map();
  }
};

/** OKKI's OAuth endpoints. A client is known by `clientId` and `clientSecret` where given, else any but the secret "wrong". */
export const tokenService = (
  client: { clientId?: string | undefined; clientSecret?: string | undefined },
  faults: FaultBoard,
  nowMs: () => number,
): TokenService => {
  const revoked = new Set<string>();
  const current = new Map<string, { access: string; refresh: string }>();
  let serial = 0;

  const isLive = (token: string, kind: Claims['kind']): Claims | undefined => {
    if (revoked.has(token)) return undefined;
    const claims = decode(token);
    return claims?.kind === kind && claims.untilMs > nowMs() ? claims : undefined;
  };

  const isKnownClient = (id: string, secret: string): boolean =>
    id !== '' &&
    secret !== '' &&
    (client.clientId === undefined || id === client.clientId) &&
    (client.clientSecret === undefined ? secret !== 'wrong' : secret === client.clientSecret);

  const answer = (on: 'token' | 'refresh', clientId: string, scope: string): Reply => {
    const key = `${clientId}\n${scope}`;
    const lifeSec = faults.happens('token-short-life', { on })?.sec ?? DEFAULT_LIFE_SEC;
    let pair = current.get(key);
    let claims = pair === undefined ? undefined : isLive(pair.access, 'access');
    if (pair === undefined || claims === undefined) {
      serial += 1;
      claims = { client: clientId, scope, untilMs: nowMs() + lifeSec * 1000, serial, kind: 'access' };
      const untilMs = nowMs() + REFRESH_LIFE_MS;
      pair = { access: encode(claims), refresh: encode({ ...claims, untilMs, kind: 'refresh' }) };
      current.set(key, pair);
    }
    return jsonReply(200, {
      token_type: 'Bearer',
      access_token: pair.access,
      // What is left: asking again does not extend the life.
      ...(faults.happens('no-expires-in', { on }) ? {} : { expires_in: Math.floor((claims.untilMs - nowMs()) / 1000) }),
      refresh_token: pair.refresh,
    });
  };

  const fault = (on: 'token' | 'refresh'): Reply | undefined => {
    const refused = faults.happens('token-refused', { on });
    return refused && oauthError(refused.error, 'The sandbox was told to refuse tokens.');
  };

  return {
    issue: (request) => {
      const refused = fault('token');
      if (refused !== undefined) return refused;
      const form = readForm(request);
      const field = (name: string): string => form.get(name) ?? '';
      const grantType = field('grant_type');
      if (grantType !== 'client_credentials' && grantType !== 'password') {
        return oauthError('unsupported_grant_type', 'grant_type must be client_credentials or password.');
      }
      if (!isKnownClient(field('client_id'), field('client_secret'))) {
        return oauthError('invalid_client', 'Client authentication failed.');
      }
      if (grantType === 'password' && (field('username') === '' || !SHA256_HEX.test(field('password')))) {
        return oauthError('invalid_grant', 'username is missing or password is not a SHA-256 in hex.');
      }
      const scope = field('scope').split(/\s+/).filter(Boolean).sort().join(' ');
      if (scope === '') return oauthError('invalid_scope', 'scope is missing: name the modules, e.g. product.');
      return answer('token', field('client_id'), scope);
    },

    refresh: (request) => {
      const refused = fault('refresh');
      if (refused !== undefined) return refused;
      const form = readForm(request);
      const clientId = form.get('client_id') ?? '';
      if (!isKnownClient(clientId, form.get('client_secret') ?? '')) {
        return oauthError('invalid_client', 'Client authentication failed.');
      }
      const token = form.get('refresh_token') ?? '';
      const claims = isLive(token, 'refresh');
      if (claims === undefined || claims.client !== clientId) {
        return oauthError('invalid_grant', 'refresh_token is unknown, used or past its life.');
      }
      // A refresh token serves once (RFC 6749 §10.4), and the access token it came with ends with it.
      revoked.add(token);
      const pair = current.get(`${clientId}\n${claims.scope}`);
      if (pair?.refresh === token) revoked.add(pair.access);
      return answer('refresh', clientId, claims.scope);
    },

    check: (token) => {
      const claims = token === undefined ? undefined : isLive(token, 'access');
      return claims && { scope: claims.scope.split(' ') };
    },

    revoke: (token) => {
      revoked.add(token);
    },
  };
};
