import type { RateLimit } from '../lib/connection/limit/rate-limit.ts';
import { blocksOf } from '../lib/connection/limit/window.ts';
import { mostInWindow } from './limit.ts';
import { atMost, grouped, markdownTable } from './markdown.ts';
import { PRICES_AS_OF } from './prices.ts';
import { type Line, type LineResult, type ModelFaults, runModel } from './waiting-model.ts';

const A_MINUTE: RateLimit = { requests: 60, intervalMs: 60_000 };
const LEAST_USED = { long: 97, short: 95 };
const SHORT_INTERVAL_MS = 10_000;

const textOf = ({ requests, intervalMs, burst }: RateLimit): string =>
  `${requests}/${intervalMs / 1_000}s${burst === undefined ? '' : `, burst ${burst}`}`;

/** How much of the limit was used, %, from the first POST to the last one's share of time. */
const usedPercent = ({ postsMs }: LineResult, limit: RateLimit): number => {
  const inOrder = postsMs.toSorted((a, b) => a - b);
  const spanMs = (inOrder.at(-1) ?? 0) - (inOrder[0] ?? 0);
  const eachMs = limit.intervalMs / limit.requests;
  return (100 * inOrder.length * eachMs) / (spanMs + blocksOf(limit).size * eachMs);
};

type Row = {
  what: string;
  limit: RateLimit;
  records: number;
  isPaced: boolean;
  faults?: ModelFaults;
  mostDollars?: number;
};

const head = [
  'a load',
  'records',
  '$ per million',
  'of the limit',
  'most in any window',
  'deliveries a record',
  'most for one',
];

const rowOf = async ({ what, limit, records, isPaced, faults = {}, mostDollars }: Row): Promise<string[]> => {
  const lines: Line[] = [{ connection: 'slow', limit, records }];
  const { lines: results, dollarsPerMillion } = await runModel({ lines, seed: 1, isPaced, faults });
  const result = results.get('slow');
  if (result === undefined) throw new Error('the model has no such line');
  const used = usedPercent(result, limit);
  const least = limit.intervalMs < SHORT_INTERVAL_MS ? LEAST_USED.short : LEAST_USED.long;
  const isHeld = !isPaced || Object.keys(faults).length > 0 || used >= least;
  return [
    what,
    grouped(records),
    mostDollars === undefined
      ? dollarsPerMillion.toFixed(1)
      : atMost(Number(dollarsPerMillion.toFixed(1)), mostDollars, dollarsPerMillion.toFixed(1)),
    isHeld ? `${used.toFixed(1)} %` : `**${used.toFixed(1)} %, below ${least}**`,
    atMost(
      mostInWindow(
        result.postsMs.toSorted((a, b) => a - b),
        limit.intervalMs,
      ),
      limit.requests,
      `${mostInWindow(
        result.postsMs.toSorted((a, b) => a - b),
        limit.intervalMs,
      )} of ${limit.requests}`,
    ),
    (result.deliveries / records).toFixed(2),
    `${result.mostDeliveries}`,
  ];
};

const paced = (limit: RateLimit, records: number, mostDollars?: number): Row => ({
  what: textOf(limit),
  limit,
  records,
  isPaced: true,
  ...(mostDollars !== undefined && { mostDollars }),
});

const cases: readonly Row[] = [
  paced(A_MINUTE, 2_000, 4.3),
  paced(A_MINUTE, 30_000, 4.3),
  paced(A_MINUTE, 100_000, 4.3),
  { ...paced(A_MINUTE, 2_000), what: '60/60s, all in the queue', isPaced: false },
  { ...paced(A_MINUTE, 10_000), what: '60/60s, all in the queue', isPaced: false },
  ...[1, 5, 10, 30, 60].map((burst) =>
    paced({ ...A_MINUTE, burst }, 10_000, burst === 1 ? 8.5 : burst >= 30 ? 4 : undefined),
  ),
  ...[7, 45, 47, 100, 600].map((requests) => paced({ requests, intervalMs: 60_000 }, requests < 10 ? 2_000 : 10_000)),
  paced({ requests: 1_000, intervalMs: 3_600_000 }, 10_000),
  ...[1, 5, 10, 50].map((requests) => paced({ requests, intervalMs: 1_000 }, 10_000)),
  ...[
    { what: '1 % of the invocations crash', faults: { crashed: 0.01 } },
    { what: '1 % of the messages are lost', faults: { lost: 0.01 } },
    { what: '1 % are delivered twice', faults: { twice: 0.01 } },
  ].map((fault) => ({ ...paced(A_MINUTE, 10_000), ...fault, what: `60/60s, ${fault.what}` })),
];

const FAST: RateLimit = { requests: 600, intervalMs: 60_000 };
const FAST_RECORDS = 600;
const FAST_AFTER_MS = 600_000;

const fast = (startAfterMs: number): Line => ({ connection: 'fast', limit: FAST, records: FAST_RECORDS, startAfterMs });

/** How long the fast line takes, s. */
const secondsOfFast = async (lines: readonly Line[], seed: number): Promise<number> => {
  const { lines: results } = await runModel({ lines, seed, isPaced: true });
  const postsMs = results.get('fast')?.postsMs ?? [];
  const startMs = lines.find(({ connection }) => connection === 'fast')?.startAfterMs ?? 0;
  return (Math.max(...postsMs) - startMs) / 1_000;
};

const besideRow = async (backlog: number): Promise<string[]> => {
  const slow: Line = { connection: 'slow', limit: A_MINUTE, records: backlog };
  const ratios: number[] = [];
  const alone: number[] = [];
  for (const seed of [1, 2, 3, 4, 5]) {
    const aloneSec = await secondsOfFast([fast(FAST_AFTER_MS)], seed);
    alone.push(aloneSec);
    ratios.push((await secondsOfFast([slow, fast(FAST_AFTER_MS)], seed)) / aloneSec);
  }
  const mean = alone.reduce((sum, sec) => sum + sec, 0) / alone.length;
  const worst = Math.max(...ratios);
  return [grouped(backlog), mean.toFixed(0), atMost(worst, 1.2, `${worst.toFixed(2)} ×`)];
};

/**
 * What waiting for a limit costs, how much of it is used, and whether it is ever broken: the real loader and limiter under
 * a clock of the model's own; queue, pollers, latencies and targets are imitated (bench/waiting-model.ts).
 */
export const benchWaiting = async (): Promise<void> => {
  const rows: string[][] = [];
  for (const row of cases) rows.push(await rowOf(row));
  const beside = [await besideRow(10_000)];
  process.stdout.write(
    [
      `Prices: ${PRICES_AS_OF}, with logs.`,
      '',
      markdownTable(head, rows),
      '',
      markdownTable(['records for 60/60s beside', '600 for 600/60s alone, s', 'beside, at worst of 5 seeds'], beside),
      '',
      '',
    ].join('\n'),
  );
};
