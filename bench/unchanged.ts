import { dynamoIdStore } from '../lib/aws/dynamodb/id-store.ts';
import { dynamoRunStore } from '../lib/aws/dynamodb/run-store.ts';
import { awsSecretStore } from '../lib/aws/secrets/secret-store.ts';
import { type HealthStore, healthy } from '../lib/connection/limit/health.ts';
import { fetchPlanOf } from '../lib/fetch/fetch-plan.ts';
import { fetchFlow } from '../lib/flows/flows.ts';
import type { Outgoing, Queue, ReadableQueue } from '../lib/messages/queue.ts';
import { readMessage } from '../lib/messages/record-message.ts';
import { mapBounded } from '../lib/runtime/bounded.ts';
import { systemClock } from '../lib/runtime/clock.ts';
import { silentLog } from '../lib/runtime/log.ts';
import { systemRuntime } from '../lib/stores/stores.ts';
import { putEach } from './conditional-puts.ts';
import { type Consumed, type EmbeddedTables, startTables } from './embedded.ts';
import { groupSource, shippedIntegration } from './groups.ts';
import { atMost, grouped, markdownTable } from './markdown.ts';
import { dollars, PRICES_AS_OF } from './prices.ts';

const RECORDS = 10_000;
const MILLION = 1_000_000;
const INVOCATION_MS = 600_000;
const MAX_READ_UNITS_EACH = 0.05;

const collecting = (): Queue & Pick<ReadableQueue, 'depth'> & { sent: Outgoing[] } => {
  const sent: Outgoing[] = [];
  return {
    sent,
    depth: async () => ({ visible: 0, inFlight: 0, delayed: 0 }),
    sendAll: async (messages) => {
      sent.push(...messages);
      return { failed: [] };
    },
  };
};

type Measured = {
  idCheckReads: Consumed;
  idCheckWrites: Consumed;
  runs: Consumed;
  messages: number;
  seconds: number;
};

const sum = (...parts: readonly Consumed[]): Consumed => ({
  requests: parts.reduce((total, { requests }) => total + requests, 0),
  units: parts.reduce((total, { units }) => total + units, 0),
});

const consumed = ({ meter }: EmbeddedTables, key: string): Consumed => meter.get(key) ?? { requests: 0, units: 0 };

/** One read a run. */
const health: HealthStore = { read: async () => ({ rev: 0, health: healthy }), write: async () => 'written' };

/** One first run, its records settled as loaded, and the run after it, which is measured. */
const ourRun = async (
  tables: EmbeddedTables,
): Promise<{ measured: Measured; known: { id: string; hash: string }[] }> => {
  const { client } = tables;
  const idStore = dynamoIdStore({ client, TableName: 'idcheck' });
  const runs = dynamoRunStore({ client, TableName: 'runs' });
  const records = collecting();
  const stores = {
    idStore,
    runs,
    records,
    runRequests: collecting(),
    deadLetters: collecting(),
    health,
    limiter: { book: async () => ({ appointments: [], endMs: 0 }) },
    secrets: awsSecretStore,
  };
  const plan = fetchPlanOf(shippedIntegration(), groupSource(RECORDS), async () => ({}), {});
  const fetchRun = fetchFlow(stores, async () => plan, systemRuntime({}, silentLog));
  const run = (scheduledMs: number) => {
    const request = { kind: 'schedule' as const, integration: plan.integration, scheduledMs, fullRefresh: false };
    return fetchRun(request, () => INVOCATION_MS);
  };
  const startMs = systemClock.nowMs();
  await run(startMs);
  const known = await mapBounded(records.sent, 16, async ({ body }) => {
    const read = readMessage(body);
    if (read.kind !== 'message') throw new Error(read.why);
    const { id, hash, versionMs } = read.message;
    const loaded = { hash, versionMs, atMs: systemClock.nowMs() };
    await idStore.write(plan.integration, { id, rev: 2, loaded }, { absent: true });
    return { id, hash };
  });
  records.sent.length = 0;
  tables.meter.clear();
  const beganMs = performance.now();
  await run(startMs + 3_600_000);
  const seconds = (performance.now() - beganMs) / 1000;
  const idCheckReads = consumed(tables, 'idcheck read');
  const idCheckWrites = consumed(tables, 'idcheck write');
  const runsTable = sum(consumed(tables, 'runs read'), consumed(tables, 'runs write'));
  return { known, measured: { idCheckReads, idCheckWrites, runs: runsTable, messages: records.sent.length, seconds } };
};

/** The same records, each put on condition that it is new or changed. */
const conditionalPuts = async (
  tables: EmbeddedTables,
  known: readonly { id: string; hash: string }[],
): Promise<Measured> => {
  await putEach(tables.client, 'puts', known);
  tables.meter.clear();
  const beganMs = performance.now();
  const messages = await putEach(tables.client, 'puts', known);
  const seconds = (performance.now() - beganMs) / 1000;
  return {
    idCheckReads: consumed(tables, 'puts read'),
    idCheckWrites: consumed(tables, 'puts write'),
    runs: { requests: 0, units: 0 },
    messages,
    seconds,
  };
};

const rowOf = (name: string, { idCheckReads, idCheckWrites, runs, messages, seconds }: Measured): string[] => {
  const perMillion = (value: number): number => (value / RECORDS) * MILLION;
  // The runs table takes mostly writes; all its requests are priced as writes, the dearer ones.
  const usage = { readUnits: idCheckReads.units, writeUnits: idCheckWrites.units + runs.units };
  const readsEach = idCheckReads.units / RECORDS;
  return [
    name,
    grouped(Math.round(perMillion(idCheckReads.requests + idCheckWrites.requests + runs.requests))),
    atMost(readsEach, MAX_READ_UNITS_EACH, grouped(Math.round(perMillion(idCheckReads.units)))),
    grouped(Math.round(perMillion(idCheckWrites.units))),
    grouped(Math.round(perMillion(runs.units))),
    grouped(perMillion(messages)),
    perMillion(dollars(usage)).toFixed(3),
    seconds.toFixed(1),
  ];
};

/** What a run costs when nothing changed, against asking with a conditional put for each record. */
export const benchUnchanged = async (): Promise<void> => {
  const tables = await startTables(['idcheck', 'runs', 'puts']);
  try {
    const { measured, known } = await ourRun(tables);
    const puts = await conditionalPuts(tables, known);
    const head = [
      `a million records, by a run over ${grouped(RECORDS)} unchanged ones`,
      'DynamoDB requests',
      'read units',
      'write units',
      'units on the runs table',
      'messages',
      'DynamoDB $',
      `seconds here for ${grouped(RECORDS)}`,
    ];
    const rows = [rowOf('okki-sync', measured), rowOf('one conditional put per record', puts)];
    process.stdout.write(`Prices: ${PRICES_AS_OF}.\n\n${markdownTable(head, rows)}\n\n`);
  } finally {
    await tables.close();
  }
};
