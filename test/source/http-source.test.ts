import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpAnswer, HttpRequest } from '../../lib/connection/http.ts';
import { cachedSecrets, type Env } from '../../lib/connection/secrets.ts';
import { sourcePlanOf } from '../../lib/integration/compile/source-plan.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import type { Paging } from '../../lib/integration/schema/source-schema.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { ConfigurationError } from '../../lib/runtime/fault.ts';
import { silentLog } from '../../lib/runtime/log.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { openSource } from '../../lib/source/http-source.ts';
import type { PageResult, PageState } from '../../lib/source/source.ts';
import { type FakeClock, fakeClock } from '../fakes/fake-clock.ts';
import { answered, answeredBytes, type FakeHttp, failed, fakeHttp } from '../fakes/fake-http.ts';
import { memoryRateLimiter } from '../fakes/memory-rate-limiter.ts';
import { memorySecretStore } from '../fakes/memory-secret-store.ts';
import { memoryTokenStore } from '../fakes/memory-token-store.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { type Changes, integrationWith } from '../integration/sample.ts';
import { rows } from './read-all.ts';

const { maxRetries } = standardTuning.source;

/** `{"code":200,"data":[]}` with a name in GBK. */
const GBK_NAME = Buffer.from('{"code":200,"total":0,"name":"\xd6\xd0","data":[]}', 'latin1');
const UNDECLARED = await answeredBytes(200, GBK_NAME);
const UNKNOWN_CHARSET = await answeredBytes(200, GBK_NAME, { 'content-type': 'application/json; charset=x-cn' });
const CUT_PACKED = await answeredBytes(200, gzipSync('{"code":200,"data":[]}').subarray(0, -9), {
  'content-encoding': 'gzip',
});

const context = { nowMs: 0, lastSyncMs: 0 };

const env: Env = { OKKI_BASE_URL: 'http://okki.test', OKKI_CLIENT_ID: 'me', OKKI_CLIENT_SECRET: 'hush' };
const byPage: Paging = {
  kind: 'pageNumber',
  pageParam: 'start_index',
  sizeParam: 'count',
  pageSize: 10,
  firstPage: 1,
  maxPages: 1_000,
};
const HOUR_MS = 3_600_000;

type World = { clock: FakeClock; http: FakeHttp; limiter: ReturnType<typeof memoryRateLimiter> };

const integration = (changes: Changes = {}): Integration =>
  integrationWith('okki-product-groups-to-qingyiyun', {
    'source.rateLimit': undefined,
    'source.paging': byPage,
    ...changes,
  });

const isTokenRequest = ({ url }: HttpRequest) => url.includes('oauth2');

/** A world in which the list's requests, counted from 0, are answered by `answer`; tokens are given at once. */
const worldOf = (answer: (request: HttpRequest, index: number) => HttpAnswer | Promise<HttpAnswer>): World => {
  const clock = fakeClock();
  let lists = 0;
  let tokens = 0;
  const http = fakeHttp((request) =>
    isTokenRequest(request) ? answered(200, { access_token: `token-${++tokens}` }) : answer(request, lists++),
  );
  return { clock, http, limiter: memoryRateLimiter(clock) };
};

const open = ({ clock, http, limiter }: World, changes: Changes = {}, environment: Env = env) =>
  openSource(sourcePlanOf(integration(changes)), {
    http,
    limiter,
    clock,
    tokens: memoryTokenStore(),
    secrets: cachedSecrets(memorySecretStore(), clock, 60_000),
    random: seededRandom(7),
    log: silentLog,
    env: environment,
    tuning: standardTuning,
  });

/** A faithful OKKI list of so many rows. */
const okki =
  (count: number) =>
  ({ url }: HttpRequest): HttpAnswer => {
    const { searchParams } = new URL(url);
    const from = (Number(searchParams.get('start_index')) - 1) * Number(searchParams.get('count'));
    return answered(200, { code: 200, data: rows(count).slice(from, from + Number(searchParams.get('count'))) });
  };

type ListRead = {
  records: JsonValue[];
  requests: number;
  invocations: number;
  warnings: Record<string, number>;
  failure?: Extract<PageResult, { kind: 'failed' }>;
};

