import { type Address, addressOf } from '../connection/api/connection.ts';
import type { ConnectionEvent } from '../connection/auth/scheme.ts';
import { healthView } from '../connection/limit/health.ts';
import { cachedSecrets, type SecretStore } from '../connection/secrets.ts';
import { type DispatchDeps, type DispatchEvent, dispatch } from '../dispatch/dispatch.ts';
import { dispatchPlanOf, type FetchDeps, type FetchEvent, type FetchPlan, fetchPlanOf } from '../fetch/fetch-plan.ts';
import { type FetchEnd, fetchRun } from '../fetch/fetch-run.ts';
import { readTimeBudgetMs } from '../fetch/time-budget.ts';
import type { Catalog } from '../integration/catalog.ts';
import { sourcePlanOf } from '../integration/compile/source-plan.ts';
import { targetPlanOf } from '../integration/compile/target-plan.ts';
import type { Integration } from '../integration/schema/schema.ts';
import type { Delivery } from '../load/deliveries.ts';
import type { LoadEvent } from '../load/events.ts';
import { loadBatch } from '../load/load-batch.ts';
import { type LoaderDeps, loadPlanOf, type OpenedPlan } from '../load/load-plan.ts';
import { type LetterEvent, toldLetters } from '../messages/dead-letter.ts';
import type { RunRequest } from '../messages/run-request.ts';
import { type NotifyEvent, notifierIfAny, notifierOf, restNotifierIfAny } from '../notify/notifier.ts';
import { type OwnEnds, type Side, sides } from '../runs/ends.ts';
import { type ReconcileDeps, type ReconcileEvent, reconcileAll } from '../runs/reconcile.ts';
import { reconcilingOf } from '../runs/reconciling.ts';
import type { RunRecord } from '../runs/record.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import { openSource, type SourceDeps, type SourceEvent } from '../source/http-source.ts';
import type { Runtime, Stores } from '../stores/stores.ts';
import { openTarget, type TargetDeps } from '../target/http-target.ts';

/** What HTTP to either end needs of an engine. */
type ConnectionStores = Pick<Stores, 'tokens' | 'secrets' | 'limiter'>;

type ConnectionRuntime = Runtime<ConnectionEvent | SourceEvent>;

/** What all share that speak to the two ends: HTTP, tokens, secrets and rate limits. */
export type Connections = SourceDeps & TargetDeps;

export const connectionsOf = (
  { tokens, secrets, limiter }: ConnectionStores,
  runtime: ConnectionRuntime,
): Connections => ({
  ...runtime,
  tokens,
  limiter,
  secrets: cachedSecrets(secrets, runtime.clock, runtime.tuning.connection.secretLifeMs),
});

type AddressDeps = Pick<Connections, 'env'> & { secrets: SecretStore };

/** Where one end of an integration is now. Throws ConfigurationError and SecretUnreadableError. */
export const addressOfEnd = (
  { name, ...ends }: Integration,
  side: Side,
  { env, secrets }: AddressDeps,
): Promise<Address> =>
  addressOf(ends[side].connection, { file: `integrations/${name}.json`, path: `${side}.connection` }, env, secrets);

/** Where the ends are now that are asked for. Throws ConfigurationError and SecretUnreadableError. */
export const ownEnds = async (
  integration: Integration,
  asked: readonly Side[],
  deps: AddressDeps,
): Promise<OwnEnds> => {
  const found = asked.map(
    async (side): Promise<[Side, Address]> => [side, await addressOfEnd(integration, side, deps)],
  );
  return Object.fromEntries(await Promise.all(found));
};

/** Opens an integration by its name; undefined: there is none. Throws ConfigurationError. */
export type Open<Opened> = (name: string) => Promise<Opened | undefined>;

/** Opens each integration of a catalog at its first use; a failure is not remembered. */
export const openOnce = <Opened>(
  catalog: Catalog,
  open: (integration: Integration) => Opened | Promise<Opened>,
): Open<Opened> => {
  const opened = new Map<string, Promise<Opened>>();
  return async (name) => {
    const integration = await catalog.find(name);
    if (integration === undefined) return undefined;
    const known = opened.get(name) ?? Promise.resolve(integration).then(open);
    opened.set(name, known);
    try {
      return await known;
    } catch (error) {
      opened.delete(name);
      throw error;
    }
  };
};

/** Thrown for a request that names an integration which does not exist. */
class UnknownIntegrationError extends Error {
  override readonly name = 'UnknownIntegrationError';
  readonly code = 'unknown-integration';
}

