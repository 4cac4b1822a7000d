import { isJsonObject, type JsonValue } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';
import { suggestion } from '../../runtime/nearest.ts';
import { parseTemplate, slotsOf } from '../dialect/template.ts';
import { effects, operations } from '../dialect/words.ts';
import { flattenedRule } from './flattened.ts';
import { fault } from './key-findings.ts';
import { leafFields } from './request-fields.ts';
import { runRules } from './run-contradictions.ts';
import type { Finding } from './shape.ts';
import { bodyPaths } from './target-fields.ts';

const isPath = (value: JsonValue | undefined): boolean => typeof value === 'string' && value.startsWith('/');

const quoted = (values: readonly string[]): string => values.map((value) => JSON.stringify(value)).join(', ');

type Rule = (raw: JsonValue) => Finding[];

const effectRule =
  (side: 'source' | 'target'): Rule =>
  (raw) => {
    const key = readPath(raw, `${side}.metadata.effect`) === undefined ? 'type' : 'effect';
    const value = readPath(raw, `${side}.metadata.${key}`);
    const allowed: readonly string[] = effects[side];
    return typeof value !== 'string' || allowed.includes(value)
      ? []
      : [fault([side, 'metadata', key], `${quoted(allowed)} in a ${side} block`)];
  };

const operationRule =
  (side: 'source' | 'target'): Rule =>
  (raw) => {
    const value = readPath(raw, `${side}.metadata.operation.method`);
    const allowed: readonly string[] = operations[side];
    return typeof value !== 'string' || allowed.includes(value)
      ? []
      : [fault([side, 'metadata', 'operation', 'method'], `${quoted(allowed)}; others are not carried out yet`)];
  };

/** An `api` that is a name, such as `batchSave`, is a path below the base URL as it stands. */
const isPathName = (api: string): boolean => /^[\w.~-]+(\/[\w.~-]+)*$/.test(api);

const apiRule =
  (side: 'source' | 'target'): Rule =>
  (raw) => {
    const api = readPath(raw, `${side}.metadata.api`);
    const path = readPath(raw, `${side}.path`);
    if (typeof api !== 'string') return [];
    if (/[{}]/.test(api) && (isPath(api) || path === undefined)) {
      return [fault([side, 'metadata', 'api'], 'a path without braces: it is the same for every request')];
    }
    if (path === undefined && !isPath(api) && !isPathName(api)) {
      const expected = `a path such as "/execute", since metadata.api ${JSON.stringify(api)} is none`;
      return [fault([side, 'path'], expected)];
    }
    return path !== undefined && isPath(api) && path !== api
      ? [fault([side, 'path'], `nothing, since metadata.api is the path ${JSON.stringify(api)}`)]
      : [];
  };

const split: Rule = (raw) =>
  readPath(raw, 'source.metadata.operation.method') === 'splitArray' &&
  readPath(raw, 'source.metadata.operation.arrayKey') === undefined
    ? [fault(['source', 'metadata', 'operation', 'arrayKey'], 'the array whose elements are the records')]
    : [];

const sendRule =
  (side: 'source' | 'target'): Rule =>
  (raw) => {
    const method = readPath(raw, `${side}.metadata.method`);
    const carriers = ['request', 'otherRequest'].filter((key) => readPath(raw, `${side}.send.${key}.in`) === 'body');
    const bodiless = method === 'GET' ? carriers : [];
    const names = readPath(raw, `${side}.send.request.as`) === 'names';
    return [
      ...bodiless.map((key) => fault([side, 'send', key, 'in'], '"query" or "header", since a GET has no body')),
      ...(names && readPath(raw, `${side}.send.request.under`) === undefined
        ? [fault([side, 'send', 'request', 'under'], 'the parameter that carries the names')]
        : []),
    ];
  };

const sourceId: Rule = (raw) => {
  const own = readPath(raw, 'source.id');
  const pasted = readPath(raw, 'source.metadata.id');
  if (typeof own === 'string' && typeof pasted === 'string' && own !== pasted) {
    return [fault(['source', 'id'], `nothing, since metadata.id is ${JSON.stringify(pasted)}`)];
  }
  return [];
};

/** Records are written in a body; what stands beside them may go elsewhere. */
const targetSend: Rule = (raw) => {
  const carrier = readPath(raw, 'target.send.request.in');
  return [
    ...(typeof carrier === 'string' && carrier !== 'body'
      ? [fault(['target', 'send', 'request', 'in'], '"body": records are sent in no other place')]
      : []),
    ...(readPath(raw, 'target.send.request.as') === 'names'
      ? [fault(['target', 'send', 'request', 'as'], '"fields": a record is more than the names of its fields')]
      : []),
  ];
};

