import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { type JsonObject, parseJson, stringifyJson } from '../../lib/json/json.ts';
import { beijingTime } from '../../local/sandbox/okki-time.ts';
import { builtInReceipts } from '../../local/sandbox/receipts.ts';
import { startSandbox } from '../../local/sandbox/sandbox.ts';
import { newDir, runJson } from './program.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/okki-receipts-to-qingyiyun.json', import.meta.url));

const asked: string[] = [];
const sandbox = await startSandbox({ onRequest: (line) => void asked.push(line) });
afterAll(sandbox.close);

const dir = newDir();
const run = async () => {
  asked.length = 0;
  const { code, report } = await runJson(['--integration', EXAMPLE, '--data-dir', dir], {
    OKKI_BASE_URL: sandbox.url,
    OKKI_CLIENT_ID: 'test',
    OKKI_CLIENT_SECRET: 'test',
    QINGYIYUN_BASE_URL: sandbox.url,
    QINGYIYUN_TOKEN: 'test',
  });
  expect(code).toBe(0);
  const windows = asked.flatMap((line) => {
    const query = /^GET \/v1\/invoices\/receipt\/list\?(\S+)/.exec(line)?.[1];
    if (query === undefined) return [];
    const params = new URLSearchParams(query);
    return [{ from: params.get('start_time') ?? '', to: params.get('end_time') ?? '' }];
  });
  return { report, windows };
};

test('OKKI receipts: the first run reads all, later ones what changed since, and absence deletes nothing', async () => {
  const { initial } = (parseJson(readFileSync(EXAMPLE, 'utf8')) as { source: { window: { initial: string } } }).source
    .window;
  const all = builtInReceipts.filter(({ removed }) => removed === 0);
  const first = await run();
  expect(first.report).toMatchObject({ status: 'balanced', counts: { fetched: all.length, loaded: all.length } });
  // Every page of a run is asked for the same window, in Beijing time.
  expect(new Set(first.windows.map(({ from, to }) => `${from} ${to}`)).size).toBe(1);
  expect(first.windows[0]?.from).toBe(initial);

  const [changed, ...others] = builtInReceipts;
  const next: JsonObject = { ...changed, company_name: '改名有限公司', update_time: beijingTime(Date.now()) };
  sandbox.setReceipts([next, ...others]);
  const second = await run();
  expect(second.report).toMatchObject({
    status: 'balanced',
    vanished: 0,
    counts: { fetched: 1, enqueued: 1, loaded: 1 },
  });
  // From the end of the first window, less the overlap of ten minutes.
  const [before, after] = [first.windows[0]?.to ?? '', second.windows[0]?.from ?? ''];
  expect(Date.parse(`${before.replace(' ', 'T')}Z`) - Date.parse(`${after.replace(' ', 'T')}Z`)).toBe(600_000);
  const stored = sandbox.records('qingyiyun').find(({ id }) => id === String(next.receipt_id));
  expect(stringifyJson(stored?.content ?? {})).toContain('改名有限公司');
}, 180_000);
