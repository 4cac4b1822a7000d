import { type JsonValue, stringifyJson } from '../../lib/json/json.ts';
import { type Answer, type HttpServer, type Request, startHttpServer } from './http-server.ts';

export type OwnSourceOptions = {
  rows: readonly JsonValue[];
  envelope?: boolean;
  /** Absent: every request gets every row. `most`: the largest page, however many are asked for. */
  paging?: { most: number };
  /** Says otherwise than the rows; undefined: as usual. */
  instead?: (request: Request, n: number) => Answer | undefined;
};

export type OwnSource = HttpServer & { requests: Request[] };

const LIST = '/v1/product/groups';
const TOKEN = '/v1/oauth2/access_token';

/** A source written from the vendor's published API, and not the sandbox. */
export const startOwnSource = async ({
  rows,
  envelope = true,
  paging,
  instead,
}: OwnSourceOptions): Promise<OwnSource> => {
  const requests: Request[] = [];
  const answer = (request: Request): Answer => {
    requests.push(request);
    const other = instead?.(request, requests.length);
    if (other !== undefined) return other;
    if (request.path === TOKEN) {
      return { text: JSON.stringify({ token_type: 'Bearer', access_token: 'own-token', expires_in: 28_800 }) };
    }
    if (request.path !== LIST) return { status: 404, text: '{}' };
    if (request.headers.authorization !== 'Bearer own-token') return { status: 401, text: '{"message":"no token"}' };
    const page = pageOf(rows, request.query, paging);
    return {
      text: stringifyJson(envelope ? { code: 200, message: 'success', now: '2026-01-01 00:00:00', data: page } : page),
    };
  };
  return { ...(await startHttpServer(answer)), requests };
};

const pageOf = (
  rows: readonly JsonValue[],
  query: URLSearchParams,
  paging: { most: number } | undefined,
): JsonValue[] => {
  if (paging === undefined) return [...rows];
  const size = Math.min(Number(query.get('count') ?? paging.most), paging.most);
  const from = (Number(query.get('start_index') ?? 1) - 1) * size;
  return rows.slice(from, from + size);
};

export const isListRequest = ({ path }: Request): boolean => path === LIST;
export const isTokenRequest = ({ path }: Request): boolean => path === TOKEN;

/** Variables that lead the program to a source. */
export const sourceEnv = ({ url }: { url: string }) => ({
  OKKI_BASE_URL: url,
  OKKI_CLIENT_ID: 'own-client',
  OKKI_CLIENT_SECRET: 'own-secret',
});

/** Groups as the vendor describes them, ids from `from` on. */
export const groups = (count: number, from = 5_203_300_001): Array<{ id: number; name: string; parent_id: number }> =>
  Array.from({ length: count }, (_, index) => ({ id: from + index, name: `分组 ${index + 1}`, parent_id: 0 }));
