import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { atMost, grouped, markdownTable } from './markdown.ts';
import type { ReconcileResult } from './reconcile-run.ts';
import type { ScaleResult } from './scale-run.ts';

const run = promisify(execFile);
const SIZES = [100_000, 500_000, 1_000_000];
/** Half of the function's memory (memorySize in serverless.yml), and three quarters where no source is read. */
const MAX_FETCH_MEGABYTES = 512;
const MAX_RECONCILE_MEGABYTES = 768;
const MAX_GROWTH = 2.2;
/** The heap is bounded, as in Lambda. Unbounded, V8 lets garbage pile up wherever there is room. */
const HEAP_MEGABYTES = 384;

type Spent = { seconds: number; processorSeconds: number; peakMegabytes: number };

const measureOnce = async <Result extends Spent>(script: string, args: readonly string[]): Promise<Result> => {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { stdout } = await run(process.execPath, [`--max-old-space-size=${HEAP_MEGABYTES}`, path, ...args]);
  return JSON.parse(stdout) as Result;
};

/** The quicker of two runs, since other work on the machine can only add; with the higher of the two peaks. */
const measure = async <Result extends Spent>(script: string, records: number, kind: string): Promise<Result> => {
  const args = [String(records), kind];
  const [one, other] = [await measureOnce<Result>(script, args), await measureOnce<Result>(script, args)];
  const quicker = one.processorSeconds <= other.processorSeconds ? one : other;
  return { ...quicker, peakMegabytes: Math.max(one.peakMegabytes, other.peakMegabytes) };
};

/** The columns for so many records, beside those for half of them. */
const spentColumns = (
  { seconds, processorSeconds, peakMegabytes }: Spent,
  half: Spent | undefined,
  maxMegabytes: number,
) => {
  const growth = half && processorSeconds / half.processorSeconds;
  return [
    seconds.toFixed(1),
    processorSeconds.toFixed(1),
    growth === undefined ? '' : atMost(growth, MAX_GROWTH, `${growth.toFixed(2)} ×`),
    atMost(peakMegabytes, maxMegabytes, `${Math.round(peakMegabytes)} MB`),
  ];
};

const spentHead = ['seconds', 'processor seconds', 'processor time for 2 × records', 'peak memory'];

/** Time and peak memory of whole runs on faked stores, by the number of records; each in a process of its own. */
export const benchScale = async (): Promise<string> => {
  const rows: string[][] = [];
  for (const kind of ['unchanged', 'all new']) {
    const measured = new Map<number, ScaleResult>();
    for (const records of SIZES) {
      const result = await measure<ScaleResult>('./scale-run.ts', records, kind);
      const { fetched, unchanged, messages } = result;
      if (fetched !== records) throw new Error(`${fetched} of ${records} records were fetched`);
      measured.set(records, result);
      const spent = spentColumns(result, measured.get(records / 2), MAX_FETCH_MEGABYTES);
      rows.push([kind, grouped(records), grouped(unchanged), grouped(messages), ...spent]);
    }
  }
  return markdownTable(['case', 'records', 'unchanged', 'messages', ...spentHead], rows);
};

/** The same of reconciling one run of so many records, none of which is open. */
export const benchReconcile = async (): Promise<void> => {
  const rows: string[][] = [];
  for (const kind of ['loaded', 'refused']) {
    const measured = new Map<number, ReconcileResult>();
    for (const records of SIZES) {
      const result = await measure<ReconcileResult>('./reconcile-run.ts', records, kind);
      if (result.settled !== records) throw new Error(`${result.settled} of ${records} records were settled`);
      measured.set(records, result);
      rows.push([kind, grouped(records), ...spentColumns(result, measured.get(records / 2), MAX_RECONCILE_MEGABYTES)]);
    }
  }
  process.stdout.write(`${markdownTable(['all records', 'records', ...spentHead], rows)}\n\n`);
};
