import { afterEach, describe, expect, it } from 'vitest';
import { kyHttp } from '../../lib/connection/ky-http.ts';
import { cachedSecrets } from '../../lib/connection/secrets.ts';
import { sourcePlanOf } from '../../lib/integration/compile/source-plan.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { defined } from '../../lib/runtime/defined.ts';
import { silentLog } from '../../lib/runtime/log.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { openSource } from '../../lib/source/http-source.ts';
import type { PageState } from '../../lib/source/source.ts';
import { parseFault, type Sandbox, startSandbox } from '../../local/sandbox/sandbox.ts';
import { hastyClock } from '../fakes/fake-clock.ts';
import { memoryRateLimiter } from '../fakes/memory-rate-limiter.ts';
import { memorySecretStore } from '../fakes/memory-secret-store.ts';
import { memoryTokenStore } from '../fakes/memory-token-store.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { type Changes, integrationWith } from '../integration/sample.ts';
import { startHttpServer } from '../journey/http-server.ts';
import {
  groups as fewGroups,
  isListRequest,
  isTokenRequest,
  type OwnSourceOptions,
  startOwnSource,
} from '../journey/own-source.ts';

const GROUPS = 240;
const PAGE_SIZE = 50;
const groups = Array.from({ length: GROUPS }, (_, index) => ({ id: 5_203_300_000 + index, name: `分组${index}` }));
const receipts = groups.map(({ id }) => ({ id, receipt_no: `R${id}` }));

let sandbox: Sandbox | undefined;
afterEach(() => sandbox?.close());

/** Reads the list at `url` to its end; what is waited for between tries takes no time. */
const readList = async (url: string, changes: Changes = {}) => {
  const clock = hastyClock();
  const integration = integrationWith('okki-product-groups-to-qingyiyun', {
    'source.rateLimit': undefined,
    'source.paging.pageSize': PAGE_SIZE,
    ...changes,
  });
  const source = openSource(sourcePlanOf(integration), {
    http: kyHttp,
    limiter: memoryRateLimiter(clock),
    tokens: memoryTokenStore(),
    secrets: cachedSecrets(memorySecretStore(), clock, 60_000),
    clock,
    random: seededRandom(1),
    log: silentLog,
    env: { OKKI_BASE_URL: url, OKKI_CLIENT_ID: 'me', OKKI_CLIENT_SECRET: 'hush' },
    tuning: standardTuning,
  });
  const records: JsonValue[] = [];
  const warnings = new Set<string>();
  let at: PageState | undefined;
  for (;;) {
    const nowMs = clock.nowMs();
    const result = await source.readPage(at, nowMs + 120_000, { nowMs, lastSyncMs: 0 });
    for (const { code } of result.warnings) warnings.add(code);
    if (result.kind === 'failed') return { end: result.code, message: result.message, records, warnings };
    if (result.kind !== 'page') return { end: 'later', message: '', records, warnings };
    records.push(...result.records);
    if (result.next === undefined) return { end: 'complete', message: '', records, warnings };
    at = result.next;
  }
};

/** Reads the sandbox's whole list under these faults. */
const readSandbox = async (faults: readonly string[], changes: Changes = {}) => {
  sandbox = await startSandbox({ groups, receipts, faults: faults.map(parseFault) });
  return readList(sandbox.url, changes);
};

const idsOf = (records: readonly JsonValue[]): Set<string> =>
  new Set(records.map((record) => String((record as { id: JsonValue }).id)));

const receiptList: Changes = {
  'source.metadata.api': '/v1/invoices/receipt/list',
  'source.answer.records': 'data.list',
};

