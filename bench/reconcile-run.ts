// One reconciliation in a process of its own, so that its peak memory is nobody else's: `reconcile-run.ts RECORDS CASE`.

import { hash } from 'node:crypto';
import { HASH_CHARACTERS } from '../lib/idcheck/hash.ts';
import type { IdCheck, IdStore } from '../lib/idcheck/item.ts';
import { noExtractCounts, noLoadCounts } from '../lib/runs/books.ts';
import type { LedgerEntry } from '../lib/runs/ledger.ts';
import { reconcile } from '../lib/runs/reconcile.ts';
import type { ExtractedRun } from '../lib/runs/record.ts';
import type { RunStore } from '../lib/runs/store.ts';
import { systemClock } from '../lib/runtime/clock.ts';
import { silentLog } from '../lib/runtime/log.ts';
import { standardTuning } from '../lib/runtime/tuning.ts';

export type ReconcileResult = {
  seconds: number;
  /** Of all threads, the garbage collector's too: what other programs do at the same time does not count. */
  processorSeconds: number;
  peakMegabytes: number;
  settled: number;
};

const FIRST_ID = 5_203_300_076;
const VERSION_MS = 1_767_600_000_000;
/** Items of a page of a Query (1 MB), and entries of a ledger chunk. */
const ITEMS_A_PAGE = 5_000;
const ENTRIES_A_CHUNK = 500;

const total = Number(process.argv[2]);
const isRefused = process.argv[3] === 'refused';
const idAt = (n: number): string => String(FIRST_ID + n * 7);
const hashAt = (n: number): string => hash('sha256', idAt(n), 'base64url').slice(0, HASH_CHARACTERS);
const numbers = (from: number, count: number): number[] =>
  Array.from({ length: Math.max(0, Math.min(count, total - from)) }, (_, index) => from + index);

const endOf = (n: number): Pick<IdCheck, 'loaded' | 'trouble'> => {
  const content = { hash: hashAt(n), versionMs: VERSION_MS };
  const atMs = VERSION_MS + n;
  if (!isRefused) return { loaded: { ...content, atMs } };
  return { trouble: { kind: 'rejected', ...content, sinceMs: atMs, reason: 'status 422', letterMs: atMs } };
};

/** Every record of the run, settled. Parsed from text, as items of DynamoDB are: nothing shares memory with them. */
async function* settledItems(): AsyncGenerator<IdCheck[]> {
  for (let from = 0; from < total; from += ITEMS_A_PAGE) {
    const items = numbers(from, ITEMS_A_PAGE).map((n): IdCheck => ({ id: idAt(n), rev: 2, turn: 1, ...endOf(n) }));
    yield JSON.parse(JSON.stringify(items));
  }
}

async function* ledger(): ReturnType<RunStore['chunks']> & AsyncGenerator {
  for (let index = 1; (index - 1) * ENTRIES_A_CHUNK < total; index++) {
    const entries = numbers((index - 1) * ENTRIES_A_CHUNK, ENTRIES_A_CHUNK).map(
      (n): LedgerEntry => ({ id: idAt(n), outcome: 'enqueued', hash: hashAt(n) }),
    );
    yield JSON.parse(JSON.stringify({ runId: 'run', index, versionMs: VERSION_MS, entries, memory: [] }));
  }
}

const run: ExtractedRun = {
  runId: 'run',
  integration: 'groups',
  status: 'loading',
  scheduledMs: VERSION_MS,
  startedMs: VERSION_MS,
  versionMs: VERSION_MS,
  extractedMs: VERSION_MS,
  fullRefresh: false,
  counts: { ...noExtractCounts(), ...noLoadCounts(), fetched: total, enqueued: total },
  requests: { source: total / ENTRIES_A_CHUNK, target: total },
  vanished: 0,
  vanishedSample: [],
  warnings: [],
  chunks: Math.ceil(total / ENTRIES_A_CHUNK),
};

const idStore: IdStore = { read: async () => new Map(), write: async () => 'conflict', scan: settledItems };
const runs: RunStore = {
  lease: async () => undefined,
  takeLease: async () => 'taken',
  endLease: async () => {},
  run: async () => run,
  runs: async () => [run],
  noteRest: async () => {},
  saveRun: async () => {},
  addTargetUse: async () => {},
  saveChunk: async () => {},
  chunks: ledger,
  watermark: async () => undefined,
  keepOpen: async () => {},
  line: async () => undefined,
  saveLine: async () => 'saved',
  moveWatermark: async () => {},
  ends: async () => undefined,
  saveEnds: async () => 'saved',
};

const beganMs = performance.now();
const policy = { idCheck: true, onUncertain: 'resend' } as const;
const [closed] = await reconcile(
  { integration: run.integration, policy, deadlineMs: 1 },
  { idStore, runs, clock: systemClock, log: silentLog, tuning: standardTuning },
);
const { user, system } = process.cpuUsage();
const result: ReconcileResult = {
  seconds: (performance.now() - beganMs) / 1000,
  processorSeconds: (user + system) / 1_000_000,
  // Linux and libuv count in kilobytes.
  peakMegabytes: process.resourceUsage().maxRSS / 1024,
  settled: closed?.status === 'balanced' ? closed.counts.loaded + closed.counts.rejected : 0,
};
process.stdout.write(JSON.stringify(result));
