import type { Integration } from '../integration/schema/schema.ts';
import { type NotifyEvent, notifierOf } from '../notify/notifier.ts';
import { type ReconcileDeps, type ReconcileEvent, reconcileAll } from '../runs/reconcile.ts';
import { reconcilingOf } from '../runs/reconciling.ts';
import type { RunRecord } from '../runs/record.ts';
import { defined } from '../runtime/defined.ts';
import type { Runtime, Stores } from '../stores/stores.ts';

/** Balances the books of integrations' open runs. Throws ConfigurationError. */
export const reconcileFlow = (
  stores: Pick<Stores, 'idStore' | 'runs' | 'secrets'>,
  runtime: Runtime<ReconcileEvent | NotifyEvent>,
): ((integrations: readonly Integration[]) => Promise<RunRecord[]>) => {
  const onClosed = notifierOf(stores, runtime);
  const deps: ReconcileDeps = { ...stores, ...runtime, ...defined({ onClosed }) };
  return (integrations) => reconcileAll(integrations.map(reconcilingOf), deps);
};
