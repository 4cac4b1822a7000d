import type { TokenStore } from '../../lib/connection/auth/token.ts';
import type { HealthStore } from '../../lib/connection/limit/health.ts';
import type { RateLimiter } from '../../lib/connection/limit/rate-limit.ts';
import type { IdCheck, IdStore, WriteCondition } from '../../lib/idcheck/item.ts';
import type { LedgerChunk } from '../../lib/runs/ledger.ts';
import { leftIn } from '../../lib/runs/line.ts';
import type { RunStore } from '../../lib/runs/store.ts';
import type { Stores } from '../../lib/stores/stores.ts';
import { memoryAuditLog } from '../fakes/memory-audit-log.ts';
import { holds } from '../fakes/memory-id-store.ts';
import { memoryRateLimiter } from '../fakes/memory-rate-limiter.ts';
import { memorySecretStore } from '../fakes/memory-secret-store.ts';
import { clockOf } from './clocks.ts';
import type { Environment } from './lambda.ts';
import { queueOf } from './sqs.ts';
import { type Fate, request } from './wire.ts';
import { seenBy, type World } from './world.ts';

/** Reads cannot be half done. */
const readFate = ({ chance, weather: { rates } }: World): Fate =>
  chance.happens(rates.storeRefuses) ? 'refused' : 'answered';

const writeFate = (world: World): Fate => {
  if (readFate(world) === 'refused') return 'refused';
  return world.chance.happens(world.weather.rates.storeForgets) ? 'forgotten' : 'answered';
};

/** All that idCheck holds, with what it held before: eventually consistent reads see the past. */
export type IdTable = Map<string, { item: IdCheck; sinceMs: number }[]>;

export const itemOf = (table: IdTable, id: string): IdCheck | undefined => table.get(id)?.at(-1)?.item;

const LONGEST_LAG_MS = 5_000;
const SCAN_PAGE = 4;

const seenLate = ({ chance, weather: { rates }, scheduler }: World, versions: { item: IdCheck; sinceMs: number }[]) => {
  if (!chance.happens(rates.stale)) return versions.at(-1)?.item;
  const asOfMs = scheduler.nowMs() - chance.whole(0, LONGEST_LAG_MS);
  return versions.findLast(({ sinceMs }) => sinceMs <= asOfMs)?.item;
};

/** idCheck as one environment reaches it. */
const idStoreOf = (world: World, environment: Environment): IdStore => {
  const { scheduler, chance } = world;
  const write = ({ idTable, audit }: World, item: IdCheck, condition: WriteCondition): 'written' | 'conflict' => {
    const stored = itemOf(idTable, item.id);
    if (!holds(condition, stored)) return 'conflict';
    audit.itemWritten(environment, stored, item);
    const version = { item: structuredClone(item), sinceMs: scheduler.nowMs() };
    const versions = idTable.get(item.id);
    if (versions) versions.push(version);
    else idTable.set(item.id, [version]);
    return 'written';
  };
  return {
    read: (integration, ids) =>
      request(world, environment, readFate(world), () => {
        const { idTable } = seenBy(world, integration);
        const found = new Map<string, IdCheck>();
        for (const id of ids) {
          const item = itemOf(idTable, id);
          if (item) found.set(id, structuredClone(item));
        }
        return found;
      }),
    write: (integration, item, condition) => {
      const owner = seenBy(world, integration);
      const repeats = chance.happens(world.weather.rates.storeRepeats);
      return request(world, environment, writeFate(world), () => {
        const first = write(owner, item, condition);
        return repeats ? write(owner, item, condition) : first;
      });
    },
    async *scan(integration) {
      const { idTable } = seenBy(world, integration);
      const ids = await request(world, environment, readFate(world), () => [...idTable.keys()]);
      for (let from = 0; from < ids.length; from += SCAN_PAGE) {
        yield await request(world, environment, readFate(world), () =>
          ids.slice(from, from + SCAN_PAGE).flatMap((id) => seenLate(world, idTable.get(id) ?? []) ?? []),
        );
      }
    },
  };
};

