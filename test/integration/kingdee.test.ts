import { describe, expect, it } from 'vitest';
import { bodyPlanOf } from '../../lib/integration/compile/body-plan.ts';
import { transformPlanOf } from '../../lib/integration/compile/run-plan.ts';
import { sourcePlanOf } from '../../lib/integration/compile/source-plan.ts';
import { targetPlanOf } from '../../lib/integration/compile/target-plan.ts';
import { parseIntegration } from '../../lib/integration/read.ts';
import { pageRequest } from '../../lib/source/progress.ts';
import { loadRequest } from '../../lib/target/http-target.ts';
import { mapRecord } from '../../lib/transform/map.ts';
import { type Changes, changedText, integrationWith } from './sample.ts';

const crm = 'okki-product-groups-to-crm';

const columns = [
  { field: 'FMasterId', value: 'FMasterId' },
  { field: 'F_XC_ASSISTANT', value: 'F_XC_ASSISTANT.FDATAVALUE' },
  { field: 'FNumber', value: 'FNumber' },
];
const query: Changes = {
  'source.metadata.api': 'executeBillQuery',
  'source.metadata.method': 'POST',
  'source.metadata.id': 'FMasterId',
  'source.metadata.number': 'FNumber',
  'source.metadata.request': columns,
  'source.profile': undefined,
  'source.answer': undefined,
  'source.paging': undefined,
};
const form = [{ field: 'FormId', value: 'BD_MATERIAL' }];

const faultsOf = (changes: Changes): string[] =>
  parseIntegration(changedText(crm, { ...query, ...changes }), `${crm}.json`).faults.map(
    ({ path, expected }) => `${path}: ${expected}`,
  );

describe('a query of bills whose request lists its columns', () => {
  it('is refused without the profile that sends their names, which is named', () => {
    expect(faultsOf({})).toEqual([
      expect.stringMatching(/^source\.profile: "kingdee", since request lists the columns/),
    ]);
    expect(faultsOf({ 'source.profile': 'generic-rest' })).toHaveLength(1);
  });

  it('is taken as it is, where it lists no columns', () => {
    expect(faultsOf({ 'source.metadata.request': [{ field: 'FormId', value: 'BD_MATERIAL' }] })).toEqual([]);
  });

  it('is sent to the path of the profile, unless the file names its own', () => {
    const changes = { 'source.profile': 'kingdee', 'source.metadata.otherRequest': form };
    expect(integrationWith(crm, { ...query, ...changes }).source.path).toMatch(/ExecuteBillQuery/);
    expect(integrationWith(crm, { ...query, ...changes, 'source.path': '/own' }).source.path).toBe('/own');
  });

  it('asks for its form', () => {
    expect(faultsOf({ 'source.profile': 'kingdee' })).toEqual([
      expect.stringMatching(/^source\.metadata\.otherRequest: \{"field": "FormId", "value": …\}/),
    ]);
  });

  const named = (FieldKeys?: string) => [
    { field: 'Limit', value: '{{PAGINATION_PAGE_SIZE}}' },
    { field: 'StartRow', value: '{{PAGINATION_START_ROW}}' },
    { field: 'FieldKeys', type: 'array', parser: { name: 'ArrayToString', params: ',' }, value: FieldKeys ?? null },
    { field: 'FormId', value: 'BD_Account' },
  ];

  it('names its columns itself in FieldKeys, with the other parameters beside them', () => {
    const request = named('FID, FGroup.FNumber');
    const integration = integrationWith(crm, {
      ...query,
      'source.profile': 'kingdee',
      'source.metadata.request': request,
    });
    const page = { position: 0, pageSize: 100, startRow: 0 };
    const sent = pageRequest(sourcePlanOf(integration).request, { page }, { nowMs: 0, lastSyncMs: 0 });
    expect('body' in sent && JSON.parse(String(sent.body))).toEqual({
      data: { Limit: 100, StartRow: 0, FieldKeys: 'FID, FGroup.FNumber', FormId: 'BD_Account' },
    });
    expect(transformPlanOf(integration).expand).toMatchObject({ rows: 'lists', columns: ['FID', 'FGroup.FNumber'] });
  });

  it('is refused with FieldKeys that names nothing, or that the file itself sends as names', () => {
    const changes = { 'source.profile': 'kingdee', 'source.metadata.otherRequest': form };
    expect(faultsOf({ ...changes, 'source.metadata.request': named() })).toEqual([
      expect.stringContaining('source.metadata.request[2].value: the columns that are wanted'),
    ]);
    const send = { request: { as: 'names', under: 'data.FieldKeys' } };
    expect(faultsOf({ ...changes, 'source.metadata.request': named('FID'), 'source.send': send })).toEqual([
      expect.stringContaining('source.metadata.request[2]: the columns as fields of request'),
    ]);
  });

  const besides = (FieldKeys: string | null) => [
    { field: 'FieldKeys', type: 'array', parser: { name: 'ArrayToString', params: ',' }, value: FieldKeys },
    ...form,
  ];
  const paged = [
    { field: 'Limit', value: '{{PAGINATION_PAGE_SIZE}}' },
    { field: 'StartRow', value: '{{PAGINATION_START_ROW}}' },
  ];

  it.each<[string, unknown, string | null, string[], string[]]>([
    ['beside its parameters', paged, 'FMasterId,FNumber', ['FMasterId', 'FNumber'], ['Limit', 'StartRow']],
    ['in another order than its fields', columns, 'FNumber,FMasterId', ['FNumber', 'FMasterId'], []],
    ['under another name than a field has', columns, 'F_XC_ASSISTANT.FDATAVALUE', ['F_XC_ASSISTANT'], []],
    ['that names nothing', columns, null, ['FMasterId', 'F_XC_ASSISTANT', 'FNumber'], []],
    ['that names nothing, fields without a value', [{ field: 'FMasterId' }], null, ['FMasterId'], []],
  ])('reads its rows by FieldKeys of otherRequest, %s', (_, request, keys, read, parameters) => {
    const changes: Changes = {
      ...query,
      'source.profile': 'kingdee',
      'source.metadata.request': request as Changes[string],
      'source.metadata.otherRequest': besides(keys),
    };
    expect(faultsOf(changes)).toEqual([]);
    const integration = integrationWith(crm, changes);
    expect(transformPlanOf(integration).expand).toMatchObject({ rows: 'lists', columns: read });
    const page = { position: 0, pageSize: 100, startRow: 0 };
    const sent = pageRequest(sourcePlanOf(integration).request, { page }, { nowMs: 0, lastSyncMs: 0 });
    const { data } = 'body' in sent ? JSON.parse(String(sent.body)) : { data: {} };
    expect(data.FieldKeys.split(',')).toHaveLength(read.length);
    expect(data).toMatchObject({ FormId: 'BD_MATERIAL', StartRow: 0, Limit: 100 });
    expect(Object.keys(data)).toEqual(expect.arrayContaining(parameters));
  });

  it('is refused where a parameter would be sent as the name of a column', () => {
    const changes = { 'source.profile': 'kingdee', 'source.metadata.otherRequest': form };
    for (const request of [paged, []]) {
      expect(faultsOf({ ...changes, 'source.metadata.request': request })).toEqual([
        expect.stringMatching(/^source\.metadata\.request: a field FieldKeys/),
      ]);
    }
  });

  it('draws no warning for columns that ArrayToString joins', () => {
    for (const value of ['FMasterId,FNumber', ['FMasterId', 'FNumber']]) {
      const keys = { field: 'FieldKeys', type: 'array', parser: { name: 'ArrayToString', params: ',' }, value };
      const text = changedText(crm, {
        ...query,
        'source.profile': 'kingdee',
        'source.metadata.request': [keys, ...form],
      });
      const { faults, warnings } = parseIntegration(text, `${crm}.json`);
      expect([...faults, ...warnings].filter(({ path }) => path.startsWith('source.'))).toEqual([]);
    }
  });

  it('is sent as the platform sends it, and its rows are read by these columns', () => {
    const integration = integrationWith(crm, {
      ...query,
      'source.profile': 'kingdee',
      'source.metadata.otherRequest': form,
      'source.metadata.pagination': { pageSize: 50 },
    });
    const page = { position: 0, pageSize: 50, startRow: 0 };
    expect(pageRequest(sourcePlanOf(integration).request, { page }, { nowMs: 0, lastSyncMs: 0 })).toMatchObject({
      path: '/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.ExecuteBillQuery.common.kdsvc',
      body: '{"data":{"FieldKeys":"FMasterId,F_XC_ASSISTANT.FDATAVALUE,FNumber","FormId":"BD_MATERIAL","StartRow":0,"Limit":50}}',
    });
    expect(transformPlanOf(integration).expand).toMatchObject({
      rows: 'lists',
      columns: ['FMasterId', 'F_XC_ASSISTANT', 'FNumber'],
    });
  });
});

