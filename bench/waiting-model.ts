import { healthView, healthy } from '../lib/connection/limit/health.ts';
import { bookedAtOnce, bookPlaces, receive } from '../lib/connection/limit/line.ts';
import type { RateLimit, RateLimiter } from '../lib/connection/limit/rate-limit.ts';
import { grantsText, readGrants } from '../lib/connection/limit/stored-log.ts';
import { type LimiterState, leasePermits, unusedLimiter } from '../lib/connection/limit/window.ts';
import type { IdCheck, IdStore } from '../lib/idcheck/item.ts';
import { loadBatch } from '../lib/load/load-batch.ts';
import type { LoaderDeps } from '../lib/load/load-plan.ts';
import { delaySecUntil } from '../lib/messages/queue.ts';
import { outgoingRecord, type RecordMessage, readMessage } from '../lib/messages/record-message.ts';
import { standardTuning } from '../lib/runtime/tuning.ts';
import { chanceOf, modelClock } from './model-clock.ts';
import { type Message, modelQueue } from './model-queue.ts';
import { dollars } from './prices.ts';

// What waits, in a model with a clock of its own: the real loader and limiter, with everything around them imitated.

/** Chances that something goes wrong, each of its own. */
export type ModelFaults = { crashed?: number; lost?: number; twice?: number };

export type Line = { connection: string; limit: RateLimit | undefined; records: number; startAfterMs?: number };

export type Model = {
  lines: readonly Line[];
  seed: number;
  /** Whether what is due later than 890 s stays out of the queue, as waiting.md's design D has it. */
  isPaced: boolean;
  faults?: ModelFaults;
  /** How long a target answers, ms. */
  postMs?: readonly [number, number];
};

export type LineResult = {
  /** When each POST began, ms since the model's start. */
  postsMs: number[];
  deliveries: number;
  mostDeliveries: number;
};

export type ModelResult = { lines: Map<string, LineResult>; dollarsPerMillion: number };

const VISIBILITY_MS = 361_000;
const DISPATCH_AHEAD_MS = 890_000;
const TICK_MS = 300_000;
const DYNAMO_MS = 5;
const SQS_MS = 10;
const MEMORY_GB = 0.5;
/** START, END and REPORT of an invocation, and what the logger adds to a line. */
const LOG_BYTES = { invocation: 450, line: 190 };
/** Of fetching and the run's books, a record (docs/benchmarks.md, Price). */
const OF_RUN = { writeUnits: 0.135, readUnits: 0.05, sqsRequests: 0.1, gbSeconds: 0.002 };
/** Empty polls while a load goes on, and the ledger in which it waits: dollars a million. */
const ASSUMED_DOLLARS = 0.24;

