import type { Address } from '../../lib/connection/api/connection.ts';
import { type HealthStore, healthView, type RestNews } from '../../lib/connection/limit/health.ts';
import type { RateLimit } from '../../lib/connection/limit/rate-limit.ts';
import type { LoadPolicy } from '../../lib/idcheck/decide.ts';
import type { Retry } from '../../lib/integration/schema/schema.ts';
import type { Conflict } from '../../lib/integration/schema/target-schema.ts';
import { loadBatch } from '../../lib/load/load-batch.ts';
import type { LoaderDeps, LoadPlan, OpenedPlan } from '../../lib/load/load-plan.ts';
import { type Letter, readLetter } from '../../lib/messages/dead-letter.ts';
import { type RecordMessage, writeMessage } from '../../lib/messages/record-message.ts';
import type { Ends } from '../../lib/runs/ends.ts';
import { addUse, noUse, type TargetUse } from '../../lib/runs/limits.ts';
import type { RunRest } from '../../lib/runs/record.ts';
import { defined } from '../../lib/runtime/defined.ts';
import type { LogFields } from '../../lib/runtime/log.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import type { Outcome, PostRecord } from '../../lib/target/target.ts';
import { type FakeClock, fakeClock } from '../fakes/fake-clock.ts';
import { type Faults, portFaults } from '../fakes/faults.ts';
import { memoryHealthStore } from '../fakes/memory-health-store.ts';
import { type MemoryIdStore, memoryIdStore } from '../fakes/memory-id-store.ts';
import { type MemoryQueue, memoryQueue } from '../fakes/memory-queue.ts';
import { memoryRateLimiter } from '../fakes/memory-rate-limiter.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

const INVOCATION_MS = 60_000;
const VISIBILITY_SEC = 360;
export const MAX_RECEIVES = 5;
const POST_MS = 200;

/** What the target does with a request: whether it applies it, and what it answers for each record. */
export type Answer = { applies: boolean; outcomes: Outcome | Outcome[]; afterMs?: number };

export const takes: Answer = { applies: true, outcomes: { kind: 'loaded' } };
export const refuses: Answer = {
  applies: false,
  outcomes: { kind: 'rejected', failure: { cause: 'status', status: 422, excerpt: '名称重复' } },
};
export const drops = (applies: boolean): Answer => ({
  applies,
  outcomes: { kind: 'uncertain', failure: { cause: 'reset' } },
});
/** A 2xx that nobody can read. */
export const mumbles = (applies: boolean): Answer => ({
  applies,
  outcomes: { kind: 'uncertain', failure: { cause: 'no-known-status', status: 200, excerpt: '{"ok":1}' } },
});
export const conflicts = (waitMs?: number): Answer => ({
  applies: false,
  outcomes: { kind: 'conflict', failure: { cause: 'status', status: 409, excerpt: 'busy' }, ...defined({ waitMs }) },
});
export const fails: Answer = {
  applies: false,
  outcomes: { kind: 'notApplied', failure: { cause: 'status', status: 403 }, waits: false },
};
export const throttles = (pauseMs: number): Answer => ({
  applies: false,
  outcomes: { kind: 'notApplied', failure: { cause: 'status', status: 429 }, waits: true, pauseMs },
});

export type LoadWorld = {
  /** Where the target is now, and what is stored of whose state it is. */
  address: Address;
  ends: Ends | undefined;
  clock: FakeClock;
  /** As a batch has it. */
  plan(): Promise<LoadPlan>;
  idStore: MemoryIdStore;
  records: MemoryQueue;
  deadLetters: MemoryQueue;
  faults: Faults;
  deps: LoaderDeps;
  /** Requests in order, each with its records, and when it came. */
  posts: Array<{ records: readonly PostRecord[]; atMs: number }>;
  /** Contents that the target applied for an id, oldest first. */
  applied(id: string): unknown[];
  /** How the target answers from now on; the index counts requests from 0. */
  answer: (records: readonly PostRecord[], index: number) => Answer;
  logged: Array<{ event: string; fields: LogFields }>;
  /** What was counted of each run's use of the target, and in how many writes. */
  counted: Map<string, TargetUse & { writes: number }>;
  /** What was noted of rests in runs, what people were told of them, and what is stored. */
  noted: Array<RunRest & { runId: string }>;
  told: RestNews[];
  health: HealthStore;
  send(...messages: RecordMessage[]): Promise<void>;
  /** One delivery of up to 10 messages to the loader; deletes what it settled. False: there was nothing to deliver. */
  deliver(): Promise<boolean>;
  /** Delivers for so long, in virtual time, or until every message is settled. */
  run(ms?: number): Promise<void>;
  letters(): Promise<Letter[]>;
};

type Setup = {
  policy?: Partial<LoadPolicy>;
  retry?: Partial<Retry>;
  conflict?: Conflict;
  rows?: number;
  concurrency?: number;
  limit?: RateLimit;
  deps?: Partial<LoaderDeps>;
};

