import { expect, test } from 'vitest';
import { dynamoIdStore } from '../../lib/aws/dynamodb/id-store.ts';
import { dynamoRunStore } from '../../lib/aws/dynamodb/run-store.ts';
import { sqsQueue } from '../../lib/aws/sqs-queue.ts';
import { fetchRun } from '../../lib/fetch/fetch-run.ts';
import { loadBatch } from '../../lib/load/load-batch.ts';
import type { LoaderDeps, OpenedPlan } from '../../lib/load/load-plan.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import { runIdOf } from '../../lib/runs/record.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { startDynamo } from '../contracts/embedded-dynamodb.ts';
import { startSqs } from '../contracts/embedded-sqs.ts';
import { memoryRateLimiter } from '../fakes/memory-rate-limiter.ts';
import { DUE_MS, fetchWorld, group, NAME, schedule } from '../fetch/fetch-world.ts';
import { loadWorld } from '../load/load-world.ts';

const dynamo = await startDynamo();
const sqs = await startSqs();

const DEADLINE_MS = 2 * 3_600_000;
const HOUR_MS = 3_600_000;

test('a message that somebody deletes is missed, named after the deadline, and sent again by the next run', async () => {
  // Servers answer in real time; only waiting takes virtual time.
  let nowMs = DUE_MS;
  const clock: Clock = {
    nowMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += Math.max(0, ms);
    },
  };
  const { queueUrl } = await sqs.createQueues(5);
  const records = sqsQueue(sqs.client, queueUrl);
  const idStore = dynamoIdStore(await dynamo.createTable());
  const runs = dynamoRunStore(await dynamo.createTable());

  const source = fetchWorld({ pages: [[group(1), group(2), group(3)]] });
  const fetchDeps = { ...source.deps, idStore, runs, records, clock };
  const { deps: target } = loadWorld();
  const plan: OpenedPlan = {
    integration: NAME,
    policy: { idCheck: false, onUncertain: 'resend' },
    address: async () => ({ id: 'target-a', origin: 'https://target-a.example' }),
    retry: { maxAttempts: 3, baseMs: 1_000, capMs: 60_000 },
    target: {
      connection: 'target',
      limit: undefined,
      rows: 1,
      concurrency: 4,
      longestPostMs: 15_000,
      post: async (posted) => ({ outcomes: posted.map(() => ({ kind: 'loaded' })), requests: 1 }),
    },
  };
  const limiter = memoryRateLimiter(clock);
  const loadDeps: LoaderDeps = { ...target, open: async () => plan, idStore, runs, records, clock, limiter };
  const fetchAt = (scheduledMs: number) => fetchRun(schedule({ scheduledMs }), source.plan, fetchDeps, () => 300_000);
  const loadAll = async () => {
    for (;;) {
      const received = await records.receive(10, 60);
      if (received.length === 0) return;
      await loadBatch(received, loadDeps, () => 60_000);
      await records.delete(received.map(({ handle }) => handle));
    }
  };
  const balance = async () => {
    const reconciled = await reconcile(
      { integration: NAME, policy: { idCheck: false, onUncertain: 'resend' }, deadlineMs: DEADLINE_MS },
      { ...source.deps, idStore, runs, clock },
    );
    return Object.fromEntries(reconciled.map((run) => [run.runId, run]));
  };

  // The thief takes one of three messages before anybody loads it.
  await fetchAt(DUE_MS);
  const [stolen] = await records.receive(1, 60);
  const stolenId = JSON.parse(stolen?.body ?? '{}').id as string;
  await records.delete([stolen?.handle ?? '']);
  await loadAll();

  const firstRun = runIdOf(NAME, DUE_MS);
  expect((await balance())[firstRun]).toMatchObject({
    status: 'loading',
    counts: { enqueued: 3, loaded: 2, open: 1 },
    unsettled: { open: [stolenId] },
  });

  nowMs += DEADLINE_MS + 60_000;
  expect((await balance())[firstRun]).toMatchObject({ status: 'unbalanced', unsettled: { open: [stolenId] } });

  // The next run finds that idCheck does not know the record, and sends it alone.
  await fetchAt(DUE_MS + 3 * HOUR_MS);
  await loadAll();
  const after = await balance();
  expect(after[firstRun]).toMatchObject({ status: 'balanced', counts: { loaded: 3, open: 0 } });
  expect(after[runIdOf(NAME, DUE_MS + 3 * HOUR_MS)]).toMatchObject({
    status: 'balanced',
    counts: { fetched: 3, unchanged: 2, enqueued: 1, loaded: 1 },
  });
});