/** Reads one page after the other as a run does, invocation after invocation, each of `budgetMs`. */
const readList = async (world: World, budgetMs = HOUR_MS, changes: Changes = {}): Promise<ListRead> => {
  const records: JsonValue[] = [];
  const warnings = new Map<string, number>();
  let requests = 0;
  let invocations = 1;
  let source = open(world, changes);
  let at: PageState | undefined;
  let deadlineMs = world.clock.nowMs() + budgetMs;
  for (;;) {
    const result: PageResult = await world.clock.run(source.readPage(at, deadlineMs, context));
    requests += result.requests;
    for (const { code, count } of result.warnings) warnings.set(code, (warnings.get(code) ?? 0) + count);
    const end = { records, requests, invocations, warnings: Object.fromEntries(warnings) };
    if (result.kind === 'failed') return { ...end, failure: result };
    if (result.kind === 'later') {
      if (invocations > 5_000) throw new Error('no progress');
      invocations += 1;
      await world.clock.advance(Math.max(0, result.retryAtMs - world.clock.nowMs()));
      source = open(world, changes);
      deadlineMs = world.clock.nowMs() + budgetMs;
      continue;
    }
    records.push(...result.records);
    if (result.next === undefined) return end;
    at = JSON.parse(JSON.stringify(result.next)) as PageState;
  }
};

