import type { FunctionEvent } from '../../lib/aws/telemetry/metrics.ts';
import { type HealthStore, healthView } from '../../lib/connection/limit/health.ts';
import type { FetchDeps, FetchPlan } from '../../lib/fetch/fetch-plan.ts';
import { type FetchEnd, fetchRun } from '../../lib/fetch/fetch-run.ts';
import type { IdCheck } from '../../lib/idcheck/item.ts';
import { transformPlanOf } from '../../lib/integration/compile/run-plan.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { readMessage } from '../../lib/messages/record-message.ts';
import type { RunRequest } from '../../lib/messages/run-request.ts';
import { readFetchEvent } from '../../lib/messages/run-request.ts';
import type { OwnEnds } from '../../lib/runs/ends.ts';
import type { LedgerChunk } from '../../lib/runs/ledger.ts';
import { ledgerChunks, type RunRecord, runIdOf } from '../../lib/runs/record.ts';
import type { Log, LogFields } from '../../lib/runtime/log.ts';
import { standardTuning, type Tuning } from '../../lib/runtime/tuning.ts';
import type { PageResult, PageState, Source } from '../../lib/source/source.ts';
import { openTransform } from '../../lib/transform/transform.ts';
import { collect } from '../contracts/collect.ts';
import { type FakeClock, fakeClock } from '../fakes/fake-clock.ts';
import { type Faults, portFaults } from '../fakes/faults.ts';
import type { MemoryIdStore } from '../fakes/memory-id-store.ts';
import type { MemoryQueue } from '../fakes/memory-queue.ts';
import { memoryStores } from '../fakes/memory-stores.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { integrationWith } from '../integration/sample.ts';

export const NAME = 'okki-product-groups-to-qingyiyun';
/** The fake clock's start: when runs are due unless a test says otherwise. */
export const DUE_MS = Date.UTC(2026, 0, 5);
const INVOCATION_MS = 300_000;

export type FetchWorld = {
  health: HealthStore;
  clock: FakeClock;
  idStore: MemoryIdStore;
  records: MemoryQueue;
  runRequests: MemoryQueue;
  deadLetters: MemoryQueue;
  runs: FetchDeps['runs'];
  faults: Faults;
  /** Whose log takes what other functions say of the same runs, too. */
  deps: FetchDeps & { log: Log<FunctionEvent>; tuning: Tuning };
  plan: FetchPlan;
  /** Where the ends are; may be changed between runs. */
  ends: OwnEnds;
  /** What the source lists, page by page; may be changed while a run goes on. */
  pages: JsonValue[][];
  /** Answers of the source other than its pages, by the number of the read (from 0). */
  answers: Map<number, PageResult>;
  /** How long a read takes, ms. */
  pageMs: number;
  /** Where reads began, `start` for the first page. */
  reads: Array<PageState | 'start'>;
  logged: Array<{ event: string; fields: LogFields }>;
  /** One invocation; `killed` where it never came back or threw. */
  invoke(request?: RunRequest, remainingMs?: number): Promise<FetchEnd | 'killed'>;
  /** Follows the word on the runs queue, and asks again by the schedule, until the run is extracted. */
  untilExtracted(request?: RunRequest): Promise<void>;
  run(scheduledMs?: number): Promise<RunRecord | undefined>;
  ledger(runId?: string): Promise<LedgerChunk[]>;
  /** Ids of the messages on the records queue, in order. */
  sentIds(): string[];
};

export const schedule = (
  changes: Partial<Omit<Extract<RunRequest, { kind: 'schedule' }>, 'kind' | 'integration'>> = {},
): RunRequest => ({
  kind: 'schedule',
  integration: NAME,
  scheduledMs: DUE_MS,
  fullRefresh: false,
  ...changes,
});

export const runId = runIdOf(NAME, DUE_MS);

export const group = (id: string | number, name = `分组${id}`): JsonValue => ({ id, name });

export const loadedItem = (id: string, hash = 'old'): IdCheck => ({
  id,
  rev: 1,
  loaded: { hash, versionMs: DUE_MS - 1, atMs: DUE_MS - 1 },
});

