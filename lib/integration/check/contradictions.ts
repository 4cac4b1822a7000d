import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { readPath, valueAt } from '../../json/path.ts';
import type { FaultPath } from '../../runtime/fault.ts';
import { suggestion } from '../../runtime/nearest.ts';
import { isUnset, leavesOf, type RequestField, type Requests, takes } from '../dialect/request-fields.ts';
import { effects } from '../dialect/words.ts';
import { flattenedFindings } from './fields.ts';
import { type Finding, fault } from './shape.ts';

const isPath = (value: JsonValue | undefined): boolean => typeof value === 'string' && value.startsWith('/');

const quoted = (values: readonly string[]): string => values.map((value) => JSON.stringify(value)).join(', ');

const objectAt = (raw: JsonValue, path: string): JsonObject | undefined => {
  const found = readPath(raw, path);
  return isJsonObject(found) ? found : undefined;
};

type Rule = (raw: JsonValue, requests: Requests) => Finding[];

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

/** An `api` that is a name, such as `batchSave`, is a path below the base URL as it stands. */
const isPathName = (api: string): boolean => /^[\w.~-]+(\/[\w.~-]+)*$/.test(api);

const apiRule =
  (side: 'source' | 'target'): Rule =>
  (raw) => {
    const api = readPath(raw, `${side}.metadata.api`);
    const path = readPath(raw, `${side}.path`);
    if (typeof api !== 'string') return [];
    if (/[{}]/.test(api) && (isPath(api) || path === undefined)) {
      return [
        fault([side, 'metadata', 'api'], 'a path without braces, the real ids in it: it is the same for every request'),
      ];
    }
    if (path === undefined && !isPath(api) && !isPathName(api)) {
      const expected = `a path such as "/execute", since metadata.api ${JSON.stringify(api)} is none`;
      return [fault([side, 'path'], expected)];
    }
    return path !== undefined && isPath(api) && path !== api
      ? [fault([side, 'path'], `nothing, since metadata.api is the path ${JSON.stringify(api)}`)]
      : [];
  };

const bodiless =
  (side: 'source' | 'target'): Rule =>
  (raw) =>
    readPath(raw, `${side}.metadata.method`) === 'GET'
      ? [
          ...['request', 'otherRequest']
            .filter((key) => readPath(raw, `${side}.send.${key}.in`) === 'body')
            .map((key) => fault([side, 'send', key, 'in'], '"query" or "header", since a GET has no body')),
          ...(readPath(raw, `${side}.send.body`) === undefined
            ? []
            : [fault([side, 'send', 'body'], 'nothing, since a GET has no body')]),
        ]
      : [];

const entriesAt = (value: JsonValue | undefined): [place: FaultPath, entry: JsonObject][] => {
  if (isJsonObject(value)) return [[[], value]];
  return Array.isArray(value) ? value.flatMap((one, index) => (isJsonObject(one) ? [[[index], one]] : [])) : [];
};

/** Where what is under `sign` or `params` goes into a body. */
const intoBody = (value: JsonValue | undefined): FaultPath[] =>
  entriesAt(value).flatMap(([place, entry]) =>
    (['use', 'timestamp', 'nonce'] as const)
      .filter((key) => readPath(entry, `${key}.in`) === 'body')
      .map((key) => [...place, key, 'in'])
      .concat(entry.in === 'body' ? [[...place, 'in']] : []),
  );

/** What authorises a request cannot go into a body that there is not. */
const bodilessAuth =
  (side: 'source' | 'target'): Rule =>
  (raw) => {
    const auth = objectAt(raw, `${side}.connection.auth`) ?? {};
    const { use, params, sign, request } = auth;
    const isGet = readPath(raw, `${side}.metadata.method`) === 'GET';
    const own: FaultPath[] = !isGet
      ? []
      : [
          ...intoBody(use).map((at) => ['use', ...at]),
          ...intoBody(params).map((at) => ['params', ...at]),
          ...intoBody(sign).map((at) => ['sign', ...at]),
        ];
    const { method, in: carrier, sign: requestSign } = isJsonObject(request) ? request : {};
    const ofToken = method === 'GET' || carrier === 'query' ? intoBody(requestSign) : [];
    const words = '"query" or "header", since the request has no body';
    return [...own, ...ofToken.map((at) => ['request', 'sign', ...at])].map((at) =>
      fault([side, 'connection', 'auth', ...at], words),
    );
  };

const sourceId: Rule = (raw) => {
  const own = readPath(raw, 'source.id');
  const pasted = readPath(raw, 'source.metadata.id');
  return typeof own === 'string' && typeof pasted === 'string' && own !== pasted
    ? [fault(['source', 'id'], `nothing, since metadata.id is ${JSON.stringify(pasted)}`)]
    : [];
};

const idChecks: Rule = (raw) => {
  const own = readPath(raw, 'source.metadata.idCheck');
  const other = readPath(raw, 'target.metadata.idCheck');
  return typeof own === 'boolean' && typeof other === 'boolean' && own !== other
    ? [fault(['source', 'metadata', 'idCheck'], `${other}, as in the target block, or nothing`)]
    : [];
};

const sourceLeaves = ({ source }: Requests): RequestField[] => [
  ...leavesOf(source.request),
  ...leavesOf(source.otherRequest),
];

