import { describe, expect, it } from 'vitest';
import { cachedSecrets } from '../../lib/connection/secrets.ts';
import { sourcePlanOf } from '../../lib/integration/compile/source-plan.ts';
import { targetPlanOf } from '../../lib/integration/compile/target-plan.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { silentLog } from '../../lib/runtime/log.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { openTarget } from '../../lib/target/http-target.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { answered, fakeHttp } from '../fakes/fake-http.ts';
import { granted } from '../fakes/granted.ts';
import { memorySecretStore } from '../fakes/memory-secret-store.ts';
import { memoryTokenStore } from '../fakes/memory-token-store.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { integrationWith } from '../integration/sample.ts';

const okki = 'okki-product-groups-to-qingyiyun';
const fields: JsonValue = [
  { field: 'systemToken', value: 'SYS-1234' },
  { field: 'appType', value: 'APP-1234' },
  { field: 'token', value: 'none' },
  { field: 'login', children: [{ field: 'password', value: 'p@ss-word' }] },
];

describe('a secret that is typed into a block', () => {
  it('is known by its name, at any depth, where it is no word', () => {
    const integration = integrationWith(okki, { 'source.metadata.request': fields });
    expect(sourcePlanOf(integration).typedSecrets).toEqual(['SYS-1234', 'p@ss-word']);
  });

  it('is shown no more than another one, where the target quotes it', async () => {
    const clock = fakeClock();
    const integration = integrationWith(okki, {
      'target.metadata.request': [...fields, { field: 'id', value: '{{id}}' }],
      'target.connection.baseUrl': 'http://target.test',
      'target.connection.auth': { kind: 'none' },
    });
    const target = openTarget(await targetPlanOf(integration), {
      http: fakeHttp(({ body }) => answered(422, `no: ${body}`)),
      tokens: memoryTokenStore(),
      secrets: cachedSecrets(memorySecretStore({}), clock, 60_000),
      clock,
      random: seededRandom(3),
      log: silentLog,
      env: {},
      tuning: standardTuning,
    });
    const body = {
      systemToken: 'SYS-1234',
      appType: 'APP-1234',
      token: 'none',
      login: { password: 'p@ss-word' },
    };
    const { outcomes } = await target.post([{ id: '1', body, idempotencyKey: 'k' }], granted);
    const [outcome] = outcomes;
    const told = outcome !== undefined && 'failure' in outcome ? outcome.failure.excerpt : undefined;
    expect(told).toContain('"systemToken":"***","appType":"APP-1234","token":"none","login":{"password":"***"}');
  });
});
