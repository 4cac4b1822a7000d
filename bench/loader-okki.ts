import { dynamoClient } from '../lib/aws/clients.ts';
import { dynamoIdStore } from '../lib/aws/dynamodb/id-store.ts';
import { dynamoRunStore } from '../lib/aws/dynamodb/runs/store.ts';
import { openConnections } from '../lib/aws/lambda/open-connections.ts';
import { connect } from '../lib/connection/api/api.ts';
import { limitOf } from '../lib/connection/limit/rate-limit.ts';
import { loadBatch } from '../lib/load/load-batch.ts';
import type { LoaderDeps } from '../lib/load/loading.ts';
import type { Outgoing, Queue } from '../lib/messages/queue.ts';
import { silentLog } from '../lib/runtime/log.ts';
import { httpTarget } from '../lib/target/http-target.ts';
import { shippedIntegration } from './groups.ts';
import { DYNAMO_MS, TARGET_MS } from './latency-servers.ts';
import type { Loader } from './loader-contract.ts';

const INVOCATION_MS = 60_000;

/** This project's loader with its real adapters; without a rate limit unless one is given. */
export const okkiLoader = ({ concurrency, rateLimit = '' }: { concurrency: number; rateLimit?: string }): Loader => ({
  name: `okki-sync, ${concurrency} at a time${rateLimit && `, limit ${rateLimit}`}`,
  tables: ['idcheck:pk:sk', 'runs:pk:sk', 'connections:pk:sk'],
  // Read idCheck; with a limit read and write it; then for each lane claim, POST, settle; count the run's requests.
  idealMs: (records) =>
    DYNAMO_MS * (rateLimit === '' ? 2 : 4) + Math.ceil(records / concurrency) * (DYNAMO_MS + TARGET_MS + DYNAMO_MS),
  open: async (servers) => {
    const env = {
      QINGYIYUN_BASE_URL: servers.target,
      QINGYIYUN_RATE_LIMIT: rateLimit,
      CONNECTIONS_TABLE: 'connections',
    };
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const dynamo = dynamoClient({ endpoint: servers.dynamo, region: 'us-east-1', credentials });
    const { clock, random, limiter, ...connections } = openConnections(dynamo, env, silentLog);
    const { name, target, ...rest } = shippedIntegration();
    const integration = { ...rest, name, target: { ...target, concurrency } };
    const place = { file: 'bench', path: 'target' };
    const limit = limitOf(target.rateLimit, place, env);
    const api = connect(target.connection, place, { ...connections, clock, random });
    const policy = { idCheck: target.metadata.idCheck, onUncertain: target.onUncertain };
    const loading = {
      integration: name,
      policy,
      retry: target.retry,
      target: httpTarget(integration, api, limit, clock),
    };
    const deps: LoaderDeps = {
      open: async () => loading,
      idStore: dynamoIdStore(dynamo, 'idcheck'),
      records: refusing('put off'),
      deadLetters: refusing('dead-lettered'),
      limiter,
      runs: dynamoRunStore(dynamo, 'runs'),
      clock,
      random,
      log: silentLog,
    };
    return {
      load: async (batch) => {
        const deliveries = batch.map(({ record: { messageId, body } }) => ({ messageId, body }));
        const endMs = clock.nowMs() + INVOCATION_MS;
        const { failedMessageIds } = await loadBatch(deliveries, deps, () => endMs - clock.nowMs());
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
