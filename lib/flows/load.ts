import { healthView } from '../connection/limit/health-view.ts';
import type { Catalog } from '../integration/catalog.ts';
import { targetPlanOf } from '../integration/compile/target-plan.ts';
import type { Delivery } from '../load/deliveries.ts';
import type { LoadEvent } from '../load/events.ts';
import { loadBatch } from '../load/load-batch.ts';
import { type LoaderDeps, loadPlanOf, type OpenedPlan } from '../load/load-plan.ts';
import { type NotifyEvent, restNotifierIfAny } from '../notify/notifier.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import type { Runtime, Stores } from '../stores/stores.ts';
import { openTarget } from '../target/http-target.ts';
import {
  addressOfEnd,
  type ConnectionRuntime,
  type ConnectionStores,
  connectionsOf,
  type Open,
  openOnce,
} from './open.ts';

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

/** Loads batches of deliveries, and names those that must come again. */
export const loadFlow = (
  stores: LoadStores,
  open: Open<OpenedPlan>,
  runtime: Runtime<LoadEvent | NotifyEvent>,
): ((deliveries: readonly Delivery[], remainingMs: RemainingMs) => Promise<{ failedMessageIds: string[] }>) => {
  const onRest = restNotifierIfAny(stores, runtime);
  const deps: LoaderDeps = {
    ...stores,
    ...runtime,
    health: healthView(stores.health, runtime),
    open,
    ...defined({ onRest }),
  };
  return (deliveries, remainingMs) => loadBatch(deliveries, deps, remainingMs);
};
