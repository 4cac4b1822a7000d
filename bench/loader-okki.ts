import { dynamoClient, healthOf, idStoreOf, limiterOf, runsOf, tokensOf } from '../lib/aws/ports.ts';
import { awsSecretStore } from '../lib/aws/secrets/secret-store.ts';
import { addressOfEnd, connectionsOf, loadFlow } from '../lib/flows/flows.ts';
import { targetPlanOf } from '../lib/integration/compile/target-plan.ts';
import { loadPlanOf } from '../lib/load/load-plan.ts';
import type { Outgoing, Queue } from '../lib/messages/queue.ts';
import { silentLog } from '../lib/runtime/log.ts';
import { systemRuntime } from '../lib/stores/stores.ts';
import { openTarget } from '../lib/target/http-target.ts';
import { shippedIntegration } from './groups.ts';
import { DYNAMO_MS, TARGET_MS } from './latency-servers.ts';
import type { Loader } from './loader-contract.ts';

const INVOCATION_MS = 60_000;

/** This project's loader with its real adapters; without a rate limit unless one is given. */
export const okkiLoader = ({ concurrency, rateLimit = '' }: { concurrency: number; rateLimit?: string }): Loader => ({
  name: `okki-sync, ${concurrency} at a time${rateLimit && `, limit ${rateLimit}`}`,
  tables: ['idcheck:pk:sk', 'runs:pk:sk', 'connections:pk:sk'],
  // The calls in order: read idCheck, and with a limit read and write it; then on each lane claim, POST, settle; at the
  // end count the run's requests.
  idealMs: (records) =>
    DYNAMO_MS * (rateLimit === '' ? 2 : 4) + Math.ceil(records / concurrency) * (DYNAMO_MS + TARGET_MS + DYNAMO_MS),
  open: async (servers) => {
    const env = {
      QINGYIYUN_BASE_URL: servers.target,
      QINGYIYUN_RATE_LIMIT: rateLimit,
      IDCHECK_TABLE: 'idcheck',
      RUNS_TABLE: 'runs',
      CONNECTIONS_TABLE: 'connections',
    };
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const dynamo = dynamoClient({ endpoint: servers.dynamo, region: 'us-east-1', credentials });
    const runtime = systemRuntime(env, silentLog);
    const stores = {
      idStore: idStoreOf(dynamo, env),
      runs: runsOf(dynamo, env),
      limiter: limiterOf(dynamo, env),
      health: healthOf(dynamo, env),
      tokens: tokensOf(dynamo, env),
      secrets: awsSecretStore,
      records: refusing('put off'),
      deadLetters: refusing('dead-lettered'),
    };
    const { target, ...rest } = shippedIntegration();
    const integration = { ...rest, target: { ...target, concurrency } };
    const connections = connectionsOf(stores, runtime);
    const plan = loadPlanOf(integration, openTarget(await targetPlanOf(integration), connections), () =>
      addressOfEnd(integration, 'target', connections),
    );
    const loadBatch = loadFlow(stores, async () => plan, runtime);
    const { clock } = runtime;
    return {
      load: async (batch) => {
        const deliveries = batch.map(({ record: { messageId, body } }) => ({ messageId, body }));
        const endMs = clock.nowMs() + INVOCATION_MS;
        const { failedMessageIds } = await loadBatch(deliveries, () => endMs - clock.nowMs());
        if (failedMessageIds.length > 0) throw new Error(`${failedMessageIds.length} records failed`);
      },
      close: () => dynamo.destroy(),
    };
  },
});

/** A measured batch is loaded as a whole, or the measurement is void. */
const refusing = (what: string): Queue => ({
  sendAll: async (messages: readonly Outgoing[]) => {
    throw new Error(`${messages.length} records were ${what}`);
  },
});
