import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { atMost, grouped, markdownTable } from './markdown.ts';
import type { ScaleResult } from './scale-run.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('./scale-run.ts', import.meta.url));
const SIZES = [100_000, 500_000, 1_000_000];
const MAX_MEGABYTES = 512;
const MAX_GROWTH = 2.2;
/** As in a process that has no more: without a bound V8 lets garbage pile up where there is room, more on a busy machine. */
const HEAP_MEGABYTES = 384;

const measureOnce = async (records: number, kind: string): Promise<ScaleResult> => {
  const { stdout } = await run(process.execPath, [
    `--max-old-space-size=${HEAP_MEGABYTES}`,
    SCRIPT,
    String(records),
    kind,
  ]);
  return JSON.parse(stdout) as ScaleResult;
};

/** The quicker of two runs, since other work on the machine can only add; with the higher of the two peaks. */
const measure = async (records: number, kind: string): Promise<ScaleResult> => {
  const [one, other] = [await measureOnce(records, kind), await measureOnce(records, kind)];
  const quicker = one.processorSeconds <= other.processorSeconds ? one : other;
  return { ...quicker, peakMegabytes: Math.max(one.peakMegabytes, other.peakMegabytes) };
};

/** Time and peak memory of whole runs on faked stores, by the number of records; each in a process of its own. */
export const benchScale = async (): Promise<string> => {
  const rows: string[][] = [];
  for (const kind of ['unchanged', 'all new']) {
    let halfSeconds: number | undefined;
    for (const records of SIZES) {
      const { seconds, processorSeconds, peakMegabytes, fetched, unchanged, messages } = await measure(records, kind);
      if (fetched !== records) throw new Error(`${fetched} of ${records} records were fetched`);
      const growth = records === SIZES.at(-1) && halfSeconds !== undefined ? processorSeconds / halfSeconds : undefined;
      halfSeconds = processorSeconds;
      rows.push([
        kind,
        grouped(records),
        grouped(unchanged),
        grouped(messages),
        seconds.toFixed(1),
        processorSeconds.toFixed(1),
        growth === undefined ? '' : atMost(growth, MAX_GROWTH, `${growth.toFixed(2)} ×`),
        atMost(peakMegabytes, MAX_MEGABYTES, `${Math.round(peakMegabytes)} MB`),
      ]);
    }
  }
  return markdownTable(
    [
      'case',
      'records',
      'unchanged',
      'messages',
      'seconds',
      'processor seconds',
      'processor time for 2 × records',
      'peak memory',
    ],
    rows,
  );
};
