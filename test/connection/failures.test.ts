import { expect, test } from 'vitest';
import type { FailureCause } from '../../lib/connection/http.ts';
import { failureOf } from '../../lib/connection/ky-http.ts';

/** As fetch fails: its TypeError wraps the error of the socket, which has the code. */
const failedWith = (code: string | undefined): Error =>
  new TypeError('fetch failed', { cause: Object.assign(new Error('in words'), code === undefined ? {} : { code }) });

// By the code alone; by the code of a request that Node saw end unsent.
test.each<[code: string | undefined, seen: FailureCause, unsent: FailureCause]>([
  ['ENOTFOUND', 'dns', 'dns'],
  ['EAI_AGAIN', 'dns', 'dns'],
  ['EAI_FAIL', 'dns', 'dns'],
  ['ECONNREFUSED', 'refused', 'refused'],
  ['EHOSTUNREACH', 'unreachable', 'unreachable'],
  ['ENETUNREACH', 'unreachable', 'unreachable'],
  ['EADDRNOTAVAIL', 'unreachable', 'unreachable'],
  ['EACCES', 'unreachable', 'unreachable'],
  ['UND_ERR_CONNECT_TIMEOUT', 'unreachable', 'unreachable'],
  ['UND_ERR_INVALID_ARG', 'unreachable', 'unreachable'],
  ['CERT_HAS_EXPIRED', 'tls', 'tls'],
  ['CERT_NOT_YET_VALID', 'tls', 'tls'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls', 'tls'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls', 'tls'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'tls', 'tls'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls', 'tls'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls', 'tls'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls', 'tls'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls', 'tls'],
  ['UND_ERR_SOCKET', 'reset', 'unreachable'],
  ['ECONNRESET', 'reset', 'unreachable'],
  ['EPIPE', 'reset', 'unreachable'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'reset', 'unreachable'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout', 'unreachable'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout', 'unreachable'],
  ['ETIMEDOUT', 'timeout', 'unreachable'],
  // Whatever else TLS is called: nobody knows how far the request came, but where Node saw that it never left.
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'network', 'tls'],
  ['EPROTO', 'network', 'tls'],
  ['ANYTHING_ELSE', 'network', 'unreachable'],
  [undefined, 'network', 'unreachable'],
])('a request that fails with %s: %s, surely unsent %s', (code, seen, unsent) => {
  expect(failureOf(failedWith(code), false)).toMatchObject({ kind: 'failed', cause: seen });
  expect(failureOf(failedWith(code), true)).toMatchObject({ kind: 'failed', cause: unsent });
});

test('a time-out counts before any code, and never shows what an error says in words', () => {
  const timeout = Object.assign(new Error('https://host/?token=1'), { name: 'TimeoutError', code: 'ENOTFOUND' });
  expect(failureOf(timeout, false)).toEqual({
    kind: 'failed',
    cause: 'timeout',
    message: 'no whole answer came in time',
  });
  expect(failureOf(timeout, true)).toMatchObject({ cause: 'unreachable' });
  expect(failureOf(failedWith('EPIPE'), false)).toEqual({
    kind: 'failed',
    cause: 'reset',
    message: 'the connection broke before the whole answer was there (EPIPE)',
  });
});
