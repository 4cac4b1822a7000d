import { expect, it } from 'vitest';
import { compileDeletion } from '../../lib/transform/deletion.ts';
import { integrationWith } from '../integration/sample.ts';

const CRM = 'okki-product-groups-to-crm';
const vanished = { action: 'post', path: '/groups/remove' };

it('carries the id as records carry it, under the same rules of conversion', () => {
  const bodyOf = compileDeletion(integrationWith(CRM, { vanished }));
  expect(bodyOf('group12')).toEqual({ body: { group_id: 12 } });
  expect(bodyOf('5203300076')).toEqual({ body: { group_id: 5203300076 } });
  expect(bodyOf('北京')).toMatchObject({ reason: expect.stringContaining('group_id') });
});

it('carries it under the key that the target block names, where that has no request', () => {
  const bodyOf = compileDeletion(integrationWith('okki-product-groups-to-qingyiyun', { vanished }));
  expect(bodyOf('7')).toEqual({ body: { id: '7' } });
});

it('is what the file says, where it says something', () => {
  const request = [
    { field: 'ids', value: '{{id}}' },
    { field: 'reason', value: 'removed in OKKI' },
  ];
  const bodyOf = compileDeletion(integrationWith(CRM, { vanished: { ...vanished, request } }));
  expect(bodyOf('7')).toEqual({ body: { ids: '7', reason: 'removed in OKKI' } });
});