/** Runs, ledgers and leases as one environment reaches them. */
const runStoreOf = (world: World, environment: Environment): RunStore => {
  const { runTable } = world;
  const auditOf = (integration: string) => seenBy(world, integration).audit;
  const read = <Result>(apply: () => Promise<Result>) => request(world, environment, readFate(world), apply);
  const write = <Result>(apply: () => Promise<Result>) => request(world, environment, writeFate(world), apply);
  return {
    lease: (integration) => read(() => runTable.lease(integration)),
    takeLease: (lease, previous) =>
      write(() => {
        auditOf(lease.integration).leaseAsked(environment, lease, previous);
        return runTable.takeLease(lease, previous);
      }),
    endLease: (lease, nowMs) =>
      write(() => {
        auditOf(lease.integration).leaseEnded(lease);
        return runTable.endLease(lease, nowMs);
      }),
    run: (integration, runId) => read(() => runTable.run(integration, runId)),
    runs: (integration, limit) => read(() => runTable.runs(integration, limit)),
    saveRun: (run) =>
      write(() => {
        auditOf(run.integration).runSaved(environment, run);
        return runTable.saveRun(run);
      }),
    addTargetUse: (integration, runId, use) => write(() => runTable.addTargetUse(integration, runId, use)),
    noteRest: (integration, runId, rest) => write(() => runTable.noteRest(integration, runId, rest)),
    saveChunk: (integration, chunk) =>
      write(() => {
        auditOf(integration).chunkSaved(environment, chunk);
        return runTable.saveChunk(integration, chunk);
      }),
    keepOpen: (run, ledgers, nowMs) => write(() => runTable.keepOpen(run, ledgers, nowMs)),
    line: (integration) => read(() => runTable.line(integration)),
    saveLine: (integration, line) =>
      write(async () => {
        const saved = await runTable.saveLine(integration, line);
        if (saved === 'saved') seenBy(world, integration).inLedgers = leftIn(line);
        return saved;
      }),
    ends: (integration) => read(() => runTable.ends(integration)),
    saveEnds: (integration, ends) => write(() => runTable.saveEnds(integration, ends)),
    watermark: (integration) => read(() => runTable.watermark(integration)),
    moveWatermark: (integration, untilMs) => write(() => runTable.moveWatermark(integration, untilMs)),
    async *chunks(integration, runId, upTo, from) {
      yield* await read(async () => {
        const chunks: LedgerChunk[] = [];
        for await (const chunk of runTable.chunks(integration, runId, upTo, from)) chunks.push(chunk);
        return chunks;
      });
    },
  };
};

const tokenStoreOf = (world: World, environment: Environment): TokenStore => {
  const { tokenTable } = world;
  return {
    read: (connection) => request(world, environment, readFate(world), () => tokenTable.read(connection)),
    lock: (connection, lock) => request(world, environment, writeFate(world), () => tokenTable.lock(connection, lock)),
    save: (connection, owner, token) =>
      request(world, environment, writeFate(world), () => tokenTable.save(connection, owner, token)),
    unlock: (connection, owner) =>
      request(world, environment, writeFate(world), () => tokenTable.unlock(connection, owner)),
  };
};

const isOver =
  (connection: string) =>
  ({ integration }: World): boolean =>
    integration.target.connection.name === connection;

const limiterOf = (world: World, environment: Environment): RateLimiter => {
  const clock = clockOf(world, environment);
  const limiter = memoryRateLimiter(clock, world.permits);
  const auditOver = (connection: string) => world.all.find(isOver(connection))?.limitAudit;
  return {
    acquire: (connection, limit, count, deadlineMs) =>
      request(world, environment, writeFate(world), () => limiter.acquire(connection, limit, count, deadlineMs)),
    receive: (connection, limit, arrived, deadlineMs) =>
      request(world, environment, writeFate(world), async () => {
        const received = await limiter.receive(connection, limit, arrived, deadlineMs);
        auditOver(connection)?.granted(received.permits, clock.nowMs());
        return received;
      }),
    book: (connection, limit, count, untilMs) =>
      request(world, environment, writeFate(world), () => limiter.book(connection, limit, count, untilMs)),
    pause: (connection, untilMs, why) =>
      request(world, environment, writeFate(world), () => {
        auditOver(connection)?.paused();
        return limiter.pause(connection, untilMs, why);
      }),
    pauseOf: (connection) => request(world, environment, readFate(world), () => limiter.pauseOf(connection)),
    endPause: (connection) => request(world, environment, writeFate(world), () => limiter.endPause(connection)),
  };
};

const healthStoreOf = (world: World, environment: Environment): HealthStore => ({
  read: (connection) => request(world, environment, readFate(world), () => world.health.read(connection)),
  write: (connection, health, rev) =>
    request(world, environment, writeFate(world), async () => {
      const written = await world.health.write(connection, health, rev);
      if (written === 'written') world.all.find(isOver(connection))?.healthAudit.written(environment, health);
      return written;
    }),
});

/** The stores as one environment reaches them. No simulated integration has secrets, and nobody closes letters. */
export const storesOf = (world: World, environment: Environment): Stores => ({
  idStore: idStoreOf(world, environment),
  runs: runStoreOf(world, environment),
  records: queueOf(world, environment, world.queues.records),
  runRequests: queueOf(world, environment, world.queues.runs),
  deadLetters: queueOf(world, environment, world.queues['dead-letters']),
  limiter: limiterOf(world, environment),
  health: healthStoreOf(world, environment),
  tokens: tokenStoreOf(world, environment),
  secrets: memorySecretStore(),
  audit: memoryAuditLog(),
});