describe('a batch of bills', () => {
  const save: Changes = {
    'target.metadata.api': 'batchSave',
    'target.metadata.operation': { method: 'batchArraySave', rows: 1, rowsKey: 'array' },
    'target.metadata.request': [{ field: 'FBillNo', value: '{{id}}' }],
    'target.metadata.otherRequest': [{ field: 'formid', value: 'STK_MisDelivery' }],
    'target.profile': 'kingdee',
    'target.path': undefined,
    'target.success': undefined,
    'target.send': undefined,
    'transform.types': undefined,
  };

  it.each<[string, Changes]>([
    ['with batchArraySave', {}],
    ['without it', { 'target.metadata.operation': { method: 'none' } }],
  ])('goes under Model, %s, beside its form', async (_, changes) => {
    const integration = integrationWith(crm, { ...save, ...changes });
    const mapped = mapRecord(bodyPlanOf(integration), { id: 'A1' });
    if ('reason' in mapped) throw new TypeError(mapped.reason);
    const request = loadRequest(await targetPlanOf(integration), [
      { id: 'A1', idempotencyKey: 'k', body: mapped.body },
    ]);
    expect(request).toMatchObject({
      path: '/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.BatchSave.common.kdsvc',
      body: '{"formid":"STK_MisDelivery","data":{"Model":[{"FBillNo":"A1"}]}}',
    });
  });

  it('asks for its form', () => {
    const text = changedText(crm, { ...save, 'target.metadata.otherRequest': undefined });
    expect(parseIntegration(text, `${crm}.json`).faults).toEqual([
      expect.objectContaining({ path: 'target.metadata.otherRequest', expected: expect.stringContaining('"formid"') }),
    ]);
  });
});
