import { lambdaHandler } from '../lib/aws/lambda/handler.ts';
import { dynamoClient, idStoreOf, runsOf } from '../lib/aws/ports.ts';
import { awsSecretStore } from '../lib/aws/secrets/secret-store.ts';
import { functionLog } from '../lib/aws/telemetry/function-log.ts';
import { reconcileFlow } from '../lib/flows/flows.ts';
import { openCatalog } from '../lib/integration/catalog.ts';
import { once } from '../lib/runtime/once.ts';
import { systemRuntime } from '../lib/stores/stores.ts';

/** Opened once per execution environment, with the stores that this function may use (serverless/roles.yml). */
const opened = once(() => {
  const { env } = process;
  const dynamo = dynamoClient();
  const stores = { idStore: idStoreOf(dynamo, env), runs: runsOf(dynamo, env), secrets: awsSecretStore };
  return { reconcile: reconcileFlow(stores, systemRuntime(env, functionLog)), catalog: openCatalog(env) };
});

/** Balances the books of every integration's open runs; what its time does not suffice for is the next invocation's. */
export const handler = lambdaHandler(async (_, remainingMs): Promise<Array<{ runId: string; status: string }>> => {
  const { reconcile, catalog } = opened();
  const runs = await reconcile(await catalog.all(), remainingMs);
  return runs.map(({ runId, status }) => ({ runId, status }));
});
