import { describe, expect, test } from 'vitest';
import table from '../../../lib/aws/telemetry/metrics.json' with { type: 'json' };
import { type Measured, meteredLog, metricCollector } from '../../../lib/aws/telemetry/metrics.ts';
import { letterFor, letterForUnreadable, toldLetters, writeLetter } from '../../../lib/messages/dead-letter.ts';
import { openNotifier } from '../../../lib/notify/notifier.ts';
import { replay } from '../../../lib/replay/replay.ts';
import { reconcile } from '../../../lib/runs/reconcile.ts';
import { type LogEvent, silentLog } from '../../../lib/runtime/log.ts';
import { standardTuning } from '../../../lib/runtime/tuning.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';
import { failed, fakeHttp } from '../../fakes/fake-http.ts';
import { memoryAuditLog } from '../../fakes/memory-audit-log.ts';
import { memoryIdStore } from '../../fakes/memory-id-store.ts';
import { memoryRunStore } from '../../fakes/memory-run-store.ts';
import { memorySecretStore } from '../../fakes/memory-secret-store.ts';
import { fetchWorld, group, loadedItem, NAME } from '../../fetch/fetch-world.ts';
import { fails, loadWorld, refuses, takes, throttles } from '../../load/load-world.ts';
import { recordMessage } from '../../load/message.ts';
import { extractingRun, loadingRun } from '../../runs/run-record.ts';

const of = (measured: readonly Measured[], integration: string | undefined) =>
  measured.find((one) => one.integration === integration);

test('fetching counts the funnel of its records, its requests and what vanished, and sends no metric', async () => {
  const collector = metricCollector();
  const world = fetchWorld({
    pages: [
      [group(1), group(2)],
      [group(2), group(3, ' ')],
    ],
  });
  await world.idStore.write(NAME, loadedItem('9'), { absent: true });
  world.deps.log = meteredLog(silentLog, collector);
  await world.untilExtracted();
  expect(collector.take()).toEqual([
    {
      integration: NAME,
      metrics: {},
      counts: {
        RunsStarted: 1,
        RecordsFetched: 4,
        RecordsFiltered: 1,
        RecordsMerged: 1,
        RecordsEnqueued: 2,
        SourceRequests: 2,
        RecordsVanished: 1,
      },
    },
  ]);
});

test('loading counts how deliveries ended, what they waited for, and its requests; a metric tells what failed', async () => {
  const collector = metricCollector();
  const world = loadWorld({ deps: { log: meteredLog(silentLog, collector) }, retry: { maxAttempts: 2 } });
  world.answer = ([record], index) => {
    if (index === 0) return throttles(5_000);
    if (record?.id === 'refused') return refuses;
    if (record?.id === 'failing') return fails;
    return takes;
  };
  await world.send(recordMessage({ id: 'waiting' }));
  await world.run();
  await world.send(
    recordMessage({ id: 'refused' }),
    recordMessage({ id: 'failing' }),
    recordMessage({ id: 'waiting' }),
  );
  await world.run();
  await world.records.sendAll([{ body: 'not a record' }]);
  await world.run();
  const measured = of(collector.take(), 'groups');
  expect(measured?.counts).toEqual({
    RecordsPutOff: 1,
    LimiterWaits: 1,
    RecordsLoaded: 1,
    RecordsRejected: 1,
    RecordsRetried: 1,
    RecordsExhausted: 1,
    RecordsAcknowledged: 1,
    TargetRequests: 5,
  });
  // Three requests failed, one loaded: 4 × 3 − 1.
  expect(measured?.metrics).toEqual({ FailureScore: 11 });
});

test('what loads and what is put off sends no metric: a quiet integration costs none', async () => {
  const collector = metricCollector();
  const world = loadWorld({ deps: { log: meteredLog(silentLog, collector) } });
  world.answer = (_, index) => (index === 0 ? throttles(5_000) : takes);
  await world.send(...['a', 'b', 'c'].map((id) => recordMessage({ id })));
  await world.run();
  expect(of(collector.take(), 'groups')).toMatchObject({ metrics: {}, counts: { RecordsLoaded: 3 } });
});

