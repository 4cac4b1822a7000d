import { expect, it, test } from 'vitest';
import type { Api, ApiRequest } from '../../lib/connection/api/api.ts';
import { targetPlanOf } from '../../lib/integration/compile/target-plan.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { httpTarget } from '../../lib/target/http-target.ts';
import { everyStatus } from '../fakes/every-end.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { answered } from '../fakes/fake-http.ts';
import { granted } from '../fakes/granted.ts';
import { integrationWith } from '../integration/sample.ts';

const CRM = 'okki-product-groups-to-crm';
const record = { id: '7', body: { group_id: 7 }, idempotencyKey: 'key' };

const targetWith = async (vanished: object, status: number | (() => number)) => {
  const sent: ApiRequest[] = [];
  const api: Api = {
    send: async (request) => {
      sent.push(request);
      return {
        answer: answered(typeof status === 'number' ? status : status(), { code: 0 }),
        requests: 1,
        tokenRenewed: false,
      };
    },
  };
  const plan = await targetPlanOf(integrationWith(CRM, { vanished: { ...vanished } }));
  return { target: httpTarget(plan, api, undefined, { clock: fakeClock(), tuning: standardTuning }), sent };
};

const post = { action: 'post', path: '/groups/remove', method: 'DELETE' };

it('a deletion goes to its own endpoint, by itself', async () => {
  const { target, sent } = await targetWith(post, 200);
  expect((await target.post([{ ...record, deletes: true }], granted)).outcomes).toEqual([{ kind: 'loaded' }]);
  expect(sent).toMatchObject([
    { method: 'DELETE', path: '/groups/remove', headers: { 'idempotency-key': 'key' }, body: '{"group_id":7}' },
  ]);
});

it('records still go where records go', async () => {
  const { target, sent } = await targetWith(post, 200);
  await target.post([record], granted);
  expect(sent).toMatchObject([{ method: 'POST', path: '/groups/batch', body: '{"array":[{"group_id":7}]}' }]);
});

test.each([
  [410, 'loaded'],
  // As likely a wrong path as a record that is gone.
  [404, 'rejected'],
  [422, 'rejected'],
])('a deletion answered %i is %s', async (status, kind) => {
  const { target } = await targetWith(post, status);
  expect((await target.post([{ ...record, deletes: true }], granted)).outcomes).toMatchObject([{ kind }]);
});

it('by its status a deletion ends as a record does, but for what is gone already: a record that is answered so is refused', async () => {
  let answer = 0;
  const { target } = await targetWith(post, () => answer);
  const kindOf = async (status: number, deletes: { deletes?: true }) => {
    answer = status;
    return (await target.post([{ ...record, ...deletes }], granted)).outcomes[0]?.kind;
  };
  const other: number[] = [];
  for (const status of everyStatus) {
    if ((await kindOf(status, {})) !== (await kindOf(status, { deletes: true }))) other.push(status);
  }
  expect(other).toEqual([410]);
  expect(await kindOf(410, {})).toBe('rejected');
});

it('is refused, not sent anywhere, once the file names no endpoint any more', async () => {
  const { target, sent } = await targetWith({}, 200);
  const { outcomes, requests } = await target.post([{ ...record, deletes: true }], granted);
  expect(outcomes).toMatchObject([{ kind: 'rejected', failure: { cause: 'no-deletion-endpoint' } }]);
  expect([requests, sent]).toEqual([0, []]);
});
