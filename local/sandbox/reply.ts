import { type JsonValue, stringifyJson } from '../../lib/json/json.ts';

/** One request as the endpoints see it; header names in lower case. */
export type SandboxRequest = {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Readonly<Record<string, string | undefined>>;
  body: string;
};

/** An answer, and what befalls it on its way. */
export type Reply = {
  status: number;
  headers: Readonly<Record<string, string>>;
  text: string;
  /** So many spaces follow the text: JSON as before, only longer. */
  paddingBytes?: number;
  /** The connection ends before the answer, or in the middle of its body; absent: the answer arrives. */
  dropped?: 'before' | 'midBody';
  /** The answer waits so long, in milliseconds. */
  lateMs?: number;
};

/** A JSON answer. */
export const jsonReply = (status: number, value: JsonValue, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  text: stringifyJson(value),
});

/** The Retry-After header in either form of RFC 9110 §10.2.3; none where no seconds are given. */
export const retryAfterHeader = (
  params: { retryAfter: number | undefined; form: 'seconds' | 'date' },
  nowMs: number,
): Record<string, string> => {
  if (params.retryAfter === undefined) return {};
  // An HTTP date has no fraction: rounded up, so that it never asks for less than the seconds given.
  const atMs = Math.ceil(nowMs / 1000 + params.retryAfter) * 1000;
  return { 'retry-after': params.form === 'date' ? new Date(atMs).toUTCString() : String(params.retryAfter) };
};

/** The token of an `Authorization: Bearer …` header (RFC 6750 §2.1); undefined where there is none. */
export const bearerToken = (request: SandboxRequest): string | undefined =>
  /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