/** Loads the records of all lines, from the first message to the last POST. */
export const runModel = async ({
  lines,
  seed,
  isPaced,
  faults = {},
  postMs = [50, 300],
}: Model): Promise<ModelResult> => {
  const START_MS = Date.UTC(2026, 0, 5);
  const chance = chanceOf(seed);
  const random = { fraction: chance, token: () => `${Math.floor(chance() * 2 ** 52)}` };
  const clock = modelClock(START_MS);
  const usage = { writeUnits: 0, readUnits: 0, sqsRequests: 0, invocations: 0, gbSeconds: 0, logBytes: 0 };
  const results = new Map(
    lines.map(({ connection }): [string, LineResult] => [
      connection,
      { postsMs: [], deliveries: 0, mostDeliveries: 0 },
    ]),
  );
  let open = lines.reduce((sum, { records }) => sum + records, 0);
  const total = open;

  // The limiter: one item a connection, as its text.
  const states = new Map<string, LimiterState>();
  const change = async <Result extends { state: LimiterState }>(
    connection: string,
    limit: RateLimit | undefined,
    compute: (state: LimiterState) => Result,
  ): Promise<Result> => {
    await clock.sleep(DYNAMO_MS);
    usage.readUnits += 1;
    const before = states.get(connection) ?? unusedLimiter;
    const result = compute(before);
    if (limit !== undefined && result.state !== before) {
      usage.writeUnits += 1;
      const grants = readGrants(grantsText(result.state.grants, limit)) ?? [];
      states.set(connection, { ...result.state, grants });
      await clock.sleep(DYNAMO_MS);
    }
    return result;
  };
  const limiter: Pick<RateLimiter, 'acquire' | 'receive' | 'book' | 'pause'> = {
    acquire: (connection, limit, count, deadlineMs) =>
      change(connection, limit, (state) => leasePermits(state, limit, count, clock.nowMs(), deadlineMs)),
    receive: (connection, limit, arrived, deadlineMs) =>
      change(connection, limit, (state) => receive(state, connection, limit, arrived, clock.nowMs(), deadlineMs)),
    book: (connection, limit, count, untilMs) =>
      limit === undefined
        ? Promise.resolve(bookedAtOnce(unusedLimiter, count, clock.nowMs(), untilMs))
        : change(connection, limit, (state) => bookPlaces(state, { connection, limit }, count, clock.nowMs(), untilMs)),
    pause: async () => 0,
  };

  // idCheck: two writes a record; a crashed worker's claim stays.
  const items = new Map<string, IdCheck>();
  const idStore: IdStore = {
    read: async (_, ids) => {
      usage.readUnits += ids.length;
      await clock.sleep(DYNAMO_MS);
      return new Map(
        ids.flatMap((id) => {
          const item = items.get(id);
          return item === undefined ? [] : [[id, item] as const];
        }),
      );
    },
    write: async (_, item, condition) => {
      usage.writeUnits += 1;
      await clock.sleep(DYNAMO_MS);
      const stored = items.get(item.id);
      const holds =
        'absent' in condition
          ? stored === undefined
          : 'rev' in condition
            ? stored?.rev === condition.rev
            : stored?.claim?.owner === condition.owner;
      if (!holds) return 'conflict';
      items.set(item.id, item);
      return 'written';
    },
    scan: async function* () {},
  };

  const received = new Map<string, number>();
  const targets = new Map(lines.map((line) => [line.connection, line]));
  const invocation = async (batch: readonly Message[]): Promise<void> => {
    const beganMs = clock.nowMs();
    usage.invocations += 1;
    usage.sqsRequests += 2 * Math.ceil(batch.length / 10);
    usage.logBytes += LOG_BYTES.invocation;
    let writesLeft = chance() < (faults.crashed ?? 0) ? Math.floor(chance() * 2 * batch.length) : Infinity;
    const log = (event: string, fields: object): void => {
      usage.logBytes += LOG_BYTES.line + event.length + JSON.stringify(fields).length;
    };
    const deps: LoaderDeps = {
      open: async (integration) => {
        const line = targets.get(integration);
        if (line === undefined) return undefined;
        const target = {
          connection: line.connection,
          limit: line.limit,
          rows: 1,
          concurrency: 4,
          longestPostMs: 15_000,
        };
        return {
          integration,
          policy: { idCheck: false, onUncertain: 'resend' },
          retry: { maxAttempts: 8, baseMs: 1_000, capMs: 60_000 },
          address: async () => ({ id: 'model', origin: 'https://model.example' }),
          target: {
            ...target,
            post: async (records, awaitPermit) => {
              const permit = await awaitPermit();
              if (!permit.granted) {
                const failure = { cause: 'no-time' } as const;
                const later = { kind: 'notApplied', failure, waits: true, pauseMs: 0 } as const;
                return { outcomes: records.map(() => later), requests: 0 };
              }
              results.get(integration)?.postsMs.push(clock.nowMs() - START_MS);
              await clock.sleep(postMs[0] + chance() * (postMs[1] - postMs[0]));
              return { outcomes: records.map(() => ({ kind: 'loaded' as const })), requests: 1 };
            },
          },
        };
      },
      idStore: {
        ...idStore,
        // A worker that is killed never comes back from what it was at.
        write: (state, item, condition) =>
          writesLeft-- > 0 ? idStore.write(state, item, condition) : new Promise<never>(() => {}),
      },
      records: {
        sendAll: async (outgoing) => {
          usage.sqsRequests += Math.ceil(outgoing.length / 10);
          await clock.sleep(SQS_MS);
          for (const { body, delaySec = 0 } of outgoing) send(body, Math.ceil(delaySec));
          return { failed: [] };
        },
      },
      deadLetters: { sendAll: async () => ({ failed: [] }) },
      limiter,
      health: healthView(
        { read: async () => ({ rev: 0, health: healthy }), write: async () => 'written' as const },
        { clock, random },
      ),
      runs: { ends: async () => undefined, addTargetUse: async () => {}, noteRest: async () => {} },
      clock,
      random,
      log: {
        info: (event, fields) => {
          if (event === 'settled') open -= 1;
          if (event === 'loaded') {
            const counts = results.get(fields.integration);
            const times = received.get(`${fields.integration} ${fields.id}`) ?? 0;
            if (counts) counts.mostDeliveries = Math.max(counts.mostDeliveries, times);
          }
          log(event, fields);
        },
        warn: log,
        error: log,
      },
      tuning: standardTuning,
    };
    for (const { body } of batch) {
      const read = readMessage(body);
      if (read.kind === 'unreadable') throw new Error(read.why);
      const { integration, id } = read.message;
      const key = `${integration} ${id}`;
      received.set(key, (received.get(key) ?? 0) + 1);
      const counts = results.get(integration);
      if (counts) counts.deliveries += 1;
    }
    const deliveries = batch.map(({ id, body }) => ({ messageId: `${id}`, body }));
    const untilMs = beganMs + 60_000;
    const loading = loadBatch(deliveries, deps, () => untilMs - clock.nowMs());
    const isKilled = await Promise.race([
      loading.then(() => false),
      writesLeft === Infinity ? new Promise<never>(() => {}) : clock.sleep(10_000).then(() => true),
    ]);
    if (isKilled) for (const message of batch) clock.at(beganMs + VISIBILITY_MS, () => show(message));
    usage.gbSeconds += ((clock.nowMs() - beganMs + 10) / 1_000) * MEMORY_GB;
  };

  const { lost = 0, twice = 0 } = faults;
  const onLost = () => {
    open -= 1;
  };
  const { send, show } = modelQueue({ clock, chance, lost, twice, onLost, invoke: invocation });

  const messageOf = (connection: string, id: number): RecordMessage => ({
    v: 1,
    integration: connection,
    runId: `${connection}-20260105T000000Z`,
    id: `${connection}-${id}`,
    hash: 'A'.repeat(43),
    versionMs: START_MS,
    body: { id },
    attempts: 0,
    deferrals: 0,
    firstSentMs: clock.nowMs(),
    connection,
  });

  for (const { connection, limit, records, startAfterMs = 0 } of lines) {
    let next = 0;
    const sendOne = (dueMs: number | undefined): void => {
      const message = messageOf(connection, next++);
      const ahead = dueMs === undefined ? 0 : Math.max(0, delaySecUntil(dueMs, clock.nowMs()));
      const { body } = outgoingRecord(dueMs === undefined ? message : { ...message, dueMs }, ahead);
      send(body, ahead);
    };
    const dispatch = async (): Promise<void> => {
      while (next < records) {
        const count = Math.min(100, records - next);
        const { appointments } = await limiter.book(connection, limit, count, clock.nowMs() + DISPATCH_AHEAD_MS);
        if (appointments.length === 0) break;
        for (const dueMs of appointments) sendOne(limit === undefined ? undefined : dueMs);
      }
      if (next < records) clock.at(clock.nowMs() + TICK_MS, () => void dispatch());
    };
    clock.at(START_MS + startAfterMs, () => {
      if (isPaced) void dispatch();
      else while (next < records) sendOne(undefined);
    });
  }
  await clock.run(() => open <= 0);
  const perRecord = dollars(usage) / total + dollars(OF_RUN);
  return { lines: results, dollarsPerMillion: perRecord * 1_000_000 + ASSUMED_DOLLARS };
};
