import { describe, type TestContext, test } from 'vitest';
import { type JsonObject, type JsonValue, parseJson, stringifyJson } from '../../lib/json/json.ts';
import { beijingTime } from '../../local/sandbox/okki-time.ts';
import { type Answer, type HttpServer, type Request, startHttpServer } from './http-server.ts';
import { newDir, nonZero, program, runJson } from './program.ts';

type Recorded = HttpServer & { requests: Request[] };

const recorded = async (answer: (request: Request, n: number) => JsonValue | Answer): Promise<Recorded> => {
  const requests: Request[] = [];
  const server = await startHttpServer((request) => {
    requests.push(request);
    const given = answer(request, requests.length);
    return typeof given === 'object' && given !== null && 'text' in given && typeof given.text === 'string'
      ? (given as Answer)
      : { text: stringifyJson(given as JsonValue) };
  });
  return { ...server, requests };
};

const untilEnd = ({ onTestFinished }: TestContext, ...servers: HttpServer[]) =>
  onTestFinished(async () => {
    await Promise.all(servers.map((server) => server.close()));
  });

const bodyOf = ({ body }: Request): JsonObject => parseJson(body) as JsonObject;

/** A Beijing time as `YYYY-MM-DD HH:MM:SS` in ms. */
const beijingMs = (text: string): number => Date.parse(`${text.replace(' ', 'T')}+08:00`);

