import { healthView } from '../connection/limit/health-view.ts';
import { type FetchDeps, type FetchEvent, type FetchPlan, fetchPlanOf } from '../fetch/fetch-plan.ts';
import { type FetchEnd, fetchRun } from '../fetch/fetch-run.ts';
import { readTimeBudgetMs } from '../fetch/time-budget.ts';
import type { Catalog } from '../integration/catalog.ts';
import { sourcePlanOf } from '../integration/compile/source-plan.ts';
import type { RunRequest } from '../messages/run-request.ts';
import { type NotifyEvent, notifierIfAny } from '../notify/notifier.ts';
import { sides } from '../runs/ends.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import { openSource } from '../source/http-source.ts';
import type { Runtime, Stores } from '../stores/stores.ts';
import { type ConnectionRuntime, type ConnectionStores, connectionsOf, type Open, openOnce, ownEnds } from './open.ts';

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
    fetchPlanOf(integration, openSource(sourcePlanOf(integration), connections), () =>
      ownEnds(integration, sides, connections),
    ),
  );
};

type FetchStores = Pick<FetchDeps, 'idStore' | 'runs' | 'records' | 'runRequests' | 'deadLetters'> &
  Pick<Stores, 'health' | 'secrets'>;

/**
 * Starts, resumes or continues runs, one request after the other. Throws ConfigurationError; a request throws
 * UnknownIntegrationError and what `fetchRun` throws.
 */
export const fetchFlow = (
  stores: FetchStores,
  open: Open<FetchPlan>,
  runtime: Runtime<FetchEvent | NotifyEvent>,
): ((request: RunRequest, remainingMs: RemainingMs) => Promise<FetchEnd>) => {
  const timeBudgetMs = readTimeBudgetMs(runtime.env);
  const onFailed = notifierIfAny(stores, runtime);
  const health = healthView(stores.health, runtime);
  const deps: FetchDeps = { ...stores, ...runtime, health, ...defined({ timeBudgetMs, onFailed }) };
  return async (request, remainingMs) => {
    const plan = await open(request.integration);
    if (plan === undefined) {
      throw new UnknownIntegrationError(`there is no integration ${JSON.stringify(request.integration)}`);
    }
    return fetchRun(request, plan, deps, remainingMs);
  };
};
