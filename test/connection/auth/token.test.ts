import { beforeEach, describe, expect, it } from 'vitest';
import {
  type AskForToken,
  type Token,
  type TokenAnswer,
  type TokenResult,
  type TokenSource,
  type TokenStore,
  tokenSource,
} from '../../../lib/connection/auth/token.ts';
import { standardTuning } from '../../../lib/runtime/tuning.ts';
import { type FakeClock, fakeClock } from '../../fakes/fake-clock.ts';
import { memoryTokenStore } from '../../fakes/memory-token-store.ts';
import { seededRandom } from '../../fakes/seeded-random.ts';

const LIFE_MS = 100_000;
const TIMEOUT_MS = 5_000;

describe('the token of a connection', () => {
  let clock: FakeClock;
  let store: TokenStore;
  let asked: number;
  let worker: number;
  beforeEach(() => {
    clock = fakeClock(1_000_000);
    store = memoryTokenStore();
    asked = 0;
    worker = 0;
  });

  const open = (audience = 'okki'): TokenSource => {
    const random = seededRandom(++worker);
    return tokenSource({
      connection: 'okki',
      audience,
      timeoutMs: TIMEOUT_MS,
      store,
      clock,
      random,
      tuning: standardTuning.connection,
    });
  };
  /** A server that takes a second and gives the next of these texts (the last one for ever). */
  const serve =
    (...texts: string[]): AskForToken =>
    async () => {
      const accessToken = texts[Math.min(asked, texts.length - 1)] ?? '';
      asked += 1;
      const obtainedAtMs = clock.nowMs();
      await clock.sleep(1_000);
      return { kind: 'token', token: { accessToken, obtainedAtMs, expiresAtMs: obtainedAtMs + LIFE_MS } };
    };
  const answer =
    (result: TokenAnswer): AskForToken =>
    async () => {
      asked += 1;
      return result;
    };
  const wish = (ask: AskForToken, waitMs = 600_000) => ({ deadlineMs: clock.nowMs() + waitMs, ask });
  const tokenOf = (result: TokenResult): Token => {
    if (result.kind !== 'token') throw new Error(`expected a token, got ${result.kind}`);
    return result.token;
  };
  const get = async (source: TokenSource, ask: AskForToken) => tokenOf(await clock.run(source.get(wish(ask))));

  it('is asked for once and kept', async () => {
    const source = open();
    const first = await clock.run(source.get(wish(serve('A', 'B'))));
    expect(first).toMatchObject({ kind: 'token', requests: 1, token: { accessToken: 'A' } });
    expect(await source.get(wish(serve('A', 'B')))).toMatchObject({ requests: 0, token: { accessToken: 'A' } });
  });

  it('is asked for once by all who want it at the same moment, in one process and in others', async () => {
    const sources = Array.from({ length: 5 }, () => open());
    const all = sources.flatMap((source) => [source.get(wish(serve('A', 'B'))), source.get(wish(serve('A', 'B')))]);
    const results = await clock.run(Promise.all(all));
    expect(results.map((result) => tokenOf(result).accessToken)).toEqual(Array(10).fill('A'));
    expect(results.reduce((sum, { requests }) => sum + requests, 0)).toBe(1);
    expect(asked).toBe(1);
  });

  it('is shared with a process that starts later', async () => {
    await get(open(), serve('A'));
    expect(await open().get(wish(serve('B')))).toMatchObject({ requests: 0, token: { accessToken: 'A' } });
  });

  it('of another server, client or scope is not used', async () => {
    await get(open('sandbox'), serve('A', 'B'));
    expect((await get(open('production'), serve('A', 'B'))).accessToken).toBe('B');
  });

  it('is renewed once for all workers whose requests were refused with it', async () => {
    const ask = serve('A', 'B', 'C');
    const sources = Array.from({ length: 8 }, () => open());
    const stale = await Promise.all(sources.map((source) => get(source, ask)));
    const renewals = sources.flatMap((source, index) =>
      Array.from({ length: 3 }, () => source.renew(stale[index] as Token, wish(ask))),
    );
    const results = await clock.run(Promise.all(renewals));
    expect(results.map((result) => tokenOf(result).accessToken)).toEqual(Array(24).fill('B'));
    expect(asked).toBe(2);
    // One that comes late with the old token gets the new one.
    expect(tokenOf(await open().renew(stale[0] as Token, wish(ask))).accessToken).toBe('B');
    expect(asked).toBe(2);
  });

  it('is renewed once even where the server gives the revoked text again', async () => {
    const ask = serve('A');
    const [one, two] = [open(), open()];
    const stale = await get(one, ask);
    await get(two, ask);
    const results = await clock.run(Promise.all([one.renew(stale, wish(ask)), two.renew(stale, wish(ask))]));
    expect(results.map(({ kind }) => kind)).toEqual(['token', 'token']);
    expect(asked).toBe(2);
  });

  it('is not given out any more while its renewal is under way', async () => {
    const ask = serve('A', 'B');
    const source = open();
    const stale = await get(source, ask);
    const renewing = source.renew(stale, wish(ask));
    const meanwhile = source.get(wish(ask));
    expect(tokenOf(await clock.run(meanwhile)).accessToken).toBe('B');
    await renewing;
    expect(asked).toBe(2);
  });

  it('is renewed ahead of its end, at nine tenths of its life', async () => {
    const ask = serve('A', 'B');
    const source = open();
    await get(source, ask);
    await clock.advance(0.9 * LIFE_MS - 2_000);
    expect((await get(source, ask)).accessToken).toBe('A');
    await clock.advance(2_000);
    expect((await get(source, ask)).accessToken).toBe('B');
  });

  it('keeps its first end where asking within its life gives it again', async () => {
    const ask = serve('A', 'A', 'B');
    const source = open();
    const first = await get(source, ask);
    await clock.advance(0.95 * LIFE_MS);
    const again = await get(source, ask);
    expect(again).toMatchObject({ accessToken: 'A', expiresAtMs: first.expiresAtMs });
    await clock.advance(first.expiresAtMs - clock.nowMs());
    expect((await get(source, ask)).accessToken).toBe('B');
  });

  it('serves on to its end while renewing ahead fails, without asking each time', async () => {
    const source = open();
    await get(source, serve('A'));
    await clock.advance(0.92 * LIFE_MS);
    const down = answer({ kind: 'unavailable', message: 'status 500' });
    for (let request = 0; request < 10; request++) expect((await get(source, down)).accessToken).toBe('A');
    expect(asked).toBe(2);
    await clock.advance(0.08 * LIFE_MS);
    expect(await source.get(wish(down))).toMatchObject({ kind: 'unavailable', requests: 1 });
  });

  it.each<[number, TokenAnswer]>([
    [standardTuning.connection.tokenRefusedMs, { kind: 'refused', message: 'invalid_client' }],
    [0, { kind: 'unavailable', message: 'status 503', retryAfterMs: 5_000 }],
  ])('that cannot be had is told as the server says; after %d ms the next asks again: %j', async (silentMs, end) => {
    const source = open();
    expect(await source.get(wish(answer(end)))).toEqual({ ...end, requests: 1 });
    if (silentMs > 0) expect(await source.get(wish(serve('A')))).toEqual({ ...end, requests: 0 });
    await clock.advance(silentMs);
    expect((await get(source, serve('A', 'A'))).accessToken).toBe('A');
  });

  it('is asked for by another once a worker has vanished while asking', async () => {
    void open().get(wish(() => new Promise(() => {})));
    const started = clock.nowMs();
    expect((await get(open(), serve('A'))).accessToken).toBe('A');
    expect(clock.nowMs() - started).toBeGreaterThan(TIMEOUT_MS);
    expect(clock.nowMs() - started).toBeLessThan(5 * TIMEOUT_MS);
  });

  it('is not waited for past the deadline', async () => {
    void open().get(wish(() => new Promise(() => {})));
    const result = await clock.run(open().get(wish(serve('A'), 2_000)));
    expect(result).toMatchObject({ kind: 'later', requests: 0 });
    expect(asked).toBe(0);
  });

  it('frees the lock when asking throws', async () => {
    const source = open();
    const broken: AskForToken = () => Promise.reject(new Error('secret store down'));
    await expect(source.get(wish(broken))).rejects.toThrow('secret store down');
    expect((await get(open(), serve('A'))).accessToken).toBe('A');
    expect(clock.nowMs()).toBe(1_001_000);
  });
});
