import { describe, expect, it } from 'vitest';
import { runPlanOf } from '../../lib/integration/compile/run-plan.ts';
import { sourcePlanOf } from '../../lib/integration/compile/source-plan.ts';
import { targetPlanOf } from '../../lib/integration/compile/target-plan.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { type Changes, integrationWith } from './sample.ts';

const crm = 'okki-product-groups-to-crm';
const since = [{ field: 'since', value: '{{LAST_SYNC_TIME}}' }];

describe('the plan of a run', () => {
  it.each([
    ['2026-01-01 08:00:00', Date.UTC(2026, 0, 1)],
    ['2026-01-01', Date.UTC(2025, 11, 31, 16)],
  ])('begins its first window at %s in Beijing', (initial, initialMs) => {
    const integration = integrationWith(crm, { 'source.metadata.request': since, 'source.window': { initial } });
    expect(runPlanOf(integration).window).toEqual({ initialMs, overlapMs: 600_000, staysAtInvalid: false });
  });

  it('asks for nothing that the file does not ask for', () => {
    const integration = integrationWith(crm, { 'source.metadata.autoFillResponse': false });
    expect(runPlanOf(integration)).toEqual({
      integration: crm,
      target: expect.any(String),
      rows: 20,
      mapping: expect.any(String),
      maxChangedShare: 0.5,
      minShare: 0.5,
      invalidRows: { maxShare: 0.5, isTolerant: false },
      policy: { idCheck: false, onUncertain: 'resend' },
    });
  });

  it('waits for another run as long as the deadline, where the file says so', () => {
    expect(runPlanOf(integrationWith(crm, { overlap: 'wait', deadlineMinutes: 5 })).waitsForMs).toBe(300_000);
  });

  it('knows which fields of a record are mapped', () => {
    const rows = {
      field: 'rows',
      type: 'array',
      value: 'details',
      children: [{ field: 'no', value: '{{details.no}}' }],
    };
    const request = [{ field: 'group_id', value: '{{id}}' }, rows];
    const { learns } = runPlanOf(
      integrationWith(crm, { 'target.metadata.request': request, 'transform.types': undefined }),
    );
    expect([...(learns?.mapped ?? [])]).toEqual(['id', 'name', 'details.no']);
  });
});

describe('the plan of a request', () => {
  const paramsOf = (request: JsonValue, changes: Changes = {}) =>
    sourcePlanOf(
      integrationWith(crm, { 'source.metadata.request': request, 'source.paging': undefined, ...changes }),
    ).request.parameters.map((parameter) => [
      'keys' in parameter.place ? parameter.place.keys.join('.') : parameter.place.name,
      parameter.from === 'page' ? parameter.what : parameter.from,
    ]);

  it('puts the page in the place of the fields that page, and leaves out fields without a value', () => {
    const request = [
      { field: 'page_size', value: '{{PAGINATION_PAGE_SIZE}}' },
      { field: 'kind', value: 'all' },
      { field: 'page_no', value: '{{PAGINATION_START_PAGE}}' },
      { field: 'unset', value: '' },
    ];
    expect(paramsOf(request, { 'source.metadata.pagination': { pageSize: 50 } })).toEqual([
      ['page_size', 'pageSize'],
      ['kind', 'field'],
      ['page_no', 'position'],
    ]);
  });

  it('has the page after the fields, where they leave its place open', () => {
    expect(paramsOf([{ field: 'count' }, { field: 'offset' }, { field: 'x', value: 1 }])).toEqual([
      ['x', 'field'],
      ['offset', 'position'],
      ['count', 'pageSize'],
    ]);
  });

  it('keeps the value that a field has until there is a cursor', () => {
    const paging = { kind: 'cursor', cursorParam: 'cursor', cursorPath: 'next' };
    expect(paramsOf([{ field: 'cursor', value: '0' }], { 'source.paging': paging })).toEqual([
      ['cursor', 'field'],
      ['cursor', 'cursor'],
    ]);
  });
});

describe('the plan of a target', () => {
  const rows = { path: 'rows', success: { path: 'ok', equals: [true] } };

  it.each<[string, Changes, unknown]>([
    [
      'by the key that carries the id',
      { 'target.results': { ...rows, id: 'key' } },
      { by: 'id', path: 'key', idKey: 'group_id' },
    ],
    ['by their place', { 'target.results': { ...rows, index: 'n' } }, { by: 'index', path: 'n' }],
    ['by their order', { 'target.results': rows }, { by: 'order', idKey: 'group_id' }],
  ])('finds the rows of an answer %s', async (_, changes, row) => {
    expect((await targetPlanOf(integrationWith(crm, changes))).results?.row).toEqual(row);
  });

  it('has an endpoint of deletions only where vanished.action is post', async () => {
    expect((await targetPlanOf(integrationWith(crm, { vanished: { method: 'DELETE' } }))).deletion).toBeUndefined();
    const vanished = { action: 'post', path: '/gone', method: 'DELETE' };
    expect((await targetPlanOf(integrationWith(crm, { vanished }))).deletion).toEqual({
      path: '/gone',
      method: 'DELETE',
    });
  });
});