/** The loader among fakes, with a queue that redrives as SQS does, under one virtual clock. */
export const loadWorld = ({
  policy,
  retry,
  conflict,
  rows = 1,
  concurrency = 4,
  limit,
  deps: other,
}: Setup = {}): LoadWorld => {
  const clock = fakeClock();
  const deadLetters = memoryQueue(clock);
  const records = memoryQueue(clock, { deadLetters, maxReceiveCount: MAX_RECEIVES });
  const idStore = memoryIdStore();
  const faults = portFaults();
  const contents = new Map<string, unknown[]>();
  const posts: LoadWorld['posts'] = [];
  const logged: LoadWorld['logged'] = [];
  const counted: LoadWorld['counted'] = new Map();
  const noted: LoadWorld['noted'] = [];
  const told: LoadWorld['told'] = [];
  const health = memoryHealthStore();

  const post = async (sent: readonly PostRecord[]) => {
    posts.push({ records: structuredClone(sent), atMs: clock.nowMs() });
    const { applies, outcomes, afterMs = POST_MS } = world.answer(sent, posts.length - 1);
    if (applies) for (const { id, body } of sent) contents.set(id, [...(contents.get(id) ?? []), body.name]);
    await clock.sleep(afterMs);
    return { outcomes: Array.isArray(outcomes) ? outcomes : sent.map(() => outcomes), requests: 1 };
  };
  const target = { connection: 'target', limit, rows, concurrency, longestPostMs: 15_000 };
  const plan: OpenedPlan = {
    integration: 'groups',
    policy: { idCheck: false, onUncertain: 'resend', ...policy },
    retry: { maxAttempts: 3, baseMs: 1_000, capMs: 60_000, ...retry },
    ...defined({ conflict }),
    address: async () => world.address,
    target: { ...target, post: faults.wrap('target', { post }).post },
  };
  const note = (event: string, fields: LogFields = {}) => {
    logged.push({ event, fields });
  };
  const deps: LoaderDeps = {
    open: async (name) => (name === 'groups' ? plan : undefined),
    idStore: faults.wrap('idStore', idStore),
    records: faults.wrap('records', { sendAll: records.sendAll }),
    deadLetters: faults.wrap('deadLetters', { sendAll: deadLetters.sendAll }),
    limiter: faults.wrap('limiter', memoryRateLimiter(clock)),
    health: healthView(faults.wrap('health', health), { clock, random: seededRandom(2) }),
    runs: faults.wrap('runs', {
      ends: async () => world.ends,
      addTargetUse: async (_integration: string, runId: string, use: TargetUse) => {
        const before = counted.get(runId) ?? { ...noUse(), writes: 0 };
        counted.set(runId, { ...addUse(before, use), writes: before.writes + 1 });
      },
      noteRest: async (_integration: string, runId: string, rest: RunRest) => {
        noted.push({ runId, ...rest });
      },
    }),
    clock,
    random: seededRandom(1),
    log: { info: note, warn: note, error: note },
    tuning: standardTuning,
    onRest: async (news) => {
      told.push(news);
    },
    ...other,
  };

  const deliver = async (): Promise<boolean> => {
    const received = await records.receive(10, VISIBILITY_SEC);
    if (received.length === 0) return false;
    const endMs = clock.nowMs() + INVOCATION_MS;
    const deliveries = received.map(({ messageId, body }) => ({ messageId, body }));
    // An invocation that is killed, or throws, deletes nothing: all its messages show again.
    const failed = await clock
      .run(loadBatch(deliveries, deps, () => endMs - clock.nowMs()))
      .then(({ failedMessageIds }) => new Set(failedMessageIds))
      .catch(() => new Set(received.map(({ messageId }) => messageId)));
    await records.delete(received.filter(({ messageId }) => !failed.has(messageId)).map(({ handle }) => handle));
    return true;
  };

  const world: LoadWorld = {
    address: { id: 'target-a', origin: 'https://target-a.example' },
    ends: undefined,
    clock,
    plan: async () => ({ ...plan, state: 'groups' }),
    idStore,
    records,
    deadLetters,
    faults,
    deps,
    posts,
    applied: (id) => contents.get(id) ?? [],
    answer: () => takes,
    logged,
    counted,
    noted,
    told,
    health,
    send: async (...messages) => {
      await records.sendAll(messages.map((message) => ({ body: writeMessage(message) })));
    },
    deliver,
    run: async (ms = 6 * 3_600_000) => {
      const endMs = clock.nowMs() + ms;
      while (clock.nowMs() < endMs && records.bodies().length > 0) {
        if (!(await deliver())) await clock.advance(1_000);
      }
    },
    letters: async () =>
      deadLetters
        .bodies()
        .map((body) => readLetter({ messageId: '', handle: '', body, sentMs: clock.nowMs(), receiveCount: 1 })),
  };
  return world;
};
