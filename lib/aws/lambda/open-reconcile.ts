import { openCatalog } from '../../integration/catalog.ts';
import type { ReconcileDeps, Reconciling } from '../../runs/reconcile.ts';
import { reconcilingOf } from '../../runs/reconciling.ts';
import { systemClock as clock } from '../../runtime/clock.ts';
import { defined } from '../../runtime/defined.ts';
import { once } from '../../runtime/once.ts';
import { dynamoClient } from '../clients.ts';
import { dynamoIdStore } from '../dynamodb/id-store.ts';
import { dynamoRunStore } from '../dynamodb/runs/store.ts';
import { functionLog as log } from '../telemetry/function-log.ts';
import { resource } from './environment.ts';
import { notifierOf } from './open-notifier.ts';

/** What `functions/reconcile` works with, opened once per execution environment. Throws ConfigurationError. */
export const openReconcile = once((): { deps: ReconcileDeps; integrations(): Promise<Reconciling[]> } => {
  const { env } = process;
  const dynamo = dynamoClient();
  const onClosed = notifierOf(env, log);
  const catalog = openCatalog(env);
  const runs = dynamoRunStore(dynamo, resource('RUNS_TABLE', env));
  return {
    deps: {
      idStore: dynamoIdStore(dynamo, resource('IDCHECK_TABLE', env)),
      runs,
      watermarks: runs,
      clock,
      log,
      ...defined({ onClosed }),
    },
    integrations: async () => (await catalog.all()).map(reconcilingOf),
  };
});