describe('the dead-letter queue', () => {
  const letters = async (failed: number[], ...bodies: string[]) => {
    const collector = metricCollector();
    const logged: LogEvent[] = [];
    const note = (...event: LogEvent): void => {
      logged.push(event);
    };
    const log = meteredLog({ info: note, warn: note, error: note }, collector);
    await toldLetters({ sendAll: async () => ({ failed }) }, log).sendAll(bodies.map((body) => ({ body })));
    return { measured: collector.take(), logged };
  };
  const failure = { cause: 'status' as const, status: 422, atMs: 5 };
  const letter = (id: string) => writeLetter(letterFor('rejected', recordMessage({ id }), failure));

  test('tells each letter that it accepts, by its integration', async () => {
    const { measured, logged } = await letters([1], letter('a'), letter('b'), letter('c'));
    expect(measured).toEqual([
      { metrics: { DeliveriesFailed: 1 }, counts: {} },
      { integration: 'groups', metrics: { LettersWritten: 2 }, counts: {} },
    ]);
    expect(logged.map(([name, { id, reason }]) => [name, id, reason])).toEqual([
      ['letters-not-written', undefined, undefined],
      ['letter-written', 'a', 'rejected'],
      ['letter-written', 'c', 'rejected'],
    ]);
  });

  test('tells why it takes none, and throws it on', async () => {
    const logged: LogEvent[] = [];
    const log = { ...silentLog, error: (...event: LogEvent): void => void logged.push(event) };
    const denied = new Error('is not authorized to perform: sqs:SendMessage');
    const queue = toldLetters({ sendAll: () => Promise.reject(denied) }, log);
    await expect(queue.sendAll([{ body: letter('a') }])).rejects.toBe(denied);
    expect(logged).toEqual([['letters-not-written', { letters: 1, error: String(denied) }]]);
  });

  test('tells letters of messages that nobody can read, too', async () => {
    const { measured } = await letters([], writeLetter(letterForUnreadable('{', 'the body is not JSON', 5)));
    expect(measured).toEqual([{ integration: 'unknown', metrics: { LettersWritten: 1 }, counts: {} }]);
  });
});

test('every metric and every count of the table comes from some flow, and none outside the table', async () => {
  const collector = metricCollector();
  const log = meteredLog(silentLog, collector);
  const fetching = fetchWorld({ pages: [[group(1)]] });
  fetching.deps.log = log;
  await fetching.idStore.write(NAME, loadedItem('9'), { absent: true });
  await fetching.untilExtracted();
  const ofEach = { fetched: 7, filtered: 1, invalid: 1, merged: 1, unchanged: 1, skipped: 1, waiting: 1, enqueued: 1 };
  log.info('page', { integration: NAME, runId: 'r', requests: 1, ...ofEach });
  const incomplete = fetchWorld({ pages: [] });
  incomplete.deps.log = log;
  incomplete.answers.set(0, { kind: 'failed', code: 'http-500', message: 'down', requests: 1, warnings: [] });
  await incomplete.invoke();

  const loading = loadWorld({ deps: { log }, policy: { onUncertain: 'park' }, retry: { maxAttempts: 2 } });
  const byId = {
    refused: refuses,
    failing: fails,
    lost: { ...takes, outcomes: { kind: 'uncertain', failure: { cause: 'reset' } } },
  } as const;
  loading.answer = ([record], index) =>
    index === 0 ? throttles(1_000) : (byId[record?.id as keyof typeof byId] ?? takes);
  await loading.send(...['a', 'refused', 'failing', 'lost'].map((id) => recordMessage({ id })));
  await loading.run();
  await loading.send(recordMessage({ id: 'a' }));
  await loading.records.sendAll([{ body: '{' }]);
  await loading.run();
  loading.deps.deadLetters = { sendAll: async () => ({ failed: [0] }) };
  await loading.records.sendAll([{ body: '{' }]);
  await loading.run();
  const { deadLetters, records, clock } = loading;
  await toldLetters(deadLetters, log).sendAll([{ body: writeLetter(letterForUnreadable('{', 'not JSON', 1)) }]);
  const runs = memoryRunStore();
  await replay({}, { deadLetters, records, audit: memoryAuditLog(), clock, log, runs });

  const entries = [{ id: '1', outcome: 'enqueued' as const, hash: 'A' }];
  await runs.saveChunk(loadingRun.integration, {
    runId: loadingRun.runId,
    index: 1,
    versionMs: 1,
    entries,
    memory: [],
  });
  await runs.saveRun({ ...loadingRun, counts: { ...loadingRun.counts, fetched: 1, enqueued: 1 } });
  await runs.saveRun({ ...extractingRun, runId: `${extractingRun.runId}-2`, startedMs: extractingRun.startedMs + 1 });
  const onClosed = openNotifier(
    { NOTIFY_FORMAT: 'json', NOTIFY_WEBHOOK_URL: 'http://127.0.0.1/hook' },
    { http: fakeHttp(() => failed('refused')), secrets: memorySecretStore(), clock, log },
  );
  await onClosed?.({ ...loadingRun, status: 'unbalanced' }, loadingRun);
  const policy = { idCheck: false, onUncertain: 'resend' } as const;
  const watched = { integration: loadingRun.integration, policy, deadlineMs: 1, missingAfterMs: 1 };
  for (const name of [loadingRun.integration, 'never-run']) {
    const deps = { idStore: memoryIdStore(), runs, clock, log, tuning: standardTuning };
    await reconcile({ ...watched, integration: name }, deps);
  }

  const taken = collector.take();
  const namesOf = (part: 'metrics' | 'counts') => new Set(taken.flatMap((one) => Object.keys(one[part])));
  expect(namesOf('metrics')).toEqual(new Set(Object.keys(table.metrics)));
  expect(namesOf('counts')).toEqual(new Set(Object.keys(table.counts)));
});

