import { type FetchDeps, fetchPlanOf } from '../../lib/fetch/fetch-plan.ts';
import {
  addressOfEnd,
  type Connections,
  connectionsOf,
  dispatchFlow,
  fetchFlow,
  loadFlow,
  type Open,
  ownEnds,
  reconcileFlow,
} from '../../lib/flows/flows.ts';
import { sourcePlanOf } from '../../lib/integration/compile/source-plan.ts';
import { targetPlanOf } from '../../lib/integration/compile/target-plan.ts';
import { isJsonObject, isNumber, type JsonValue } from '../../lib/json/json.ts';
import { loadPlanOf } from '../../lib/load/load-plan.ts';
import type { Queue } from '../../lib/messages/queue.ts';
import { readFetchEvent } from '../../lib/messages/run-request.ts';
import type { CloseDeps } from '../../lib/operate/close-letters.ts';
import { readReplayEvent, replay } from '../../lib/replay/replay.ts';
import { sides } from '../../lib/runs/ends.ts';
import type { LogEvent } from '../../lib/runtime/log.ts';
import { once } from '../../lib/runtime/once.ts';
import { openSource } from '../../lib/source/http-source.ts';
import type { Source } from '../../lib/source/source.ts';
import type { Runtime, Stores } from '../../lib/stores/stores.ts';
import { openTarget } from '../../lib/target/http-target.ts';
import { clockOf } from './clocks.ts';
import type { Environment, LambdaFunction } from './lambda.ts';
import { envOf } from './moving.ts';
import { httpOf } from './network.ts';
import { listeningLog } from './states.ts';
import { storesOf } from './stores.ts';
import type { World } from './world.ts';

type Wrap<Port> = ((port: Port, world: World, environment: Environment) => Port) | undefined;

/** What one environment has to work with; `wrapped` puts the deliberate bug between a port and the flows. */
type Equipment = {
  stores: Stores;
  runtime: Runtime<LogEvent>;
  connections: Connections;
  wrapped<Port>(port: Port, wrap: Wrap<Port>): Port;
};

const equip = (world: World, environment: Environment): Equipment => {
  const { bug } = world;
  const wrapped = <Port>(port: Port, wrap: Wrap<Port>): Port => (wrap ? wrap(port, world, environment) : port);
  const asReached = storesOf(world, environment);
  const stores = { ...asReached, limiter: wrapped(asReached.limiter, bug.limiter) };
  const runtime = {
    clock: clockOf(world, environment),
    random: world.chance,
    log: listeningLog(world),
    env: envOf(world),
    http: wrapped(httpOf(world, environment), bug.http),
    tuning: world.settings.tuning,
  };
  return {
    stores: {
      ...stores,
      health: wrapped(stores.health, bug.health),
      idStore: wrapped(stores.idStore, bug.idStore),
      runs: wrapped(stores.runs, bug.runs),
    },
    runtime,
    connections: connectionsOf(stores, runtime),
    wrapped,
  };
};

/** Opens the world's integrations by their names, each once in an environment. */
const each = <Opened>({ all }: World, open: (world: World) => Opened | Promise<Opened>): Open<Opened> => {
  const opened = new Map(all.map((world) => [world.settings.integration.name, once(() => open(world))]));
  return async (name) => opened.get(name)?.();
};

/** Under what a record stands in the ledger; '' where that is its place. */
const ledgerId = (record: JsonValue): string => {
  const id = isJsonObject(record) ? record.id : undefined;
  const isInexact = typeof id === 'number' && !Number.isSafeInteger(id);
  return !isInexact && (typeof id === 'string' || isNumber(id)) ? String(id).trim() : '';
};