/** Fetching among fakes, under one virtual clock. */
export const fetchWorld = (setup: { pages: JsonValue[][]; plan?: Partial<FetchPlan> }): FetchWorld => {
  const clock = fakeClock(DUE_MS);
  const faults = portFaults();
  const { idStore, records, runRequests, deadLetters, runs, health, limiter } = memoryStores(clock);
  const logged: FetchWorld['logged'] = [];
  const note = (event: string, fields: LogFields = {}) => {
    logged.push({ event, fields });
  };

  const source: Source = {
    readPage: async (at) => {
      const read = world.reads.push(at ?? 'start') - 1;
      await clock.sleep(world.pageMs);
      const answer = world.answers.get(read);
      if (answer !== undefined) return answer;
      const index = Number(at?.page ?? 0);
      const isLast = index + 1 >= world.pages.length;
      return {
        kind: 'page',
        records: structuredClone(world.pages[index] ?? []),
        ...(isLast ? {} : { next: { page: index + 1 } }),
        requests: 1,
        warnings: [],
      };
    },
  };

  const world: FetchWorld = {
    health,
    clock,
    idStore,
    records,
    runRequests,
    deadLetters,
    runs,
    faults,
    pages: setup.pages,
    answers: new Map(),
    pageMs: 0,
    reads: [],
    logged,
    ends: {
      source: { id: 'source-a', origin: 'https://source-a.example' },
      target: { id: 'target-a', origin: 'https://target-a.example' },
    },
    plan: {
      integration: NAME,
      target: 'target',
      rows: 1,
      policy: { idCheck: false, onUncertain: 'resend' },
      source: faults.wrap('source', source),
      ends: async () => world.ends,
      transform: openTransform(transformPlanOf(integrationWith(NAME))),
      minShare: 0.5,
      mapping: 'one',
      maxChangedShare: 0.5,
      invalidRows: { maxShare: 0.5, isTolerant: false },
      ...setup.plan,
    },
    deps: {
      idStore: faults.wrap('idStore', idStore),
      records: faults.wrap('records', { sendAll: records.sendAll, depth: records.depth }),
      deadLetters: faults.wrap('deadLetters', { sendAll: deadLetters.sendAll }),
      runRequests: faults.wrap('runRequests', { sendAll: runRequests.sendAll }),
      runs: faults.wrap('runs', runs),
      limiter,
      health: healthView(health, { clock, random: seededRandom(2) }),
      clock,
      random: seededRandom(1),
      log: { info: note, warn: note, error: note },
      tuning: standardTuning,
    },
    invoke: async (request = schedule(), remainingMs = INVOCATION_MS) => {
      const endMs = clock.nowMs() + remainingMs;
      const invocation = fetchRun(request, world.plan, world.deps, () => endMs - clock.nowMs());
      return clock.run(invocation).catch(() => 'killed' as const);
    },
    untilExtracted: async (request = schedule()) => {
      for (let invocation = 0; invocation < 100; invocation++) {
        const [word] = await runRequests.receive(1, INVOCATION_MS / 1_000);
        const [asked] = word ? readFetchEvent({ Records: [{ body: word.body }] }) : [request];
        const end = await world.invoke(asked);
        if (word && end !== 'killed') await runRequests.delete([word.handle]);
        const scheduledMs = request.kind === 'schedule' ? request.scheduledMs : DUE_MS;
        if ((await world.run(scheduledMs))?.extractedMs !== undefined) return;
        await clock.advance(60_000);
      }
      throw new Error('the run is not extracted after 100 invocations');
    },
    run: (scheduledMs = DUE_MS) => runs.run(NAME, runIdOf(NAME, scheduledMs)),
    ledger: async (id = runId) => {
      const run = await runs.run(NAME, id);
      return collect(runs.chunks(NAME, id, run === undefined ? 0 : ledgerChunks(run)));
    },
    sentIds: () =>
      records.bodies().map((body) => {
        const read = readMessage(body);
        return read.kind === 'message' ? read.message.id : read.why;
      }),
  };
  return world;
};