/** A size without its parameter is never sent, a parameter without a size has nothing to carry. */
const paging: Rule = (raw, requests) => {
  const page = objectAt(raw, 'source.paging');
  if (page === undefined) return [];
  const place = (key: string) => ['source', 'paging', key];
  if (page.kind === 'offset' && page.offsetParam === undefined) {
    // {{PAGINATION_START_ROW}} may stand in the request instead, alone or in arithmetic.
    return sourceLeaves(requests).some((leaf) => takes(leaf, 'PAGINATION_START_ROW'))
      ? []
      : [fault(place('offsetParam'), 'the parameter that carries the first row')];
  }
  if (page.kind !== 'cursor' || (page.pageSize === undefined) === (page.sizeParam === undefined)) return [];
  return page.sizeParam === undefined
    ? [fault(place('sizeParam'), 'the parameter that carries pageSize')]
    : [fault(place('pageSize'), 'the size that sizeParam carries')];
};

const backoff: Rule = (raw) => {
  const { baseMs = 1000, capMs = 300_000 } = objectAt(raw, 'target.retry') ?? {};
  return typeof baseMs === 'number' && typeof capMs === 'number' && capMs < baseMs
    ? [fault(['target', 'retry', 'capMs'], `baseMs (${baseMs}) or more`)]
    : [];
};

/** Paths of the fields that the body of a record has; without a request by the roles that the block names. */
const bodyPaths = (raw: JsonValue, { target }: Requests): string[] => {
  const { request, ...metadata } = objectAt(raw, 'target.metadata') ?? {};
  const isByRole = request === undefined || (Array.isArray(request) && request.length === 0);
  return isByRole
    ? [metadata.number, metadata.id, metadata.name].filter((key) => typeof key === 'string')
    : leavesOf(target.request).map(({ path }) => path);
};

/** A field without a value is left out; an array without one is the record's own list. */
const isNeverSent = (field: RequestField): boolean => field.type !== 'array' && isUnset(field);

const body: Rule = (raw, requests) => {
  if (objectAt(raw, 'target.metadata') === undefined) return [];
  if (bodyPaths(raw, requests).length === 0) {
    return [
      fault(['target', 'metadata'], 'a request, or at least one of id, number and name: the body would be empty'),
    ];
  }
  const leaves = leavesOf(requests.target.request);
  return leaves.length > 0 && leaves.every(isNeverSent)
    ? [
        fault(
          ['target', 'metadata', 'request'],
          'a value in at least one field, such as {{id}}: the body would be empty',
        ),
      ]
    : [];
};

const types: Rule = (raw, requests) => {
  const rules = objectAt(raw, 'transform.types');
  if (rules === undefined || objectAt(raw, 'target.metadata') === undefined) return [];
  const known = bodyPaths(raw, requests);
  return Object.keys(rules)
    .filter((path) => !known.includes(path))
    .map((path) =>
      fault(['transform', 'types', path], `a field of the target body${suggestion(path, known)}: ${known.join(', ')}`),
    );
};

/** What `beatFlat` lays into the record is no list any more, for whoever takes from it. */
const flattened: Rule = (raw, requests) => {
  const source = objectAt(raw, 'source.metadata');
  const lists = Array.isArray(source?.beatFlat) ? source.beatFlat.filter((list) => typeof list === 'string') : [];
  const keys = ['id', 'number'].flatMap((key) => {
    const value = source?.[key];
    const list = lists.find((one) => typeof value === 'string' && value.startsWith(`${one}.`));
    return list === undefined
      ? []
      : [fault(['source', 'metadata', key], `${list}_…: beatFlat lays the fields of ${list} into the record`)];
  });
  return [...keys, ...flattenedFindings(requests.target.request, lists, ['target', 'metadata', 'request'])];
};

/** Whether the list is asked for what changed since the last run. */
const asksForChanges = (raw: JsonValue, { source }: Requests): boolean =>
  (['request', 'otherRequest'] as const).some((key) =>
    leavesOf(source[key]).some((leaf) => {
      if (leaf.template.kind !== 'unsupported') return takes(leaf, 'LAST_SYNC_TIME');
      // A template that is refused asks for changes all the same: its own fault is enough.
      return String(valueAt(raw, ['source', 'metadata', key, ...leaf.at, 'value'])).includes('LAST_SYNC_TIME');
    }),
  );

/** A template of the last run's time needs a window for its first run, and a window needs such a template. */
const window: Rule = (raw, requests) => {
  const setting = readPath(raw, 'source.window');
  const asks = asksForChanges(raw, requests);
  if (asks === (setting !== undefined)) return [];
  const expected = asks
    ? '{"initial": "2020-01-01 00:00:00"} or the like: {{LAST_SYNC_TIME}} needs a beginning'
    : 'nothing, since no request value is {{LAST_SYNC_TIME}}';
  return [fault(['source', 'window'], expected)];
};

const vanished: Rule = (raw, requests) =>
  readPath(raw, 'vanished.action') === 'post' && asksForChanges(raw, requests)
    ? [fault(['vanished', 'action'], '"report": a list of changes does not show what vanished')]
    : [];

const rules: readonly Rule[] = [
  effectRule('source'),
  effectRule('target'),
  apiRule('source'),
  apiRule('target'),
  bodiless('source'),
  bodiless('target'),
  bodilessAuth('source'),
  bodilessAuth('target'),
  sourceId,
  idChecks,
  paging,
  backoff,
  body,
  flattened,
  types,
  window,
  vanished,
];

/**
 * Where parts of a file contradict each other in ways that the schema cannot express. Reads files of any form, so that
 * all faults come at once.
 */
export const findContradictions = (raw: JsonValue, requests: Requests): Finding[] =>
  rules.flatMap((rule) => rule(raw, requests));
