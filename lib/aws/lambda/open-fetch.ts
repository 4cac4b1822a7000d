import { type FetchDeps, type Fetching, fetchingOf } from '../../fetch/fetching.ts';
import { readTimeBudgetMs } from '../../fetch/time-budget.ts';
import { openCatalog } from '../../integration/catalog.ts';
import { defined } from '../../runtime/defined.ts';
import { once } from '../../runtime/once.ts';
import { openSource } from '../../source/http-source.ts';
import { dynamoClient, sqsClient } from '../clients.ts';
import { dynamoIdStore } from '../dynamodb/id-store.ts';
import { dynamoRunStore } from '../dynamodb/runs/store.ts';
import { sqsQueue } from '../sqs/queue.ts';
import { functionLog as log } from '../telemetry/function-log.ts';
import { resource, runRetentionDays } from './environment.ts';
import { openConnections } from './open-connections.ts';
import { notifierIfAny } from './open-notifier.ts';

/** Thrown for an event that names an integration which is not deployed. */
export class UnknownIntegrationError extends Error {
  override readonly name = 'UnknownIntegrationError';
  readonly code = 'unknown-integration';
}

/** What `functions/fetch` works with, opened once per execution environment; `open` throws ConfigurationError, UnknownIntegrationError. */
export const openFetch = once((): { deps: FetchDeps; open(integration: string): Promise<Fetching> } => {
  const { env } = process;
  const dynamo = dynamoClient();
  const sqs = sqsClient();
  const connections = openConnections(dynamo, env, log);
  const { clock, random } = connections;
  const catalog = openCatalog(env);
  const runs = dynamoRunStore(dynamo, resource('RUNS_TABLE', env), runRetentionDays(env));
  const timeBudgetMs = readTimeBudgetMs(env);
  const onIncomplete = notifierIfAny(env, log);
  return {
    deps: {
      idStore: dynamoIdStore(dynamo, resource('IDCHECK_TABLE', env)),
      records: sqsQueue(sqs, resource('RECORDS_QUEUE_URL', env)),
      continuations: sqsQueue(sqs, resource('RUNS_QUEUE_URL', env)),
      runs,
      watermarks: runs,
      ...defined({ timeBudgetMs }),
      clock,
      random,
      log,
      ...defined({ onIncomplete }),
    },
    open: async (name) => {
      const integration = await catalog.find(name);
      if (integration === undefined)
        throw new UnknownIntegrationError(`there is no integration ${JSON.stringify(name)}`);
      return fetchingOf(integration, openSource(integration, connections));
    },
  };
});
