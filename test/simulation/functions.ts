import { connect } from '../../lib/connection/api/api.ts';
import { limitOf } from '../../lib/connection/limit/rate-limit.ts';
import { cachedSecrets } from '../../lib/connection/secrets.ts';
import { type FetchDeps, type Fetching, fetchRun } from '../../lib/fetch/fetch-run.ts';
import { fetchingOf } from '../../lib/fetch/fetching.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { isJsonObject } from '../../lib/json/json.ts';
import { loadBatch } from '../../lib/load/load-batch.ts';
import type { LoaderDeps, Loading } from '../../lib/load/loading.ts';
import type { Queue } from '../../lib/messages/queue.ts';
import { readFetchEvent } from '../../lib/messages/run-request.ts';
import { readReplayEvent, replay } from '../../lib/replay/replay.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import { silentLog as log } from '../../lib/runtime/log.ts';
import { openSource } from '../../lib/source/http-source.ts';
import type { Source } from '../../lib/source/source.ts';
import { httpTarget } from '../../lib/target/http-target.ts';
import { memorySecretStore } from '../fakes/memory-secret-store.ts';
import { clockOf, type Environment, type LambdaFunction } from './lambda.ts';
import { httpOf, SOURCE_URL, TARGET_URL } from './network.ts';
import { queueOf } from './sqs.ts';
import { idStoreOf, limiterOf, runStoreOf, tokenStoreOf } from './stores.ts';
import type { World } from './world.ts';

const env = {
  OKKI_BASE_URL: SOURCE_URL,
  OKKI_CLIENT_ID: 'client',
  OKKI_CLIENT_SECRET: 'secret',
  QINGYIYUN_BASE_URL: TARGET_URL,
  QINGYIYUN_TOKEN: 'token',
  CRM_BASE_URL: TARGET_URL,
  CRM_TOKEN: 'token',
};

type Wrap<Port> = ((port: Port, world: World, environment: Environment) => Port) | undefined;

/** The ports of one environment, with the deliberate bug between them and the flows. */
const portsOf = (world: World, environment: Environment) => {
  const { bug } = world;
  const wrapped = <Port>(port: Port, wrap: Wrap<Port>): Port => (wrap ? wrap(port, world, environment) : port);
  const clock = clockOf(world, environment);
  const random = world.chance;
  const limiter = limiterOf(world, environment);
  return {
    wrapped,
    clock,
    random,
    limiter,
    idStore: wrapped(idStoreOf(world, environment), bug.idStore),
    runs: wrapped(runStoreOf(world, environment), bug.runs),
    records: queueOf(world, environment, world.queues.records),
    deadLetters: queueOf(world, environment, world.queues['dead-letters']),
    continuations: queueOf(world, environment, world.queues.runs),
    connections: {
      http: httpOf(world, environment),
      tokens: tokenStoreOf(world, environment),
      secrets: cachedSecrets(memorySecretStore(), clock),
      limiter,
      clock,
      random,
      log,
      env,
    },
  };
};

/** Under what a record stands in the ledger; '' where that is its place. */
const ledgerId = (record: JsonValue): string => (isJsonObject(record) ? String(record.id ?? '') : '');

// These four are what functions/*.ts and lib/aws/lambda/open-*.ts wire, over the simulated world.

/** `functions/fetch`. */
const fetchFunction = (world: World): LambdaFunction => ({
  name: 'fetch',
  timeoutMs: 300_000,
  open: (environment) => {
    const { bug, settings } = world;
    const { integration } = settings;
    const ports = portsOf(world, environment);
    const { wrapped, clock, random, idStore, runs, continuations } = ports;
    const records = wrapped<Queue>(ports.records, bug.fetchRecords);
    const deps: FetchDeps = { idStore, records, continuations, runs, clock, random, log };
    const source = wrapped(openSource(integration, ports.connections), bug.source);
    const watched: Source = {
      readPage: async (...asked) => {
        const page = await source.readPage(...asked);
        if (page.kind === 'page') world.audit.pageRead(environment, page.records.map(ledgerId));
        return page;
      },
    };
    const asWritten = fetchingOf(integration, watched);
    const fetching: Fetching = {
      ...asWritten,
      policy: bug.fetchPolicy ? bug.fetchPolicy(settings.policy) : settings.policy,
      transform: wrapped(asWritten.transform, bug.transform),
    };
    return async (event, remainingMs) => {
      for (const asked of readFetchEvent(event)) {
        const request = bug.runRequest ? bug.runRequest(asked, world) : asked;
        const { runId, end } = await fetchRun(request, fetching, deps, remainingMs);
        world.note(environment.name, 'ends', runId, end);
      }
    };
  },
});

/** `functions/load`. */
const loadFunction = (world: World): LambdaFunction => ({
  name: 'load',
  timeoutMs: 60_000,
  open: (environment) => {
    const { bug, settings } = world;
    const { integration } = settings;
    const ports = portsOf(world, environment);
    const { wrapped, clock, random, limiter, idStore, runs, connections } = ports;
    const { name, target } = integration;
    const place = { file: `${name}.json`, path: 'target' };
    const api = connect(target.connection, place, connections);
    const limit = limitOf(target.rateLimit, place, env);
    const loading: Loading = {
      integration: name,
      policy: bug.loadPolicy ? bug.loadPolicy(settings.policy) : settings.policy,
      retry: target.retry,
      ...(settings.tree !== 'none' && { rejectedParent: settings.tree }),
      target: wrapped(httpTarget(integration, api, limit, clock), bug.target),
    };
    const deps: LoaderDeps = {
      open: async (asked) => (asked === name ? loading : undefined),
      idStore,
      records: wrapped<Queue>(ports.records, bug.loadRecords),
      deadLetters: wrapped<Queue>(ports.deadLetters, bug.deadLetters),
      limiter,
      runs,
      clock,
      random,
      log,
    };
    return async (event, remainingMs) => {
      const deliveries = event as { messageId: string; body: string }[];
      return (await loadBatch(deliveries, deps, remainingMs)).failedMessageIds;
    };
  },
});

/** `functions/replay`. */
const replayFunction = (world: World): LambdaFunction => ({
  name: 'replay',
  timeoutMs: 300_000,
  open: (environment) => {
    const { wrapped, records, deadLetters, clock } = portsOf(world, environment);
    const deps = { deadLetters, records: wrapped<Queue>(records, world.bug.replayRecords), clock, log };
    return (event) => replay(readReplayEvent(event), deps);
  },
});

/** `functions/reconcile`. */
const reconcileFunction = (world: World): LambdaFunction => ({
  name: 'reconcile',
  timeoutMs: 300_000,
  open: (environment) => {
    const { idStore, runs, clock } = portsOf(world, environment);
    const { integration, policy } = world.settings;
    const reconciling = {
      integration: integration.name,
      idCheck: policy.idCheck,
      deadlineMs: integration.deadlineMinutes * 60_000,
    };
    return async () => {
      await reconcile(reconciling, { idStore, runs, clock, log });
    };
  },
});

export type Functions = Record<'fetch' | 'load' | 'replay' | 'reconcile', LambdaFunction>;

export const functionsOf = (world: World): Functions => ({
  fetch: fetchFunction(world),
  load: loadFunction(world),
  replay: replayFunction(world),
  reconcile: reconcileFunction(world),
});
