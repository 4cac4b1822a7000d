import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sourcePlanOf } from '../../../lib/integration/compile/source-plan.ts';
import { type JsonObject, type JsonValue, parseJson } from '../../../lib/json/json.ts';
import type { Page } from '../../../lib/source/answer.ts';
import { type PageAt, pageRequest } from '../../../lib/source/progress.ts';
import { readAll, rows } from '../../source/read-all.ts';
import { integrationWith } from '../sample.ts';

const field = (name: string, value?: JsonValue): JsonObject => ({
  field: name,
  ...(value === undefined ? {} : { value }),
});

type Asked = { from: number; size: number };
/** How a block asks for pages of `size`, and how a server reads where a page begins. */
type Way = { title: string; request: JsonObject[]; pagination?: JsonObject; read: (body: JsonObject) => Asked };

const OWN_SIZE = 10;
const number = (value: JsonValue | undefined, otherwise: number): number =>
  value === undefined ? otherwise : Number(value);
const byPage =
  (position: string, size: string | undefined, first = 1) =>
  (body: JsonObject): Asked => {
    const count = size === undefined ? OWN_SIZE : number(body[size], OWN_SIZE);
    return { from: (number(body[position], first) - first) * count, size: count };
  };
const byRow =
  (position: string, size: string) =>
  (body: JsonObject): Asked => ({ from: number(body[position], 0), size: number(body[size], OWN_SIZE) });

const waysOf = (size: number): Way[] => [
  {
    title: 'start_index',
    request: [field('start_index', '1'), field('count', size)],
    read: byPage('start_index', 'count'),
  },
  { title: 'pageNo', request: [field('pageNo', 1), field('pageSize', `${size}`)], read: byPage('pageNo', 'pageSize') },
  { title: 'page from 0', request: [field('page', '0'), field('size', size)], read: byPage('page', 'size', 0) },
  { title: 'a page alone', request: [field('pageNum', '1')], read: byPage('pageNum', undefined) },
  { title: 'offset', request: [field('offset', '0'), field('length', size)], read: byRow('offset', 'length') },
  { title: '$skip', request: [field('$skip'), field('$top', size)], read: byRow('$skip', '$top') },
  {
    title: 'the variable of the page',
    pagination: { pageSize: size },
    request: [field('p', '{PAGINATION_START_PAGE}'), field('n', '{PAGINATION_PAGE_SIZE}')],
    read: byPage('p', 'n'),
  },
  {
    title: 'the variables of the row',
    pagination: { pageSize: size },
    request: [field('s', '{{PAGINATION_START_ROW}}'), field('n', '{{PAGINATION_PAGE_SIZE}}')],
    read: byRow('s', 'n'),
  },
  {
    title: 'arithmetic that comes to a page',
    pagination: { pageSize: size },
    request: [field('p', '_function {PAGINATION_START_ROW} / {PAGINATION_PAGE_SIZE} + 1'), field('pageSize', size)],
    read: byPage('p', 'pageSize'),
  },
  {
    title: 'arithmetic over the row',
    pagination: { pageSize: size },
    request: [field('s', '_function {PAGINATION_START_ROW} + 0'), field('n', '{PAGINATION_PAGE_SIZE}')],
    read: byRow('s', 'n'),
  },
];

test('every row of a list is read once, however its block asks for pages', () => {
  const context = { nowMs: 0, lastSyncMs: 0 };
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 12 }),
      fc.nat(40),
      fc.boolean(),
      fc.nat(9),
      (size, count, hasTotal, which) => {
        const way = waysOf(size)[which] as Way;
        const integration = integrationWith('okki-product-groups-to-crm', {
          'source.metadata.method': 'POST',
          'source.metadata.request': way.request,
          ...(way.pagination === undefined ? {} : { 'source.metadata.pagination': way.pagination }),
          'source.paging': undefined,
        });
        const plan = sourcePlanOf(integration);
        const respond = (_asked: unknown, _index: number, at: PageAt): Page => {
          const asked = pageRequest(plan.request, at, context);
          if ('reason' in asked) throw new TypeError(asked.reason);
          const { from, size: asks } = way.read(parseJson(asked.body ?? '{}') as JsonObject);
          expect(Number.isInteger(from), `${way.title}: ${asked.body}`).toBe(true);
          return { records: rows(count).slice(from, from + asks), ...(hasTotal ? { total: count } : {}) };
        };
        expect(readAll(plan.paging, respond), way.title).toMatchObject({ end: 'complete', records: rows(count) });
      },
    ),
    { numRuns: 300 },
  );
});
