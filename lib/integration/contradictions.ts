import { isJsonObject, type JsonValue } from '../json/json.ts';
import { effects, methods, operations } from './dialect.ts';
import type { FaultPath } from './fault.ts';
import { suggestion } from './nearest.ts';
import { readPath } from './path.ts';
import type { Finding } from './shape.ts';
import { bodyPaths } from './target-fields.ts';

const fault = (path: FaultPath, expected: string): Finding => ({ kind: 'fault', path, expected });

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

const methodRule =
  (side: 'source' | 'target'): Rule =>
  (raw) => {
    const value = readPath(raw, `${side}.metadata.method`);
    const allowed: readonly string[] = methods[side];
    return typeof value !== 'string' || allowed.includes(value)
      ? []
      : [fault([side, 'metadata', 'method'], `${quoted(allowed)} in a ${side} block`)];
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

const sourceApi: Rule = (raw) =>
  typeof readPath(raw, 'source.metadata.api') !== 'string' || isPath(readPath(raw, 'source.metadata.api'))
    ? []
    : [fault(['source', 'metadata', 'api'], 'a path that starts with /')];

const targetApi: Rule = (raw) => {
  const api = readPath(raw, 'target.metadata.api');
  const path = readPath(raw, 'target.path');
  if (typeof api !== 'string') return [];
  if (path === undefined && !isPath(api)) {
    return [fault(['target', 'path'], `a path such as "/execute", since metadata.api ${JSON.stringify(api)} is none`)];
  }
  return path !== undefined && isPath(api) && path !== api
    ? [fault(['target', 'path'], `nothing, since metadata.api is the path ${JSON.stringify(api)}`)]
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

const paging: Rule = (raw) => {
  const page = readPath(raw, 'source.paging');
  if (!isJsonObject(page)) return [];
  const place = (key: string) => ['source', 'paging', key];
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
  methodRule('source'),
  methodRule('target'),
  operationRule('source'),
  operationRule('target'),
  sourceApi,
  targetApi,
  batch,
  paging,
  backoff,
  body,
  types,
];

/** What parts of a file say against one another. Reads files of any form, so that all faults come at once. */
export const findContradictions = (raw: JsonValue): Finding[] => rules.flatMap((rule) => rule(raw));
