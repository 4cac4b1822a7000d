import { dynamoIdStore } from '../idcheck/dynamodb-store.ts';
import { openCatalog } from '../integration/catalog.ts';
import { dynamoRunStore } from '../run/dynamodb-store.ts';
import type { ReconcileDeps, Reconciling } from '../run/reconcile.ts';
import { dynamoClient } from './aws.ts';
import { systemClock } from './clock.ts';
import { resource } from './environment.ts';
import { once } from './once.ts';
import { powertoolsLog } from './powertools-log.ts';

/** What `functions/reconcile` works with, opened once per execution environment. */
export const openReconcile = once((): { deps: ReconcileDeps; integrations: Reconciling[] } => {
  const { env } = process;
  const dynamo = dynamoClient();
  return {
    deps: {
      idStore: dynamoIdStore(dynamo, resource('IDCHECK_TABLE', env)),
      runs: dynamoRunStore(dynamo, resource('RUNS_TABLE', env)),
      clock: systemClock,
      log: powertoolsLog,
    },
    integrations: openCatalog(env)
      .all()
      .map(({ name, target, deadlineMinutes }) => ({
        integration: name,
        idCheck: target.metadata.idCheck,
        deadlineMs: deadlineMinutes * 60_000,
      })),
  };
});