describe('a source over HTTP, on the sandbox', () => {
  it.each<[faults: string[], warnings: string[]]>([
    [[], []],
    [['code-zero'], []],
    [['bare-array'], []],
    [['no-expires-in'], []],
    [['paging-ignored'], ['page-repeated', 'paging-ignored']],
    [['token-revoked:after=2'], ['token-renewed']],
    [['source-429:times=2:retryAfter=1'], ['source-429']],
    [['source-429:times=1'], ['source-429']],
    [['source-500:times=2:after=1'], ['source-unavailable']],
    [['source-drop:times=1:after=1'], ['source-dropped']],
    [['source-drop:times=1:when=start'], ['source-dropped']],
    [['source-html:times=1'], ['answer-html']],
    [['source-truncated:times=1'], ['answer-truncated']],
    [['source-empty:times=1'], ['answer-empty']],
    [['page-repeated'], ['page-repeated']],
    [['page-repeated:page=4:times=2'], ['page-repeated']],
    [
      [
        'token-revoked:after=1',
        'source-429:times=2:retryAfter=1',
        'source-drop:times=1:after=3',
        'page-repeated:page=3',
      ],
      ['token-renewed', 'source-429', 'source-dropped', 'page-repeated'],
    ],
  ])('reads every group once under %j', async (faults, warnings) => {
    const reading = await readSandbox(faults);
    expect(reading.end).toBe('complete');
    expect(reading.records).toHaveLength(GROUPS);
    expect(idsOf(reading.records).size).toBe(GROUPS);
    expect(reading.warnings).toEqual(new Set(warnings));
  });

  it.each<[faults: string[], end: string]>([
    [['source-business-error'], 'business-error'],
    [['source-wrong-shape'], 'answer-shape'],
    [['huge'], 'answer-too-large'],
    [['token-refused'], 'token-refused'],
    [['source-500:status=403'], 'source-refused'],
    [['page-repeated:page=3:times=99'], 'page-repeated'],
  ])('fails with a name under %j', async (faults, end) => {
    expect(await readSandbox(faults)).toMatchObject({ end });
  });

  it.each<[faults: string[], warnings: string[]]>([
    [[], []],
    [['total-form:key=count:as=string'], []],
    [['total-drift'], ['total-changed', 'total-mismatch']],
    [['page-overlap:rows=3'], ['pages-overlap', 'total-mismatch']],
    [['paging-ignored'], ['page-repeated', 'paging-ignored']],
  ])('reads every row of a list with a total under %j', async (faults, warnings) => {
    const reading = await readSandbox(faults, receiptList);
    expect(reading.end).toBe('complete');
    expect(idsOf(reading.records).size).toBe(GROUPS);
    expect(reading.warnings).toEqual(new Set(warnings));
  });
});

type Bad = {
  source: string;
  instead: OwnSourceOptions['instead'];
  /** What must be said of it, as a person would look for it. */
  says: RegExp;
};

const onList =
  (answer: NonNullable<ReturnType<NonNullable<OwnSourceOptions['instead']>>>): OwnSourceOptions['instead'] =>
  (request) =>
    isListRequest(request) ? answer : undefined;

const HUGE_BYTES = 21 * 1024 * 1024;

describe('a source that cannot be read is told of in words: ', () => {
  it.each<Bad>([
    {
      source: 'an HTML page',
      instead: onList({ text: '<html><body>维护中</body></html>', headers: { 'content-type': 'text/html' } }),
      says: /product\/groups.*(HTML|not JSON)/i,
    },
    { source: 'text that is no JSON', instead: onList({ text: 'hello' }), says: /product\/groups.*not JSON/i },
    { source: 'JSON of another shape', instead: onList({ text: '{"rows":[1]}' }), says: /product\/groups.*data/ },
    { source: 'an empty answer', instead: onList({ text: '' }), says: /product\/groups.*no body/i },
    { source: 'half an answer', instead: onList({ text: '{"code":200,"data":[{"id":1}]}', cut: true }), says: /broke/ },
    {
      source: 'an answer past the size limit',
      instead: onList({ text: `{"code":200,"data":["${'x'.repeat(HUGE_BYTES)}"]}` }),
      says: /larger than allowed/,
    },
    {
      source: 'a business error inside HTTP 200',
      instead: onList({ text: '{"code":404,"message":"No Privilege"}' }),
      says: /No Privilege/,
    },
    { source: '401 for ever', instead: onList({ status: 401, text: '{"message":"expired"}' }), says: /401/ },
    {
      source: 'a token that is refused',
      instead: (request) =>
        isTokenRequest(request)
          ? { status: 400, text: '{"error":"invalid_client","error_description":"client_id 不存在"}' }
          : undefined,
      says: /invalid_client/,
    },
  ])('$source', async ({ instead, says }) => {
    const source = await startOwnSource({ rows: fewGroups(3), ...defined({ instead }) });
    const { end, message, records } = await readList(source.url).finally(source.close);
    expect(end).not.toBe('complete');
    expect(message).toMatch(says);
    expect(records).toEqual([]);
  });

  it('nobody listens there', async () => {
    const gone = await startHttpServer(() => 'drop');
    await gone.close();
    expect((await readList(gone.url)).message).toMatch(/connection was refused/);
  });
});
