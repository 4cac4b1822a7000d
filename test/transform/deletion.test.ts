import { expect, it } from 'vitest';
import { deletionPlanOf } from '../../lib/integration/compile/body-plan.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import { mapDeletion } from '../../lib/transform/map.ts';
import { integrationWith } from '../integration/sample.ts';

const CRM = 'okki-product-groups-to-crm';
/** The body of a deletion by its id. */
const bodyWith = (integration: Integration) => {
  const plan = deletionPlanOf(integration);
  return (id: string) => mapDeletion(plan, id);
};

const vanished = { action: 'post', path: '/groups/remove' };

it('carries the id as records carry it, under the same rules of conversion', () => {
  const bodyOf = bodyWith(integrationWith(CRM, { vanished }));
  expect(bodyOf('group12')).toEqual({ body: { group_id: 12 } });
  expect(bodyOf('5203300076')).toEqual({ body: { group_id: 5203300076 } });
  expect(bodyOf('北京')).toMatchObject({ reason: expect.stringContaining('group_id') });
});

it('carries it under the key that the target block names, where that has no request', () => {
  const bodyOf = bodyWith(integrationWith('okki-product-groups-to-qingyiyun', { vanished }));
  expect(bodyOf('7')).toEqual({ body: { id: '7' } });
});

it('is what the file says, where it says something', () => {
  const request = [
    { field: 'ids', value: '{{id}}' },
    { field: 'reason', value: 'removed in OKKI' },
  ];
  const bodyOf = bodyWith(integrationWith(CRM, { vanished: { ...vanished, request } }));
  expect(bodyOf('7')).toEqual({ body: { ids: '7', reason: 'removed in OKKI' } });
});
