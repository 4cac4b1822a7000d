import { expect, it } from 'vitest';
import { cachedSecrets } from '../../lib/connection/secrets.ts';
import { targetPlanOf } from '../../lib/integration/compile/target-plan.ts';
import { silentLog } from '../../lib/runtime/log.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { openTarget } from '../../lib/target/http-target.ts';
import { answered, fakeHttp } from '../fakes/fake-http.ts';
import { memorySecretStore } from '../fakes/memory-secret-store.ts';
import { memoryTokenStore } from '../fakes/memory-token-store.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { integrationWith } from '../integration/sample.ts';
import { loadWorld } from './load-world.ts';
import { recordMessage } from './message.ts';

const INTERVAL_MS = 10_000;
const LIMIT = 10;

it('a target whose tokens serve once gets no request more than its limit allows: token requests and repeats count', async () => {
  const world = loadWorld({ limit: { requests: LIMIT, intervalMs: INTERVAL_MS } });
  const { clock } = world;
  const sentMs: number[] = [];
  const loaded = new Set<string>();
  const spent = new Set<string>();
  let given = 0;
  const http = fakeHttp(async ({ url, headers, body }) => {
    sentMs.push(clock.nowMs());
    await clock.sleep(50);
    if (url.endsWith('/token')) return answered(200, { access_token: `token-${++given}` });
    const token = headers.authorization ?? '';
    if (spent.has(token)) return answered(401, {});
    spent.add(token);
    loaded.add(body ?? '');
    return answered(200, { success: true, code: 0 });
  });
  const integration = integrationWith('okki-product-groups-to-qingyiyun', {
    'target.rateLimit': { requests: LIMIT, intervalMs: INTERVAL_MS },
    'target.connection.baseUrl': 'http://target.test',
    'target.connection.auth': {
      kind: 'oauth2',
      grant: 'client_credentials',
      tokenPath: '/token',
      clientId: { env: 'ID' },
      clientSecret: { env: 'SECRET' },
    },
  });
  const target = openTarget(await targetPlanOf(integration), {
    http,
    tokens: memoryTokenStore(),
    secrets: cachedSecrets(memorySecretStore({}), clock, 60_000),
    clock,
    random: seededRandom(3),
    log: silentLog,
    env: { ID: 'id', SECRET: 'secret' },
    tuning: standardTuning,
  });
  const opened = await world.deps.open('groups');
  if (opened !== undefined) opened.target = { ...target, concurrency: 1 };

  await world.send(...Array.from({ length: 40 }, (_, index) => recordMessage({ id: String(index + 1) })));
  await world.run();
  expect(loaded.size).toBe(40);
  const most = Math.max(
    ...sentMs.map((atMs) => sentMs.filter((other) => other >= atMs && other < atMs + INTERVAL_MS).length),
  );
  expect(most).toBeLessThanOrEqual(LIMIT);
  expect(sentMs.length).toBeGreaterThan(80);
});