describe('a source over HTTP', () => {
  it('reads page by page with the metadata’s path and the paging’s parameters', async () => {
    const world = worldOf(okki(25));
    expect(await readList(world)).toMatchObject({ records: rows(25), requests: 5, warnings: {} });
    expect(world.http.requests.map(({ url }) => url).slice(0, 3)).toEqual([
      'http://okki.test/v1/oauth2/access_token',
      'http://okki.test/v1/product/groups?start_index=1&count=10',
      'http://okki.test/v1/product/groups?start_index=2&count=10',
    ]);
    expect(world.http.requests[1]?.headers.authorization).toBe('Bearer token-1');
  });

  it('comes through a revoked token, two 429, a dropped connection and a repeated page: all named', async () => {
    const list = okki(45);
    let last = answered(200, { code: 200, data: [] });
    const world = worldOf((request, index) => {
      if (index === 1) return answered(401, {});
      if (index === 3 || index === 4) return answered(429, {}, { 'retry-after': '2' });
      if (index === 6) return failed('reset');
      if (index === 8) return last;
      last = list(request);
      return last;
    });
    const startMs = world.clock.nowMs();
    const reading = await readList(world);
    expect(reading).toMatchObject({
      records: rows(45),
      warnings: { 'token-renewed': 1, 'source-429': 2, 'source-dropped': 1, 'page-repeated': 1 },
    });
    expect(reading.requests).toBe(world.http.requests.length);
    expect(world.clock.nowMs() - startMs).toBeGreaterThanOrEqual(4_000);
  });

  it.each<[name: string, answer: HttpAnswer, code: string, words: RegExp]>([
    ['400', answered(400, { message: 'Invalid query' }), 'source-refused', /status 400 "Invalid query"/],
    ['403', answered(403, 'no'), 'source-refused', /status 403/],
    ['404', answered(404, '<html>'), 'source-refused', /check the base URL and metadata.api/],
    ['a redirect', answered(302, ''), 'source-redirected', /check the base URL/],
    [
      'a business error in 200',
      answered(200, { code: 404, message: 'No Privilege' }),
      'business-error',
      /No Privilege/,
    ],
    ['a wrong shape', answered(200, { code: 200, data: {} }), 'answer-shape', /"data"/],
    ['undeclared GBK', UNDECLARED, 'answer-charset', /no UTF-8.*declare its charset/],
    ['a charset that nobody knows', UNKNOWN_CHARSET, 'answer-charset', /x-cn, which is unknown/],
    ['an answer that is too large', failed('tooLarge', 'larger'), 'answer-too-large', /raise maxAnswerBytes/],
  ])('fails at once on %s', async (_, answer, code, words) => {
    const world = worldOf(() => answer);
    const { failure, requests } = await readList(world);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(words) });
    expect(failure?.message).toMatch(/^GET \/v1\/product\/groups: /);
    expect(requests).toBe(2);
  });

  it.each<[name: string, answer: HttpAnswer, code: string]>([
    ['DNS failure', failed('dns'), 'source-unreachable'],
    ['a refused connection', failed('refused'), 'source-unreachable'],
    ['a reset', failed('reset'), 'source-dropped'],
    ['a time-out', failed('timeout'), 'source-timeout'],
    ['status 500', answered(500, ''), 'source-unavailable'],
    ['status 503 without Retry-After', answered(503, ''), 'source-unavailable'],
    ['an empty answer', answered(200, ''), 'answer-empty'],
    ['a web page', answered(200, '<html>'), 'answer-html'],
    ['a truncated answer', answered(200, '{"data":['), 'answer-truncated'],
    ['text', answered(200, 'hello'), 'answer-not-json'],
    ['packed text that breaks off', CUT_PACKED, 'answer-truncated'],
  ])('outlives %s that passes, and fails on one that stays', async (_, answer, code) => {
    const passing = worldOf((request, index) => (index < maxRetries ? answer : okki(5)(request)));
    expect(await readList(passing)).toMatchObject({ records: rows(5), warnings: { [code]: maxRetries } });
    const staying = worldOf(() => answer);
    const { failure, requests } = await readList(staying);
    expect(failure).toMatchObject({ code, message: expect.stringContaining(`${maxRetries + 1} times in a row`) });
    expect(requests).toBe(1 + maxRetries + 1);
  });

  it('fails where a renewed token is refused as well', async () => {
    const { failure, requests } = await readList(worldOf(() => answered(401, {})));
    expect(failure).toMatchObject({ code: 'token-refused' });
    expect(requests).toBe(4);
  });

  it('fails where no token is given, in the server’s words, without the secret', async () => {
    const world = worldOf(okki(5));
    const refusing = fakeHttp(() => answered(400, { error: 'invalid_client', error_description: 'hush is wrong' }));
    const { failure } = await readList({ ...world, http: refusing });
    expect(failure).toMatchObject({ code: 'token-refused', message: expect.stringContaining('invalid_client') });
    expect(failure?.message).not.toContain('hush');
  });

  it('shows no token that the source quotes in its refusal, in whatever form', async () => {
    const world = worldOf(({ headers }) => {
      const token = headers.authorization?.replace('Bearer ', '') ?? '';
      return answered(200, { code: 40_001, message: `no: ${token} ${Buffer.from(token).toString('base64')}` });
    });
    const { failure } = await readList(world);
    expect(failure).toMatchObject({ code: 'business-error', message: expect.stringContaining('"no: *** ***"') });
  });

  it('shows no secret of its block that the source quotes', async () => {
    const quoting = worldOf(({ url }) => answered(200, { code: 40_001, message: `no: ${url}` }));
    const request = [{ field: 'api_key', value: 'KEY-1234' }];
    const { failure } = await readList(quoting, HOUR_MS, { 'source.metadata.request': request });
    expect(failure?.message).toContain('api_key=***');
  });

  it('outlives a day of 429, whatever Retry-After says, and spends no retry on it', async () => {
    const world = worldOf((request) => {
      const isOver = world.clock.nowMs() - startMs > 24 * HOUR_MS;
      return isOver ? okki(15)(request) : answered(429, '', { 'retry-after': '0' });
    });
    const startMs = world.clock.nowMs();
    const reading = await readList(world, 15 * 60_000);
    expect(reading).toMatchObject({ records: rows(15) });
    // The pauses grow: a source that asks for none is not hammered.
    expect(reading.requests).toBeLessThan(24 * 60 * 2);
  });

  it('spends no retry on waiting: failures after many 429 have all of theirs', async () => {
    const waits = 2 * maxRetries;
    const world = worldOf((request, index) => {
      if (index < waits) return answered(429, '', { 'retry-after': '1' });
      return index < waits + maxRetries ? answered(500) : okki(5)(request);
    });
    expect(await readList(world)).toMatchObject({
      records: rows(5),
      warnings: { 'source-429': waits, 'source-unavailable': maxRetries },
    });
  });

  const throttled = { path: 'code', equals: [42901] };
  it.each<[string, Changes, HttpAnswer]>([
    ['a code in the body', { 'source.answer.throttled': throttled }, answered(200, { code: '42901', message: 'slow' })],
    ['a code beside a refusal', { 'source.answer.throttled': throttled }, answered(400, { code: 42901 })],
    ['403 with Retry-After', {}, answered(403, '', { 'retry-after': '1' })],
    ['403 with nothing remaining', {}, answered(403, '', { 'x-ratelimit-remaining': '0' })],
  ])('spends no retry where the source says "too many" by %s', async (_, changes, answer) => {
    const waits = 2 * maxRetries;
    const world = worldOf((request, index) => (index < waits ? answer : okki(5)(request)));
    expect(await readList(world, HOUR_MS, changes)).toMatchObject({
      records: rows(5),
      warnings: { 'source-throttled': waits },
    });
  });

  it('waits as long as a throttle in the body says', async () => {
    const slow = answered(200, { code: 42901 }, { 'retry-after': '90' });
    const world = worldOf((request, index) => (index === 0 ? slow : okki(5)(request)));
    const startMs = world.clock.nowMs();
    await readList(world, HOUR_MS, { 'source.answer.throttled': throttled });
    expect(world.clock.nowMs() - startMs).toBeGreaterThanOrEqual(90_000);
  });

  it('spends no retry on a token endpoint that says "too many" and not for how long; its pauses grow', async () => {
    const world = worldOf(okki(5));
    let asked = 0;
    const atMs: number[] = [];
    world.http = fakeHttp((request) => {
      if (!isTokenRequest(request)) return okki(5)(request);
      atMs.push(world.clock.nowMs());
      return ++asked <= 12 ? answered(429, '') : answered(200, { access_token: 'late' });
    });
    expect(await readList(world, HOUR_MS)).toMatchObject({ records: rows(5), warnings: { 'token-unavailable': 12 } });
    const pauses = atMs.slice(1).map((at, index) => at - (atMs[index] ?? 0));
    expect(pauses[0]).toBeLessThan(3_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(61_000);
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(30_000);
  });

  it('never waits past the deadline to try again', async () => {
    for (let budgetMs = 300; budgetMs < 6_000; budgetMs += 300) {
      const world = worldOf(() => answered(500));
      const deadlineMs = world.clock.nowMs() + budgetMs;
      const result = await world.clock.run(open(world).readPage(undefined, deadlineMs, context));
      expect(world.clock.nowMs()).toBeLessThanOrEqual(deadlineMs);
      if (result.kind === 'later')
        expect(result.retryAtMs).toBeGreaterThan(deadlineMs - standardTuning.connection.minRequestMs);
      else expect(result.kind).toBe('failed');
    }
  });

  it('holds every worker of the connection while Retry-After lasts', async () => {
    const world = worldOf((request, index) =>
      index === 0 ? answered(429, '', { 'retry-after': '60' }) : okki(5)(request),
    );
    const startMs = world.clock.nowMs();
    const one = open(world).readPage(undefined, startMs + HOUR_MS, context);
    const two = world.clock.sleep(1_000).then(() => open(world).readPage(undefined, startMs + HOUR_MS, context));
    await world.clock.run(Promise.all([one, two]));
    const sent = world.http.requests.filter((request) => !isTokenRequest(request));
    expect(sent).toHaveLength(3);
    expect(world.clock.nowMs() - startMs).toBeGreaterThanOrEqual(60_000);
  });

  it('says how often it was told to wait, and for how long it waited', async () => {
    const world = worldOf((request, index) =>
      index === 0 ? answered(429, '', { 'retry-after': '60' }) : okki(5)(request),
    );
    const result = await world.clock.run(open(world).readPage(undefined, world.clock.nowMs() + HOUR_MS, context));
    expect(result).toMatchObject({ kind: 'page', limits: { throttled: 1, putOff: 0 } });
    expect(result.limits?.heldMs).toBeGreaterThanOrEqual(60_000);
    expect(result.limits?.heldMs).toBeLessThan(61_000);
  });

  it.each([
    ['a lock-out', answered(429, '', { 'retry-after': '300' }), 300_000],
    ['maintenance', answered(503, '', { 'retry-after': '120' }), 120_000],
  ])('puts the page off where %s lasts longer than the invocation', async (_, answer, waitMs) => {
    const world = worldOf(() => answer);
    const startMs = world.clock.nowMs();
    const result = await world.clock.run(open(world).readPage(undefined, startMs + 30_000, context));
    expect(result).toMatchObject({ kind: 'later', requests: 2, limits: { throttled: 1, putOff: 1 } });
    if (result.kind === 'later') expect(result.retryAtMs).toBeGreaterThanOrEqual(startMs + waitMs);
    expect(world.clock.nowMs() - startMs).toBeLessThan(30_000);
  });

  it('never sends above the rate limit, over many invocations, token requests included', async () => {
    const world = worldOf(okki(395));
    const sentMs: number[] = [];
    const http: World['http'] = {
      requests: world.http.requests,
      send: (request) => {
        sentMs.push(world.clock.nowMs());
        return world.http.send(request);
      },
    };
    const limited = { 'source.rateLimit': { requests: 5, intervalMs: 1_000 } };
    const reading = await readList({ ...world, http }, 2_000, limited);
    expect(reading.records).toEqual(rows(395));
    expect(reading.invocations).toBeGreaterThan(2);
    sentMs.slice(5).forEach((ms, index) => {
      expect(ms - (sentMs[index] ?? 0)).toBeGreaterThanOrEqual(1_000);
    });
  });

  it('resumes at any checkpoint: every row once, however short the invocations', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 60 }), fc.integer({ min: 400, max: 5_000 }), async (count, budgetMs) => {
        const world = worldOf(async (request) => {
          await world.clock.sleep(100);
          return okki(count)(request);
        });
        expect(await readList(world, budgetMs)).toMatchObject({ records: rows(count) });
      }),
      { numRuns: 30 },
    );
  });

  it('yields every row or fails with a name, whatever a flaky source does', async () => {
    const trouble = fc.constantFrom<HttpAnswer | undefined>(
      undefined,
      undefined,
      undefined,
      answered(401),
      answered(429, '', { 'retry-after': '1' }),
      answered(500),
      answered(200, '<html>'),
      answered(200, '{"data":[{"id":1'),
      failed('reset'),
      failed('timeout'),
      failed('dns'),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 50 }), fc.array(trouble, { maxLength: 40 }), async (count, troubles) => {
        const world = worldOf((request, index) => troubles[index] ?? okki(count)(request));
        const reading = await readList(world, 60_000);
        if (reading.failure) expect(reading.failure.code).toMatch(/^(token-refused|source-|answer-)/);
        else expect(reading.records).toEqual(rows(count));
        expect(reading.requests).toBe(world.http.requests.length);
      }),
      { numRuns: 200 },
    );
  });

  /** A list of 20 rows that says its total, and answers what lies behind its last page in a way of its own. */
  const endingWith =
    (end: HttpAnswer, total: number | undefined = 20) =>
    ({ url }: HttpRequest): HttpAnswer => {
      const page = Number(new URL(url).searchParams.get('start_index'));
      if (page > 2) return end;
      const said = total === undefined ? {} : { total };
      return answered(200, { code: 200, data: rows(10, (page - 1) * 10 + 1), ...said });
    };

  it.each<[name: string, end: HttpAnswer]>([
    ['204', answered(204, '')],
    ['404', answered(404, { detail: 'Invalid page.' })],
    ['416', answered(416, '')],
    ['a business code', answered(200, { code: 40_404, message: 'no such page' })],
    ['null in place of the list', answered(200, { code: 200, data: null })],
    ['no list', answered(200, { code: 200 })],
    ['an empty object in place of the list', answered(200, { code: 200, data: {} })],
    ['an empty text in place of the list', answered(200, { code: 200, data: '' })],
    ['null as a whole', answered(200, null)],
    ['400', answered(400, { message: 'page out of range' })],
    ['422', answered(422, '')],
  ])('ends where all that was announced is read and the next page is %s', async (_, end) => {
    expect(await readList(worldOf(endingWith(end)))).toMatchObject({ records: rows(20), warnings: {} });
    // A total that is only the length of the page is announced as well.
    const ofThePage = await readList(worldOf(endingWith(end, 10)));
    expect(ofThePage.failure).toBeUndefined();
    expect(ofThePage.records).toEqual(rows(20));
    const isEmpty = end.kind === 'answered' && end.status === 204;
    // As the length of a page it says nothing of the list: the end is said to be unsure.
    expect('end-unsure' in ofThePage.warnings).toBe(!isEmpty);
    // Where more was announced it is a failure; and where nothing was, but for an answer that says that it is empty.
    const unread = await readList(worldOf(endingWith(end, 30)));
    // Not resumed there: the list may have shrunk below that page.
    if (end.kind === 'answered' && end.status !== 204) expect(unread.failure).toMatchObject({ startsOver: true });
    expect(unread.failure).toBeDefined();
    expect((await readList(worldOf(endingWith(end, -1)))).failure === undefined).toBe(isEmpty);
  });

  it.each([
    ['status 500', answered(500, '')],
    ['a time-out', failed('timeout')],
    ['403', answered(403, '')],
    ['an object for the list', answered(200, { code: 200, data: { total: 20 } })],
  ])('fails at %s, though all that was announced is read', async (_, end) => {
    expect((await readList(worldOf(endingWith(end)))).failure).toBeDefined();
  });

  it('takes 204 on the first page for an empty list, and 404 for a failure', async () => {
    expect(await readList(worldOf(() => answered(204, '')))).toMatchObject({ records: [], requests: 2 });
    expect((await readList(worldOf(() => answered(404, '')))).failure).toMatchObject({ code: 'source-refused' });
  });

  it('follows a link with another scheme on the same host under its own', async () => {
    const world = worldOf((_, index) =>
      index === 0
        ? answered(200, [{ id: 1 }], { link: '<https://okki.test/v1/product/groups?page=2>; rel="next"' })
        : answered(200, [{ id: 2 }]),
    );
    const changes = { 'source.paging': { kind: 'nextLink', in: 'header' } };
    expect(await readList(world, HOUR_MS, changes)).toMatchObject({ records: [{ id: 1 }, { id: 2 }] });
    expect(world.http.requests.at(-1)?.url).toBe('http://okki.test/v1/product/groups?page=2');
  });

  it('gives {{PAGINATION_START_PAGE}} the number that the file begins with', async () => {
    const world = worldOf(() => answered(200, { code: 200, data: [] }));
    const request = [{ field: 'where', value: 'page {{PAGINATION_START_PAGE}}' }];
    await readList(world, HOUR_MS, { 'source.metadata.request': request, 'source.paging.firstPage': 0 });
    expect(world.http.requests.at(-1)?.url).toContain('where=page+0&start_index=0');
  });

  it('names a checkpoint of another paging', async () => {
    const world = worldOf(okki(5));
    const result = await open(world).readPage({ kind: 'offset', pages: 1, seen: 10, position: 10 }, HOUR_MS, context);
    expect(result).toMatchObject({ kind: 'failed', code: 'checkpoint-unfit', requests: 0 });
  });

  it('does not follow a link to another host', async () => {
    const header = { link: '<http://evil.test/list>; rel="next"' };
    const world = worldOf(() => answered(200, [{ id: 1 }], header));
    const changes = { 'source.paging': { kind: 'nextLink', in: 'header' } };
    expect((await readList(world, HOUR_MS, changes)).failure).toMatchObject({ code: 'link-foreign' });
    expect(world.http.requests.every(({ url }) => url.startsWith('http://okki.test/'))).toBe(true);
  });

  it('shows neither query, token nor body in what it says', async () => {
    const world = worldOf(() => answered(200, '<html>hidden token-1'));
    const { failure, warnings } = await readList(world);
    expect(JSON.stringify([failure, warnings])).not.toMatch(/hidden|token-1|start_index|hush/);
  });

  it.each([
    ['a missing variable', {}, { OKKI_BASE_URL: 'http://okki.test' }, /OKKI_CLIENT_ID/],
    ['a rate limit that is none', { 'source.rateLimit': { env: 'LIMIT' } }, { ...env, LIMIT: '60/min' }, /LIMIT/],
  ])('is not opened with %s', (_, changes, environment, words) => {
    const opening = () => open(worldOf(okki(5)), changes, environment);
    expect(opening).toThrow(ConfigurationError);
    expect(opening).toThrow(words);
  });
});
