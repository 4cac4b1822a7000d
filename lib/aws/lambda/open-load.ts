import { connect } from '../../connection/api/api.ts';
import { limitOf } from '../../connection/limit/rate-limit.ts';
import { openCatalog } from '../../integration/catalog.ts';
import type { Integration } from '../../integration/schema/schema.ts';
import type { LoaderDeps, Loading } from '../../load/loading.ts';
import { once } from '../../runtime/once.ts';
import { httpTarget } from '../../target/http-target.ts';
import { dynamoClient, sqsClient } from '../clients.ts';
import { dynamoIdStore } from '../dynamodb/id-store.ts';
import { dynamoRunStore } from '../dynamodb/runs/store.ts';
import { sqsQueue } from '../sqs/queue.ts';
import { functionLog as log } from '../telemetry/function-log.ts';
import { resource } from './environment.ts';
import { openConnections } from './open-connections.ts';

/** What `functions/load` works with, opened once per execution environment; integrations at their first message. */
export const openLoad = once((): LoaderDeps => {
  const { env } = process;
  const dynamo = dynamoClient();
  const sqs = sqsClient();
  const connections = openConnections(dynamo, env, log);
  const { clock, random, limiter } = connections;
  const catalog = openCatalog(env);
  const opened = new Map<string, Loading>();
  const open = (integration: Integration): Loading => {
    const { name, target, transform } = integration;
    const file = `integrations/${name}.json`;
    const limit = limitOf(target.rateLimit, { file, path: 'target' }, env);
    const api = connect(target.connection, { file, path: 'target.connection' }, connections);
    return {
      integration: name,
      policy: { idCheck: target.metadata.idCheck, onUncertain: target.onUncertain },
      retry: target.retry,
      ...(transform.dependsOn && { rejectedParent: transform.dependsOn.rejectedParent }),
      target: httpTarget(integration, api, limit, clock),
    };
  };
  return {
    open: async (name) => {
      const integration = await catalog.find(name);
      if (integration === undefined) return undefined;
      const loading = opened.get(name) ?? open(integration);
      opened.set(name, loading);
      return loading;
    },
    idStore: dynamoIdStore(dynamo, resource('IDCHECK_TABLE', env)),
    records: sqsQueue(sqs, resource('RECORDS_QUEUE_URL', env)),
    deadLetters: sqsQueue(sqs, resource('DEAD_LETTER_QUEUE_URL', env)),
    limiter,
    runs: dynamoRunStore(dynamo, resource('RUNS_TABLE', env)),
    clock,
    random,
    log,
  };
});
