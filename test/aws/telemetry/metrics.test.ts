import { expect, test } from 'vitest';
import {
  type Measured,
  type MetricName,
  meteredLog,
  metricCollector,
  metricTable,
} from '../../../lib/aws/telemetry/metrics.ts';
import { openNotifier } from '../../../lib/notify/notifier.ts';
import { replay } from '../../../lib/replay/replay.ts';
import { reconcile } from '../../../lib/runs/reconcile.ts';
import { silentLog } from '../../../lib/runtime/log.ts';
import { standardTuning } from '../../../lib/runtime/tuning.ts';
import { failed, fakeHttp } from '../../fakes/fake-http.ts';
import { memoryAuditLog } from '../../fakes/memory-audit-log.ts';
import { memoryIdStore } from '../../fakes/memory-id-store.ts';
import { memoryRunStore } from '../../fakes/memory-run-store.ts';
import { memorySecretStore } from '../../fakes/memory-secret-store.ts';
import { fetchWorld, group, loadedItem, NAME } from '../../fetch/fetch-world.ts';
import { fails, loadWorld, refuses, takes, throttles } from '../../load/load-world.ts';
import { recordMessage } from '../../load/message.ts';
import { loadingRun } from '../../runs/run-record.ts';

const valuesOf = (measured: readonly Measured[], integration: string | undefined) =>
  measured.find((one) => one.integration === integration)?.values ?? {};

test('fetching reports the funnel of its records, its requests and what vanished', async () => {
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
      values: {
        RunsStarted: 1,
        RecordsFetched: 4,
        RecordsFiltered: 1,
        RecordsInvalid: 0,
        RecordsMerged: 1,
        RecordsUnchanged: 0,
        RecordsSkipped: 0,
        RecordsEnqueued: 2,
        SourceRequests: 2,
        RecordsVanished: 1,
      },
    },
  ]);
});

test('loading reports how deliveries ended, what they waited for, and its requests', async () => {
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
  const measured = collector.take();
  expect(valuesOf(measured, 'groups')).toEqual({
    RecordsPutOff: 1,
    LimiterWaits: 1,
    RecordsLoaded: 1,
    RecordsRejected: 1,
    RecordsRetried: 1,
    RecordsExhausted: 1,
    RecordsAcknowledged: 1,
    TargetRequests: 5,
  });
  expect(valuesOf(measured, undefined)).toEqual({ MessagesUnreadable: 1 });
});

test('every metric of the table is emitted by some flow, and none outside the table', async () => {
  const collector = metricCollector();
  const log = meteredLog(silentLog, collector);
  const fetching = fetchWorld({ pages: [[group(1)]] });
  fetching.deps.log = log;
  await fetching.untilExtracted();
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
  const { deadLetters, records, clock } = loading;
  const runs = memoryRunStore();
  await replay({}, { deadLetters, records, audit: memoryAuditLog(), clock, log, runs });

  await runs.saveRun({ ...loadingRun, chunks: 0, startedMs: clock.nowMs() });
  const onClosed = openNotifier(
    { NOTIFY_FORMAT: 'json', NOTIFY_WEBHOOK_URL: 'http://127.0.0.1/hook' },
    { http: fakeHttp(() => failed('refused')), secrets: memorySecretStore(), clock, log },
  );
  await onClosed?.({ ...loadingRun, status: 'unbalanced' }, loadingRun);
  const policy = { idCheck: false, onUncertain: 'resend' } as const;
  const watched = { integration: loadingRun.integration, policy, deadlineMs: 1, missingAfterMs: 1 };
  await reconcile(watched, { idStore: memoryIdStore(), runs, clock, log, tuning: standardTuning });

  const emitted = new Set(collector.take().flatMap(({ values }) => Object.keys(values)));
  expect(emitted).toEqual(new Set(Object.keys(metricTable)));
});

test('values add up by integration, and taking them empties the collector', () => {
  const collector = metricCollector();
  collector.add('RecordsLoaded', 2, 'a');
  collector.add('RecordsLoaded', 3, 'a');
  collector.add('RecordsLoaded', 1, 'b');
  expect(collector.take()).toEqual([
    { integration: 'a', values: { RecordsLoaded: 5 } },
    { integration: 'b', values: { RecordsLoaded: 1 } },
  ]);
  expect(collector.take()).toEqual([]);
});

test('a metric by integration is left out where nobody knows the integration', () => {
  const collector = metricCollector();
  collector.add('RecordsLoaded', 1);
  expect(collector.take()).toEqual([]);
});

test('a metric of the service keeps its dimensions whichever integration it came from', () => {
  const collector = metricCollector();
  collector.add('NotificationsFailed', 1, 'a');
  expect(collector.take()).toEqual([{ values: { NotificationsFailed: 1 } }]);
});

test('dimensions are bounded: the service and the integration, nothing else', () => {
  const allowed = new Set(['service', 'integration']);
  for (const name of Object.keys(metricTable) as MetricName[]) {
    expect(metricTable[name].dimensions.every((dimension) => allowed.has(dimension))).toBe(true);
  }
});
