import { readMessage } from '../lib/dispatch/message.ts';
import type { Outgoing, Queue } from '../lib/dispatch/queue.ts';
import { type FetchDeps, fetchRun } from '../lib/fetch/fetch-run.ts';
import { fetchingOf } from '../lib/fetch/fetching.ts';
import { dynamoIdStore } from '../lib/idcheck/dynamodb-store.ts';
import { dynamoRunStore } from '../lib/run/dynamodb-store.ts';
import { mapBounded } from '../lib/runtime/bounded.ts';
import { systemClock } from '../lib/runtime/clock.ts';
import { silentLog } from '../lib/runtime/log.ts';
import { systemRandom } from '../lib/runtime/random.ts';
import { startTables } from './embedded.ts';
import { groupSource, shippedIntegration } from './groups.ts';
import { atMost, grouped, markdownTable } from './markdown.ts';

const RECORDS = 10_000;
const INVOCATION_MS = 600_000;
const MAX_READ_UNITS_EACH = 0.05;

const collecting = (): Queue & { sent: Outgoing[] } => {
  const sent: Outgoing[] = [];
  return {
    sent,
    sendAll: async (messages) => {
      sent.push(...messages);
      return { failed: [] };
    },
  };
};

/** What a run costs when nothing changed: one first run, its records settled as loaded, and the run after it. */
export const benchCost = async (): Promise<string> => {
  const tables = await startTables(['idcheck', 'runs']);
  try {
    const { client, meter } = tables;
    const idStore = dynamoIdStore(client, 'idcheck');
    const records = collecting();
    const deps: FetchDeps = {
      idStore,
      records,
      continuations: collecting(),
      runs: dynamoRunStore(client, 'runs'),
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    };
    const fetching = fetchingOf(shippedIntegration(), groupSource(RECORDS));
    const run = (scheduledMs: number) => {
      const request = { kind: 'schedule' as const, integration: fetching.integration, scheduledMs, fullRefresh: false };
      return fetchRun(request, fetching, deps, () => INVOCATION_MS);
    };
    const startMs = systemClock.nowMs();
    await run(startMs);
    await mapBounded(records.sent, 16, async ({ body }) => {
      const read = readMessage(body);
      if (read.kind !== 'message') throw new Error(read.why);
      const { id, hash, versionMs } = read.message;
      const loaded = { hash, versionMs, atMs: systemClock.nowMs() };
      await idStore.write(fetching.integration, { id, rev: 2, loaded }, { absent: true });
    });
    records.sent.length = 0;
    meter.clear();
    const beganMs = performance.now();
    await run(startMs + 3_600_000);
    const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
    const of = (key: string) => meter.get(key) ?? { requests: 0, units: 0 };
    const unitsEach = of('idcheck read').units / RECORDS;
    const rows = [
      ['read units on idCheck', atMost(unitsEach, MAX_READ_UNITS_EACH, `${of('idcheck read').units.toFixed(1)}`)],
      ['read units on idCheck, each record', unitsEach.toFixed(4)],
      ['reading requests to idCheck', grouped(of('idcheck read').requests)],
      ['item writes to idCheck', grouped(of('idcheck write').requests)],
      ['messages', grouped(records.sent.length)],
      ['write units on the runs table (lease, run, ledger)', of('runs write').units.toFixed(1)],
      ['seconds on this machine', seconds],
    ];
    return markdownTable([`a run over ${grouped(RECORDS)} unchanged records`, ''], rows);
  } finally {
    await tables.close();
  }
};