const results: Rule = (raw) => {
  const rows = readPath(raw, 'target.results');
  return isJsonObject(rows) && rows.id !== undefined && rows.index !== undefined
    ? [fault(['target', 'results', 'index'], 'nothing beside id: a row is found by one of them')]
    : [];
};

const idChecks: Rule = (raw) => {
  const own = readPath(raw, 'source.metadata.idCheck');
  const other = readPath(raw, 'target.metadata.idCheck');
  return typeof own === 'boolean' && typeof other === 'boolean' && own !== other
    ? [fault(['source', 'metadata', 'idCheck'], `${other}, as in the target block, or nothing`)]
    : [];
};

const batch: Rule = (raw) =>
  readPath(raw, 'target.metadata.operation.method') !== 'batchArraySave'
    ? []
    : (
        [
          ['rows', 'how many records go into one request'],
          ['rowsKey', 'the key under which the records of a request are wrapped'],
        ] as const
      )
        .filter(([key]) => readPath(raw, `target.metadata.operation.${key}`) === undefined)
        .map(([key, expected]) => fault(['target', 'metadata', 'operation', key], expected));

/** Whether {{PAGINATION_START_ROW}} stands in the request, alone or in arithmetic. */
const pagesByVariable = (raw: JsonValue): boolean =>
  ['request', 'otherRequest'].some((key) =>
    leafFields(readPath(raw, `source.metadata.${key}`)).some(({ field }) =>
      slotsOf(parseTemplate(field.value ?? null)).some(({ name }) => name === 'PAGINATION_START_ROW'),
    ),
  );

const paging: Rule = (raw) => {
  const page = readPath(raw, 'source.paging');
  if (!isJsonObject(page)) return [];
  const place = (key: string) => ['source', 'paging', key];
  if (page.kind === 'offset' && page.offsetParam === undefined && !pagesByVariable(raw)) {
    return [fault(place('offsetParam'), 'the parameter that carries the first row')];
  }
  if (page.kind === 'nextLink' && page.in === 'body' && page.path === undefined) {
    return [fault(place('path'), 'the path of the link in the body')];
  }
  if (page.kind === 'nextLink' && page.in === 'header' && page.path !== undefined) {
    return [fault(place('path'), 'nothing: the link is in the header')];
  }
  if (page.kind === 'cursor' && page.pageSize !== undefined && page.sizeParam === undefined) {
    return [fault(place('sizeParam'), 'the parameter that carries pageSize')];
  }
  if (page.kind === 'cursor' && page.pageSize === undefined && page.sizeParam !== undefined) {
    return [fault(place('pageSize'), 'the size that sizeParam carries')];
  }
  return [];
};

const backoff: Rule = (raw) => {
  const { baseMs = 1000, capMs = 300_000 } = (readPath(raw, 'target.retry') ?? {}) as Record<string, JsonValue>;
  return typeof baseMs === 'number' && typeof capMs === 'number' && capMs < baseMs
    ? [fault(['target', 'retry', 'capMs'], `baseMs (${baseMs}) or more`)]
    : [];
};

const body: Rule = (raw) => {
  const metadata = readPath(raw, 'target.metadata');
  return isJsonObject(metadata) && bodyPaths(metadata).length === 0
    ? [fault(['target', 'metadata'], 'a request, or at least one of id, number and name: the body would be empty')]
    : [];
};

const types: Rule = (raw) => {
  const rules = readPath(raw, 'transform.types');
  const metadata = readPath(raw, 'target.metadata');
  if (!isJsonObject(rules) || !isJsonObject(metadata)) return [];
  const known = bodyPaths(metadata);
  return Object.entries(rules).flatMap(([path, rule]) => [
    ...(known.includes(path)
      ? []
      : [
          fault(
            ['transform', 'types', path],
            `a field of the target body${suggestion(path, known)}: ${known.join(', ')}`,
          ),
        ]),
    ...(isJsonObject(rule) && rule.prefix !== undefined && rule.to !== 'integer'
      ? [fault(['transform', 'types', path, 'prefix'], 'no prefix unless "to" is "integer"')]
      : []),
  ]);
};

const rules: readonly Rule[] = [
  effectRule('source'),
  effectRule('target'),
  operationRule('source'),
  operationRule('target'),
  apiRule('source'),
  apiRule('target'),
  split,
  sendRule('source'),
  sendRule('target'),
  sourceId,
  targetSend,
  results,
  idChecks,
  batch,
  paging,
  backoff,
  body,
  flattenedRule,
  types,
  ...runRules,
];

/** What parts of a file say against one another. Reads files of any form, so that all faults come at once. */
export const findContradictions = (raw: JsonValue): Finding[] => rules.flatMap((rule) => rule(raw));