describe.concurrent('exports as they were pasted, against servers of the test', { timeout: 120_000 }, () => {
  test('receipts: GET by start_index, in a window of time that moves on: later runs read what changed since, and delete nothing', async (context) => {
    const { expect } = context;
    const receipts = Array.from(
      { length: 25 },
      (_, n): JsonObject => ({
        cash_collection_id: 812_252_963_824_298_001n + BigInt(n),
        cash_collection_no: `HK${n}`,
        company_name: `客户${n}`,
        amount: (n + 0.5).toFixed(2),
        create_time: '2026-02-03 04:05:06',
        update_time: '2026-02-03 04:05:06',
      }),
    );
    const source = await recorded(({ path, query }) => {
      if (path === '/v1/oauth2/access_token') return { token_type: 'Bearer', access_token: 't', expires_in: 28_800 };
      const size = Number(query.get('count'));
      const from = (Number(query.get('start_index')) - 1) * size;
      const isAsked = ({ update_time }: JsonObject) =>
        String(update_time) >= (query.get('start_time') ?? '') && String(update_time) <= (query.get('end_time') ?? '');
      const asked = receipts.filter(isAsked);
      return {
        code: 200,
        message: 'ok',
        data: { list: asked.slice(from, from + size), totalItem: String(asked.length) },
      };
    });
    const target = await recorded(() => ({ success: true, code: 0, message: 'ok', content: null }));
    untilEnd(context, source, target);
    const env = {
      OKKI_BASE_URL: source.url,
      OKKI_CLIENT_ID: 'me',
      OKKI_CLIENT_SECRET: 'hush',
      QINGYIYUN_BASE_URL: target.url,
    };
    const args = ['--integration', 'examples/okki-receipts-to-qingyiyun.json', '--data-dir', newDir()];
    const first = await runJson(args, env);
    expect(nonZero(first.report.counts), first.stderr).toEqual({ fetched: 25, enqueued: 25, loaded: 25 });
    expect({ code: first.code, balanced: first.report.balanced }).toEqual({ code: 0, balanced: true });

    const lists = source.requests.filter(({ path }) => path.endsWith('/receipt/list')).map(({ query }) => query);
    expect(lists.map((query) => [query.get('start_index'), query.get('count'), query.get('removed')])).toEqual([
      ['1', '10', '0'],
      ['2', '10', '0'],
      ['3', '10', '0'],
    ]);
    expect(new Set(lists.map((query) => query.get('start_time')))).toEqual(new Set(['2026-01-01 00:00:00']));
    expect(new Set(lists.map((query) => query.get('end_time'))).size).toBe(1);
    const firstEndMs = beijingMs(lists[0]?.get('end_time') ?? '');
    expect(Math.abs(Date.now() - firstEndMs)).toBeLessThan(60_000);
    const sent = target.requests.map(bodyOf).find(({ number }) => number === 'HK3');
    expect(sent).toEqual({
      id: '812252963824298004',
      number: 'HK3',
      编码: '客户3',
      amount: 3.5,
      created: '2026-02-03 04:05:06',
    });
    expect(target.requests.every(({ path }) => path === '/execute')).toBe(true);

    // Of what changed since, the rest is no longer told of: it is not taken for deleted.
    receipts[3] = { ...receipts[3], company_name: '改名有限公司', update_time: beijingTime(Date.now()) };
    source.requests.length = 0;
    target.requests.length = 0;
    const second = await runJson(args, env);
    expect(nonZero(second.report.counts), second.stderr).toEqual({ fetched: 1, enqueued: 1, loaded: 1 });
    expect(second.report).toMatchObject({ status: 'balanced', vanished: 0 });
    expect(target.requests.map(bodyOf)).toMatchObject([{ number: 'HK3', 编码: '改名有限公司' }]);
    const again = source.requests.find(({ path }) => path.endsWith('/receipt/list'))?.query;
    // Where the first window ended, less the overlap of ten minutes.
    expect(beijingMs(again?.get('start_time') ?? '')).toBe(firstEndMs - 600_000);
  });

  test('supplier query: POST, paged by rows, its adapter parameters and rows of values by the profile', async (context) => {
    const { expect } = context;
    const suppliers = Array.from({ length: 230 }, (_, n): JsonValue => [String(100_000 + n), `VEN${n}`]);
    const source = await recorded((request) => {
      const { data } = bodyOf(request) as { data: { StartRow: number; Limit: number } };
      return { status: 'ok', rows: suppliers.slice(data.StartRow, data.StartRow + data.Limit) };
    });
    const target = await recorded(() => ({ code: 0 }));
    untilEnd(context, source, target);
    const { report, code } = await runJson(
      ['--integration', 'examples/suppliers-to-crm.json', '--data-dir', newDir()],
      { BILLS_BASE_URL: source.url, BILLS_TOKEN: 'bills', CRM_BASE_URL: target.url },
    );
    expect(nonZero(report.counts)).toEqual({ fetched: 230, enqueued: 230, loaded: 230 });
    expect(code).toBe(0);
    expect(source.requests.every(({ path, method }) => `${method} ${path}` === 'POST /bill/query')).toBe(true);
    expect(source.requests.map((request) => (bodyOf(request).data as JsonObject).StartRow)).toEqual([0, 100, 200, 230]);
    expect(bodyOf(source.requests[0] as Request)).toEqual({
      data: {
        FieldKeys: 'FSupplierId,FNumber',
        FormId: 'BD_Supplier',
        FilterString: "FAuditDate > '2026-01-01 00:00:00'",
        StartRow: 0,
        Limit: 100,
      },
    });
    expect(target.requests.map(bodyOf)).toContainEqual({ id: 100_229, code: 'VEN229' });
  });

  test('batchSave: rows under their key, with the list of each record and an answer row by row', async (context) => {
    const { expect } = context;
    const payment = (id: number, status = 'approved'): JsonObject => ({
      id,
      no: `PAY${id}`,
      status,
      lines: [
        { purpose: 'SFKYT01', qty: 3, price: 0.1 },
        { purpose: 'SFKYT02', qty: 1, price: 20 },
      ],
    });
    const payments = [payment(1), payment(2, 'draft'), payment(3), payment(4), payment(5)];
    const source = await recorded(({ query }) => {
      const size = Number(query.get('page_size'));
      const from = (Number(query.get('page_index')) - 1) * size;
      return { code: 0, data: { items: payments.slice(from, from + size), total: payments.length } };
    });
    const target = await recorded((request) => {
      const { array } = bodyOf(request) as { array: JsonObject[] };
      const results = array.map(
        ({ FBillNo }, index): JsonObject =>
          FBillNo === 'PAY4' ? { index, ok: false, message: '币别不存在' } : { index, ok: true },
      );
      return { results };
    });
    untilEnd(context, source, target);
    const dataDir = newDir();
    const env = { PAYMENTS_BASE_URL: source.url, BILLS_BASE_URL: target.url, BILLS_TOKEN: 'bills' };
    const args = ['--integration', 'examples/payments-to-batch-save.json', '--data-dir', dataDir];
    const { report, code } = await runJson(args, env);
    expect(nonZero(report.counts)).toEqual({ fetched: 5, filtered: 1, enqueued: 4, loaded: 3, rejected: 1 });
    expect({ code, balanced: report.balanced, deadLetters: report.deadLetters }).toEqual({
      code: 1,
      balanced: true,
      deadLetters: 1,
    });
    expect(bodyOf(target.requests.find(({ body }) => body.includes('PAY1')) as Request)).toEqual({
      array: [
        {
          FCURRENCYID: 'PRE001',
          FBillTypeID: 'FKDLX01_SYS',
          FBillNo: 'PAY1',
          FPAYBILLENTRY: [
            { FPURPOSEID: { FNUMBER: 'SFKYT01' }, FPAYAMOUNTFOR: 0.3 },
            { FPURPOSEID: { FNUMBER: 'SFKYT02' }, FPAYAMOUNTFOR: 20 },
          ],
        },
      ],
    });
    const { stdout } = await program(['dlq', 'list', '--data-dir', dataDir]);
    expect(stdout).toContain('币别不存在');
  });
});
