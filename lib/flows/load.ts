import type { Catalog } from '../integration/catalog.ts';
import { targetPlanOf } from '../integration/compile/target-plan.ts';
import type { Delivery } from '../load/deliveries.ts';
import type { LoadEvent } from '../load/events.ts';
import { loadBatch } from '../load/load-batch.ts';
import { type LoaderDeps, type LoadPlan, loadPlanOf } from '../load/load-plan.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import type { Runtime } from '../stores/stores.ts';
import { openTarget } from '../target/http-target.ts';
import { type ConnectionRuntime, type ConnectionStores, connectionsOf, type Open, openOnce } from './open.ts';

/** Integrations of a catalog as they are loaded: over HTTP. */
export const openTargets = (catalog: Catalog, stores: ConnectionStores, runtime: ConnectionRuntime): Open<LoadPlan> => {
  const connections = connectionsOf(stores, runtime);
  return openOnce(catalog, async (integration) =>
    loadPlanOf(integration, openTarget(await targetPlanOf(integration), connections)),
  );
};

type LoadStores = Pick<LoaderDeps, 'idStore' | 'records' | 'deadLetters' | 'limiter' | 'runs'>;

/** Loads batches of deliveries, and names those that must come again. */
export const loadFlow = (
  stores: LoadStores,
  open: Open<LoadPlan>,
  runtime: Runtime<LoadEvent>,
): ((deliveries: readonly Delivery[], remainingMs: RemainingMs) => Promise<{ failedMessageIds: string[] }>) => {
  const deps: LoaderDeps = { ...stores, ...runtime, open };
  return (deliveries, remainingMs) => loadBatch(deliveries, deps, remainingMs);
};