/** `functions/fetch`. */
const fetchFunction = (world: World): LambdaFunction => ({
  name: 'fetch',
  timeoutMs: 300_000,
  open: (environment) => {
    const { bug } = world;
    const { stores, runtime, connections, wrapped } = equip(world, environment);
    const planOf = ({ integration, settings, audit }: World) => {
      const source = wrapped(openSource(sourcePlanOf(integration), connections), bug.source);
      const watched: Source = {
        readPage: async (...asked) => {
          const page = await source.readPage(...asked);
          if (page.kind === 'page') audit.pageRead(environment, page.records.map(ledgerId));
          return page;
        },
      };
      const asWritten = fetchPlanOf(integration, watched, () => ownEnds(integration, sides, connections), runtime.env);
      return {
        ...asWritten,
        policy: bug.fetchPolicy ? bug.fetchPolicy(settings.policy) : settings.policy,
        transform: wrapped(asWritten.transform, bug.transform),
      };
    };
    const records = wrapped<FetchDeps['records']>(stores.records, bug.fetchRecords);
    const fetchRun = fetchFlow({ ...stores, records }, each(world, planOf), runtime);
    return async (event, remainingMs) => {
      for (const asked of readFetchEvent(event)) {
        const request = bug.runRequest ? bug.runRequest(asked, world) : asked;
        const { runId, end } = await fetchRun(request, remainingMs);
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
    const { bug } = world;
    const { stores, runtime, connections, wrapped } = equip(world, environment);
    const open = async ({ settings }: World) => {
      const target = wrapped(openTarget(await targetPlanOf(settings.integration), connections), bug.target);
      const policy = bug.loadPolicy ? bug.loadPolicy(settings.policy) : settings.policy;
      return {
        ...loadPlanOf(settings.integration, target, () => addressOfEnd(settings.integration, 'target', connections)),
        policy,
      };
    };
    const records = wrapped<Queue>(stores.records, bug.loadRecords);
    const deadLetters = wrapped<Queue>(stores.deadLetters, bug.deadLetters);
    const loadBatch = loadFlow({ ...stores, records, deadLetters }, each(world, open), runtime);
    return async (event, remainingMs) => {
      const deliveries = event as { messageId: string; body: string }[];
      return (await loadBatch(deliveries, remainingMs)).failedMessageIds;
    };
  },
});

/** `functions/replay`. */
const replayFunction = (world: World): LambdaFunction => ({
  name: 'replay',
  timeoutMs: 300_000,
  open: (environment) => {
    const { stores, runtime, wrapped } = equip(world, environment);
    const records = wrapped<Queue>(stores.records, world.bug.replayRecords);
    return (event) => replay(readReplayEvent(event), { ...stores, ...runtime, records });
  },
});

/** `functions/reconcile`. */
const reconcileFunction = (world: World): LambdaFunction => ({
  name: 'reconcile',
  timeoutMs: 300_000,
  open: (environment) => {
    const { stores, runtime } = equip(world, environment);
    const reconcile = reconcileFlow(stores, runtime);
    return () => reconcile(world.all.map(({ settings }) => settings.integration));
  },
});

/** `functions/fetch`, as the tick invokes it. */
const dispatchFunction = (world: World): LambdaFunction => ({
  name: 'dispatch',
  timeoutMs: 300_000,
  open: (environment) => {
    const { stores, runtime, wrapped } = equip(world, environment);
    const records = wrapped<Queue>(stores.records, world.bug.dispatchRecords);
    const flow = dispatchFlow({ ...stores, records }, runtime);
    return (_event, remainingMs) =>
      flow(
        world.all.map(({ settings }) => settings.integration),
        remainingMs,
      );
  },
});

/** A command at a terminal. */
const operatorFunction = (world: World): LambdaFunction => ({
  name: 'operator',
  timeoutMs: 300_000,
  open: (environment) => {
    const { stores, runtime } = equip(world, environment);
    return (event) => (event as (deps: CloseDeps) => Promise<unknown>)({ ...stores, ...runtime });
  },
});

export type Functions = Record<'fetch' | 'load' | 'replay' | 'reconcile' | 'dispatch' | 'operator', LambdaFunction>;

export const functionsOf = (world: World): Functions => ({
  fetch: fetchFunction(world),
  load: loadFunction(world),
  replay: replayFunction(world),
  reconcile: reconcileFunction(world),
  dispatch: dispatchFunction(world),
  operator: operatorFunction(world),
});