test.each([
  { title: 'balanced', ...loadingRun, status: 'balanced' as const, chunks: 0 },
  // A planned first load: all is open, and its deadline has not passed.
  { title: 'loading', ...loadingRun, counts: { ...loadingRun.counts, fetched: 1, enqueued: 1 } },
  { title: 'extracting', ...extractingRun },
])(
  'a $title run that goes as planned sends no metric, however often it is reconciled',
  async ({ title: _, ...run }) => {
    const collector = metricCollector();
    const runs = memoryRunStore();
    const clock = fakeClock(run.startedMs + 60_000);
    const { integration, runId } = run;
    const entries = [{ id: '1', outcome: 'enqueued' as const, hash: 'A' }];
    await runs.saveChunk(integration, { runId, index: 1, versionMs: run.versionMs, entries, memory: [] });
    await runs.saveRun(run);
    const policy = { idCheck: false, onUncertain: 'resend' } as const;
    const log = meteredLog(silentLog, collector);
    const watched = { integration, policy, deadlineMs: 120_000, missingAfterMs: 120_000 };
    await reconcile(watched, { idStore: memoryIdStore(), runs, clock, log, tuning: standardTuning });
    expect(collector.take()).toEqual([]);
  },
);

test('values add up by integration, and taking them empties the collector', () => {
  const collector = metricCollector();
  collector.add('RecordsLoaded', 2, 'a');
  collector.add('RecordsLoaded', 3, 'a');
  collector.add('RecordsLoaded', 1, 'b');
  expect(collector.take()).toEqual([
    { integration: 'a', metrics: {}, counts: { RecordsLoaded: 5 } },
    { integration: 'b', metrics: {}, counts: { RecordsLoaded: 1 } },
  ]);
  expect(collector.take()).toEqual([]);
});

test('what is nothing is not reported', () => {
  const collector = metricCollector();
  collector.add('RunOverdue', 0, 'a');
  collector.add('RecordsLoaded', 0, 'a');
  expect(collector.take()).toEqual([]);
});

test('a metric of the service keeps its dimensions whichever integration it came from', () => {
  const collector = metricCollector();
  collector.add('NotificationsFailed', 1, 'a');
  expect(collector.take()).toEqual([{ metrics: { NotificationsFailed: 1 }, counts: {} }]);
});

test('dimensions are bounded: the service and the integration, nothing else', () => {
  const allowed = new Set(['service', 'integration']);
  for (const { dimensions } of Object.values(table.metrics)) {
    expect(dimensions.every((dimension) => allowed.has(dimension))).toBe(true);
  }
});
