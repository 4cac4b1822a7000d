// One measured run in a process of its own, so that its peak memory is nobody else's: `scale-run.ts RECORDS CASE`.

import { awsSecretStore } from '../lib/aws/secrets/secret-store.ts';
import { type HealthStore, healthy } from '../lib/connection/limit/health.ts';
import { fetchPlanOf } from '../lib/fetch/fetch-plan.ts';
import { fetchFlow } from '../lib/flows/flows.ts';
import type { IdStore } from '../lib/idcheck/item.ts';
import { transformPlanOf } from '../lib/integration/compile/run-plan.ts';
import type { Queue, ReadableQueue } from '../lib/messages/queue.ts';
import type { RunRecord } from '../lib/runs/record.ts';
import type { RunStore } from '../lib/runs/store.ts';
import { silentLog } from '../lib/runtime/log.ts';
import { systemRuntime } from '../lib/stores/stores.ts';
import { openTransform } from '../lib/transform/transform.ts';
import { groupSource, groupsOfPage, PAGE_RECORDS, shippedIntegration } from './groups.ts';

export type ScaleResult = {
  seconds: number;
  /** Of all threads, the garbage collector's too: what other programs do at the same time does not count. */
  processorSeconds: number;
  peakMegabytes: number;
  fetched: number;
  unchanged: number;
  messages: number;
};

const INVOCATION_MS = 3_600_000;

const total = Number(process.argv[2]);
const isUnchanged = process.argv[3] === 'unchanged';
const integration = shippedIntegration();
const transform = openTransform(transformPlanOf(integration));

/** What idCheck would hold after an earlier run, made page by page. */
async function* loadedItems(): ReturnType<IdStore['scan']> & AsyncGenerator {
  for (let page = 0; isUnchanged && page * PAGE_RECORDS < total; page++) {
    const { prepared } = transform.begin().prepare(groupsOfPage(page, total), String);
    const items = prepared.flatMap((one) =>
      one.outcome === 'ready' ? [{ id: one.id, rev: 2, loaded: { hash: one.hash, versionMs: 1, atMs: 1 } }] : [],
    );
    // Parsed from text, as items of DynamoDB are: the hashes then share no memory with anything here.
    yield JSON.parse(JSON.stringify(items));
  }
}

let messages = 0;
let saved: RunRecord | undefined;
const idStore: IdStore = { read: async () => new Map(), write: async () => 'conflict', scan: () => loadedItems() };
const queue: Queue & Pick<ReadableQueue, 'depth'> = {
  depth: async () => ({ visible: 0, inFlight: 0, delayed: 0 }),
  sendAll: async (outgoing) => {
    messages += outgoing.length;
    return { failed: [] };
  },
};
const runs: RunStore = {
  lease: async () => undefined,
  takeLease: async () => 'taken',
  endLease: async () => {},
  run: async () => undefined,
  runs: async () => [],
  noteRest: async () => {},
  saveRun: async (run) => {
    saved = run;
  },
  addTargetUse: async () => {},
  saveChunk: async () => {},
  async *chunks() {},
  watermark: async () => undefined,
  keepOpen: async () => {},
  line: async () => undefined,
  saveLine: async () => 'saved',
  moveWatermark: async () => {},
  ends: async () => undefined,
  saveEnds: async () => 'saved',
};
const health: HealthStore = { read: async () => ({ rev: 0, health: healthy }), write: async () => 'written' };
const stores = {
  idStore,
  runs,
  records: queue,
  runRequests: queue,
  deadLetters: queue,
  health,
  limiter: { book: async () => ({ appointments: [], endMs: 0 }) },
  secrets: awsSecretStore,
};
const plan = fetchPlanOf(integration, groupSource(total), async () => ({}), {});
const fetchRun = fetchFlow(stores, async () => plan, systemRuntime({}, silentLog));

const beganMs = performance.now();
const request = { kind: 'schedule' as const, integration: integration.name, scheduledMs: 0, fullRefresh: false };
await fetchRun(request, () => INVOCATION_MS);
const { user, system } = process.cpuUsage();
const result: ScaleResult = {
  seconds: (performance.now() - beganMs) / 1000,
  processorSeconds: (user + system) / 1_000_000,
  // Linux and libuv count in kilobytes.
  peakMegabytes: process.resourceUsage().maxRSS / 1024,
  fetched: saved?.counts.fetched ?? 0,
  unchanged: saved?.counts.unchanged ?? 0,
  messages,
};
process.stdout.write(JSON.stringify(result));
