import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIFE_SEC, readTokenAnswer, tokenForm } from '../../../lib/connection/auth/oauth2.ts';
import type { HttpAnswer } from '../../../lib/connection/http.ts';
import { answered, answeredBytes, failed } from '../../fakes/fake-http.ts';

const client = { clientId: 'me', clientSecret: 's3cret&more' };
const SENT_MS = 1_000_000;
const NOW_MS = SENT_MS + 3_000;
const read = (answer: HttpAnswer) => readTokenAnswer(answer, SENT_MS, NOW_MS, [client.clientSecret, 'hunter2']);
const granted = { token_type: 'Bearer', access_token: 'abc' };

describe('a token request', () => {
  it('asks with the client’s credentials and the scope', () => {
    const form = tokenForm({ grant: 'client_credentials', ...client, scope: 'product company' });
    expect(Object.fromEntries(new URLSearchParams(form))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'me',
      client_secret: 's3cret&more',
      scope: 'product company',
    });
  });

  it('sends the SHA-256 of the password, never the password, and no scope where none is set', () => {
    const form = tokenForm({ grant: 'password', ...client, username: 'li', password: 'hunter2' });
    expect(form).not.toContain('hunter2');
    expect(Object.fromEntries(new URLSearchParams(form))).toEqual({
      grant_type: 'password',
      username: 'li',
      password: createHash('sha256').update('hunter2').digest('hex'),
      client_id: 'me',
      client_secret: 's3cret&more',
    });
  });
});

describe('the answer to a token request', () => {
  it.each([
    ['in seconds', { expires_in: 7_200 }, 7_200],
    ['as text', { expires_in: '7200' }, 7_200],
    ['absent', {}, DEFAULT_LIFE_SEC],
    ['null', { expires_in: null }, DEFAULT_LIFE_SEC],
    ['negative', { expires_in: -1 }, DEFAULT_LIFE_SEC],
    ['no number', { expires_in: 'soon' }, DEFAULT_LIFE_SEC],
  ])('counts a life that is %s from when it was asked for', (_, expires, lifeSec) => {
    expect(read(answered(200, { ...granted, ...expires }))).toEqual({
      kind: 'token',
      token: { accessToken: 'abc', obtainedAtMs: SENT_MS, expiresAtMs: SENT_MS + lifeSec * 1000 },
    });
  });

  it.each([null, '', 0, '0', false])('takes an error of %j beside a token for none', (error) => {
    expect(read(answered(200, { ...granted, error }))).toMatchObject({ kind: 'token' });
  });

  const invalid = { error: 'invalid_client', error_description: 'Client authentication failed' };
  it.each<[name: string, answer: HttpAnswer, kind: string, words: RegExp]>([
    ['an OAuth error', answered(400, invalid), 'refused', /400.*invalid_client: Client authentication failed/],
    ['an OAuth error with a message only', answered(400, { error: 'x', message: 'why' }), 'refused', /x: why/],
    ['an OAuth error inside 200', answered(200, invalid), 'refused', /invalid_client/],
    ['401', answered(401, 'no'), 'refused', /401/],
    ['403', answered(403, {}), 'refused', /403/],
    ['404', answered(404, '<html>'), 'refused', /404/],
    ['a redirect', answered(302, ''), 'refused', /302/],
    ['500', answered(500, 'oops'), 'unavailable', /500/],
    ['200 without a token', answered(200, { token: 'abc' }), 'unavailable', /no access_token/],
    ['200 with an empty token', answered(200, { access_token: '' }), 'unavailable', /no access_token/],
    ['200 that is not JSON', answered(200, '<html>'), 'unavailable', /no access_token/],
    ['a reset', failed('reset', 'the connection broke'), 'unavailable', /broke/],
  ])('%s', (_, answer, kind, words) => {
    expect(read(answer)).toMatchObject({ kind, message: expect.stringMatching(words) });
  });

  it.each([429, 503])('%d says when to come back', (status) => {
    expect(read(answered(status, {}, { 'retry-after': '7' }))).toMatchObject({
      kind: 'unavailable',
      retryAfterMs: 7_000,
    });
  });

  it('shows no secret that the server repeats', () => {
    const echo = { error: 'invalid_client', error_description: 'bad s3cret&more for hunter2' };
    expect(read(answered(400, echo))).toMatchObject({ message: 'status 400 (invalid_client: bad *** for ***)' });
    const form = { error: 'invalid_client', error_description: tokenForm({ grant: 'client_credentials', ...client }) };
    expect(read(answered(400, form))).toMatchObject({
      message: 'status 400 (invalid_client: grant_type=client_credentials&client_id=me&client_secret=***)',
    });
  });

  it('is one of the named ends, whatever comes', () => {
    const nearly = fc.record({ access_token: fc.jsonValue(), expires_in: fc.jsonValue() });
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      nearly.map((answer) => JSON.stringify(answer)),
    );
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), body, (status, text) => {
        const answer = read({ kind: 'answered', status, headers: {}, text });
        expect(['token', 'refused', 'unavailable']).toContain(answer.kind);
        if (answer.kind === 'token') expect(answer.token.expiresAtMs).toBeGreaterThan(SENT_MS);
      }),
    );
  });
});

it('a token is read in the charset that the answer declares, and is none where its bytes cannot be read', async () => {
  const bytes = Buffer.from('{"access_token":"abc","user":"\xd6\xd0"}', 'latin1');
  expect(read(await answeredBytes(200, bytes, { 'content-type': 'application/json; charset=GBK' }))).toMatchObject({
    kind: 'token',
    token: { accessToken: 'abc' },
  });
  expect(read(await answeredBytes(200, bytes))).toEqual({
    kind: 'unavailable',
    message: expect.stringContaining('no UTF-8'),
  });
});
