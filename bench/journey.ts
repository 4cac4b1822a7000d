import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { JourneyCost } from './journey-run.ts';
import { grouped, markdownTable } from './markdown.ts';

const SCRIPT = fileURLToPath(new URL('./journey-run.ts', import.meta.url));
const DEFAULT_SIZES = ['1000', '10000'];

/** The parts of the run's own report (`okki-sync run --json`) that are looked at. */
type Report = { counts: { loaded: number }; balanced: boolean; durationMs: number };

const measure = async (records: number): Promise<{ report: Report; cost: JourneyCost }> => {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, String(records)], { maxBuffer: 2 ** 26 });
  const [report = '', cost = ''] = stdout.trim().split('\n');
  return { report: JSON.parse(report), cost: JSON.parse(cost) };
};

/** Whole journeys on the embedded stack, as `npm start` makes them, by the number of new records. */
export const benchJourney = async (args: readonly string[]): Promise<void> => {
  const sizes = (args.length > 0 ? args : DEFAULT_SIZES).map(Number);
  if (!sizes.every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw new Error(`sizes must be whole numbers: ${args.join(' ')}`);
  }
  const rows: string[][] = [];
  let before: { records: number; seconds: number } | undefined;
  for (const records of sizes) {
    const { report, cost } = await measure(records);
    const { counts, balanced, durationMs } = report;
    if (cost.exitCode !== 0 || !balanced || counts.loaded !== records) {
      throw new Error(`the journey of ${records} records ended with ${counts.loaded} loaded`);
    }
    const seconds = durationMs / 1000;
    rows.push([
      grouped(records),
      seconds.toFixed(1),
      grouped(Math.round(records / seconds)),
      before === undefined ? '' : (seconds / before.seconds / (records / before.records)).toFixed(2),
      ((cost.processorSeconds * 1000) / records).toFixed(2),
      `${Math.round(cost.peakMegabytes)} MB`,
    ]);
    before = { records, seconds };
  }
  const head = ['new records', 'seconds', 'records/s', 'time per record, to the row above', 'CPU ms a record', 'peak'];
  process.stdout.write(`${markdownTable(head, rows)}\n\n`);
};
