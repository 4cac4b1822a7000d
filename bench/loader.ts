import { cpus, loadavg } from 'node:os';
import { DYNAMO_MS, type LatencyServers, startLatencyServers, TARGET_MS } from './latency-servers.ts';
import { bareCalls } from './loader-bare.ts';
import { type LoaderBatch, loaderBatch } from './loader-batch.ts';
import type { Loader } from './loader-contract.ts';
import { okkiLoader } from './loader-okki.ts';
import { powertoolsHandler } from './loader-powertools.ts';
import { sequentialLoop } from './loader-sequential.ts';
import { markdownTable } from './markdown.ts';

const RECORDS = 20;
/** One after the other, as a warm worker takes them from a queue that is not empty. */
const BATCHES_PER_TURN = 5;
/** The first one warms up and is not counted. */
const TURNS = 6;
const BATCHES = (TURNS - 1) * BATCHES_PER_TURN;

/** The loaders that are compared, doing the same job on servers of their own. */
const loaders: readonly Loader[] = [
  okkiLoader({ concurrency: 4 }),
  bareCalls({ concurrency: 4 }),
  powertoolsHandler({ concurrency: 4 }),
  okkiLoader({ concurrency: 4, rateLimit: '1000/1s' }),
  okkiLoader({ concurrency: RECORDS }),
  bareCalls({ concurrency: RECORDS }),
  powertoolsHandler({ concurrency: RECORDS }),
  sequentialLoop,
];

type Series = {
  loader: Loader;
  servers: LatencyServers;
  load(batch: LoaderBatch): Promise<void>;
  close(): void;
  timesMs: number[];
  cpuMs: number;
};

/** Wall time per batch, CPU time and requests per record: medians over batches of new records, as Markdown on stdout. */
export const benchLoader = async (): Promise<void> => {
  const series = await Promise.all(loaders.map(open));
  try {
    // In turns, so that other work on the machine falls on all of them alike.
    for (let turn = 0; turn < TURNS; turn++) {
      for (const one of series) await takeTurn(one, turn);
    }
    const rows: string[][] = [];
    const firstMs = median(series[0]?.timesMs ?? []);
    for (const { loader, servers, timesMs, cpuMs } of series) {
      const total = RECORDS * timesMs.length;
      const { posts, reads, writes } = await servers.take();
      if (posts !== total) throw new Error(`${loader.name} sent ${posts} POSTs for ${total} records`);
      const medianMs = median(timesMs);
      const idealMs = loader.idealMs(RECORDS);
      rows.push([
        loader.name,
        ...[medianMs, idealMs].map((ms) => ms.toFixed(0)),
        ...[medianMs / idealMs, medianMs / firstMs, cpuMs / total, reads / total, writes / total].map((n) =>
          n.toFixed(2),
        ),
      ]);
    }
    const head = [
      `${RECORDS} new records a batch`,
      'ms a batch',
      'ideal ms',
      'ratio',
      'to row 1',
      'CPU ms',
      'reads',
      'writes',
    ];
    process.stdout.write(`${setting()}\n\n${markdownTable(head, rows)}\n\n`);
  } finally {
    for (const one of series) one.close();
  }
};

const setting = (): string =>
  [
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, load average ${loadavg()[0]?.toFixed(1)}.`,
    `Injected: DynamoDB ${DYNAMO_MS} ms, target ${TARGET_MS} ms. Medians of ${BATCHES} batches, ${BATCHES_PER_TURN} at each turn, after a turn to`,
    'warm up. CPU, reads and writes are per record; one POST per record each.',
  ].join('\n');

const open = async (loader: Loader): Promise<Series> => {
  const servers = await startLatencyServers(loader.tables);
  const { load, close } = await loader.open(servers);
  const closeBoth = () => {
    close();
    servers.close();
  };
  return { loader, servers, load, close: closeBoth, timesMs: [], cpuMs: 0 };
};

const takeTurn = async (series: Series, turn: number): Promise<void> => {
  if (turn === 1) await series.servers.take();
  for (let index = 0; index < BATCHES_PER_TURN; index++) {
    const batch = loaderBatch((turn * BATCHES_PER_TURN + index) * RECORDS, RECORDS);
    const cpuBefore = process.cpuUsage();
    const beganMs = performance.now();
    await series.load(batch);
    if (turn === 0) continue;
    series.timesMs.push(performance.now() - beganMs);
    const { user, system } = process.cpuUsage(cpuBefore);
    series.cpuMs += (user + system) / 1000;
  }
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