/** Integrations of a catalog as they are fetched: over HTTP. */
export const openSources = (
  catalog: Catalog,
  stores: ConnectionStores,
  runtime: ConnectionRuntime,
): Open<FetchPlan> => {
  const connections = connectionsOf(stores, runtime);
  return openOnce(catalog, (integration) =>
    fetchPlanOf(
      integration,
      openSource(sourcePlanOf(integration), connections),
      () => ownEnds(integration, sides, connections),
      runtime.env,
    ),
  );
};

type FetchStores = Pick<FetchDeps, 'idStore' | 'runs' | 'records' | 'runRequests' | 'deadLetters' | 'limiter'> &
  Pick<Stores, 'health' | 'secrets'>;

/**
 * Starts, resumes or continues runs, one request after the other. Throws ConfigurationError; a request throws
 * UnknownIntegrationError and what `fetchRun` throws.
 */
export const fetchFlow = (
  stores: FetchStores,
  open: Open<FetchPlan>,
  runtime: Runtime<FetchEvent | LetterEvent | NotifyEvent>,
): ((request: RunRequest, remainingMs: RemainingMs) => Promise<FetchEnd>) => {
  const timeBudgetMs = readTimeBudgetMs(runtime.env);
  const onFailed = notifierIfAny(stores, runtime);
  const health = healthView(stores.health, runtime);
  const deadLetters = toldLetters(stores.deadLetters, runtime.log);
  const deps: FetchDeps = { ...stores, ...runtime, health, deadLetters, ...defined({ timeBudgetMs, onFailed }) };
  return async (request, remainingMs) => {
    const plan = await open(request.integration);
    if (plan === undefined) {
      throw new UnknownIntegrationError(`there is no integration ${JSON.stringify(request.integration)}`);
    }
    return fetchRun(request, plan, deps, remainingMs);
  };
};

/** Integrations of a catalog as they are loaded: over HTTP. */
export const openTargets = (
  catalog: Catalog,
  stores: ConnectionStores,
  runtime: ConnectionRuntime,
): Open<OpenedPlan> => {
  const connections = connectionsOf(stores, runtime);
  return openOnce(catalog, async (integration) =>
    loadPlanOf(integration, openTarget(await targetPlanOf(integration), connections), () =>
      addressOfEnd(integration, 'target', connections),
    ),
  );
};

type LoadStores = Pick<LoaderDeps, 'idStore' | 'records' | 'deadLetters' | 'limiter' | 'runs'> &
  Pick<Stores, 'health' | 'secrets'>;

type DispatchStores = Pick<DispatchDeps, 'records' | 'limiter' | 'health'> & Pick<Stores, 'runs'>;

/**
 * Sends what waits in ledgers, as the targets' limits have room. A limit that cannot be read holds up its own integration
 * alone. Throws ConfigurationError, and what `dispatch` throws, when the others are done.
 */
export const dispatchFlow =
  (stores: DispatchStores, runtime: Runtime<DispatchEvent>) =>
  async (integrations: readonly Integration[], remainingMs: RemainingMs): Promise<{ left: number }> => {
    const errors: unknown[] = [];
    const plans = integrations.flatMap((integration) => {
      try {
        return [dispatchPlanOf(integration, runtime.env)];
      } catch (error) {
        errors.push(error);
        runtime.log.error('dispatch-failed', { integration: integration.name, error: String(error) });
        return [];
      }
    });
    const end = await dispatch(plans, { ...stores, ...runtime }, remainingMs);
    if (errors.length > 0) throw errors[0];
    return end;
  };

/** Loads batches of deliveries, and names those that must come again. */
export const loadFlow = (
  stores: LoadStores,
  open: Open<OpenedPlan>,
  runtime: Runtime<LoadEvent | LetterEvent | NotifyEvent>,
): ((deliveries: readonly Delivery[], remainingMs: RemainingMs) => Promise<{ failedMessageIds: string[] }>) => {
  const onRest = restNotifierIfAny(stores, runtime);
  const deps: LoaderDeps = {
    ...stores,
    ...runtime,
    health: healthView(stores.health, runtime),
    deadLetters: toldLetters(stores.deadLetters, runtime.log),
    open,
    ...defined({ onRest }),
  };
  return (deliveries, remainingMs) => loadBatch(deliveries, deps, remainingMs);
};

/** Balances the books of integrations' open runs, within `remainingMs` where it is given. Throws ConfigurationError. */
export const reconcileFlow = (
  stores: Pick<Stores, 'idStore' | 'runs' | 'secrets'>,
  runtime: Runtime<ReconcileEvent | NotifyEvent>,
): ((integrations: readonly Integration[], remainingMs?: RemainingMs) => Promise<RunRecord[]>) => {
  const onClosed = notifierOf(stores, runtime);
  const deps: ReconcileDeps = { ...stores, ...runtime, ...defined({ onClosed }) };
  return (integrations, remainingMs) => reconcileAll(integrations.map(reconcilingOf), deps, remainingMs);
};
