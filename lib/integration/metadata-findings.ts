import { conditionFaults } from '../dialect/condition.ts';
import { parserNames, readParsers } from '../dialect/parsers.ts';
import { parseTemplate, slotsOf, type Template } from '../dialect/template.ts';
import { isPageVariable, variableNames } from '../dialect/variables.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { fieldKeys, fieldTypes, type Reading, sourceKeys, targetKeys } from './dialect.ts';
import type { FaultPath } from './fault.ts';
import { suggestion } from './nearest.ts';
import { readPath } from './path.ts';
import type { Finding } from './shape.ts';

/** An export writes `null`, `""`, `[]` and `{}` for "not used". */
export const isUnused = (value: JsonValue | undefined): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

const fault = (path: FaultPath, expected: string): Finding => ({ kind: 'fault', path, expected });
const warning = (path: FaultPath, expected: string): Finding => ({ kind: 'warning', path, expected });

/** How a key is read in this very file: a setting of our own may go before it. */
export const readingIn = (raw: JsonValue, reading: Reading): Reading =>
  reading.as === 'honoured' && reading.unless !== undefined && readPath(raw, reading.unless) !== undefined
    ? { as: 'ignored', why: `${reading.unless} decides` }
    : reading;

const keyFindings = (
  block: JsonObject,
  readings: Readonly<Record<string, Reading>>,
  path: FaultPath,
  raw: JsonValue,
): Finding[] =>
  Object.entries(block).flatMap(([key, value]): Finding[] => {
    const known = Object.hasOwn(readings, key) ? readings[key] : undefined;
    const place = [...path, key];
    if (known === undefined) {
      return [warning(place, `a key known here${suggestion(key, Object.keys(readings))}; it is kept and not used`)];
    }
    const reading = readingIn(raw, known);
    if (reading.as === 'honoured' || reading.as === 'noted' || isUnused(value)) return [];
    return reading.as === 'refused'
      ? [fault(place, reading.why)]
      : [warning(place, `nothing: ${reading.why}; it is kept and not used`)];
  });

/** The keys inside these keys. */
const innerKeys = [
  ['operation', ['method', 'rows', 'rowsKey', 'arrayKey']],
  ['pagination', ['pageSize']],
] as const;
const conditionKeys = ['field', 'logic', 'value', 'strictMode'];

const strangersIn = (value: JsonValue | undefined, known: readonly string[], path: FaultPath): Finding[] =>
  isJsonObject(value)
    ? Object.keys(value)
        .filter((key) => !known.includes(key))
        .map((key) => warning([...path, key], `a key known here${suggestion(key, known)}; it is kept and not used`))
    : [];

const innerFindings = (block: JsonObject, path: FaultPath): Finding[] => {
  const groups = Array.isArray(block.condition) ? block.condition : [];
  return [
    ...innerKeys.flatMap(([key, known]) => strangersIn(block[key], known, [...path, key])),
    ...groups.flatMap((group, index) =>
      Array.isArray(group)
        ? group.flatMap((item, place) => strangersIn(item, conditionKeys, [...path, 'condition', index, place]))
        : [],
    ),
  ];
};

/** Where a field stands: what its templates may take from is another thing in each. */
type Place = 'source' | 'target' | 'adapter';

const sourceSlots = (template: Template, isPositional: boolean): string | undefined => {
  const slots = slotsOf(template);
  if (slots.some(({ of }) => of === 'field')) {
    return `a constant or a variable (${variableNames.join(', ')}): a source has no record to fill a template from`;
  }
  return !isPositional && slots.some(({ name }) => isPageVariable(name))
    ? 'no {{PAGINATION_…}}, since source.paging pages by neither page number nor offset'
    : undefined;
};

const targetSlots = (template: Template): string | undefined =>
  slotsOf(template).some(({ of }) => of === 'variable')
    ? 'no variable of the run: the body would be another one in every run, and nothing ever unchanged'
    : undefined;

const valueFindings = (field: JsonObject, place: Place, isPositional: boolean, path: FaultPath): Finding[] => {
  const template = parseTemplate(field.value ?? null);
  const at = [...path, 'value'];
  if (template.kind === 'unsupported') return [fault(at, `a template without ${template.why}: it is not carried out`)];
  const expected =
    place === 'source'
      ? sourceSlots(template, isPositional)
      : place === 'target'
        ? targetSlots(template)
        : slotsOf(template).length > 0
          ? 'a constant: what is sent beside the records does not depend on one'
          : undefined;
  return expected === undefined ? [] : [fault(at, expected)];
};

const parserFindings = ({ parser }: JsonObject, path: FaultPath): Finding[] =>
  isUnused(parser) || readParsers(parser) !== undefined
    ? []
    : [fault([...path, 'parser'], `{"name": …, "params": …} with a name of ${parserNames.join(', ')}`)];

const typeFindings = ({ type }: JsonObject, path: FaultPath): Finding[] => {
  if (typeof type !== 'string' || type === '' || Object.hasOwn(fieldTypes, type)) return [];
  const known = Object.keys(fieldTypes);
  return [fault([...path, 'type'], `one of ${known.join(', ')}${suggestion(type, known)}; others are not carried out`)];
};

const hasChildren = ({ children }: JsonObject): boolean => Array.isArray(children) && children.length > 0;

/** Children are filled for each element of the list that `value` names; anything but a name is no list. */
const childrenFindings = (field: JsonObject, place: Place, path: FaultPath): Finding[] => {
  const { type, value } = field;
  if (!hasChildren(field) || isUnused(value)) return [];
  const template = parseTemplate(value ?? null);
  const isName =
    (template.kind === 'constant' && typeof template.value === 'string') ||
    (template.kind === 'slot' && template.slot.of === 'field' && template.slot.pipes.length === 0);
  if (place === 'target' && type === 'array') {
    return isName ? [] : [fault([...path, 'value'], 'the name of a list in the record, such as "details"')];
  }
  return [fault([...path, 'value'], 'nothing, since the children are the value')];
};

/** A field under the same roof as the one that it names as its parent would be sent in the wrong place. */
const parentFindings = (field: JsonObject, siblings: readonly JsonValue[], path: FaultPath): Finding[] => {
  const { parent } = field;
  const isBeside =
    typeof parent === 'string' &&
    parent !== '' &&
    siblings.some((other) => isJsonObject(other) && other !== field && other.field === parent);
  return isBeside
    ? [fault([...path, 'parent'], `the field inside the children of ${JSON.stringify(parent)}, not beside it`)]
    : [];
};

const emptyFindings = (field: JsonObject, place: Place, path: FaultPath): Finding[] => {
  if (hasChildren(field) || !isUnused(field.value)) return [];
  if (place === 'target') {
    const instead = field.type === 'array' ? "the record's own list of this name is sent, if there is one" : undefined;
    return [warning(path, `a value; without one ${instead ?? 'the field is left out of the body'}`)];
  }
  return place === 'source' && field.is_required === true
    ? [warning(path, 'a value, since is_required; without one the parameter is not sent')]
    : [];
};

const requestFindings = (
  request: JsonValue | undefined,
  place: Place,
  isPositional: boolean,
  path: FaultPath,
  raw: JsonValue,
): Finding[] =>
  Array.isArray(request)
    ? request.flatMap((field, index) => {
        if (!isJsonObject(field)) return [];
        const at = [...path, index];
        const value = hasChildren(field) ? [] : valueFindings(field, place, isPositional, at);
        return [
          ...keyFindings(field, fieldKeys, at, raw),
          ...value,
          ...parserFindings(field, at),
          ...typeFindings(field, at),
          ...childrenFindings(field, place, at),
          ...parentFindings(field, request, at),
          ...emptyFindings(field, place, at),
          ...requestFindings(field.children, place, isPositional, [...at, 'children'], raw),
        ];
      })
    : [];

const sourceFindings = (block: JsonObject, path: FaultPath): Finding[] => {
  const { beatFlat } = block;
  const hasNameless = Array.isArray(beatFlat) && beatFlat.includes('');
  return [
    ...conditionFaults(block.condition).map(({ path: inner, expected }) =>
      fault([...path, 'condition', ...inner], expected),
    ),
    ...(hasNameless ? [fault([...path, 'beatFlat'], 'the names of child arrays')] : []),
  ];
};

/**
 * What of the pasted blocks is not carried out: faults where records would come out otherwise, else warnings. `filled`:
 * the file with what its blocks and profiles say filled in.
 */
export const findInMetadata = (raw: JsonValue, filled: JsonValue): Finding[] => {
  const kind = readPath(filled, 'source.paging.kind');
  const isPositional = kind === 'pageNumber' || kind === 'offset';
  return (
    [
      ['source', sourceKeys],
      ['target', targetKeys],
    ] as const
  ).flatMap(([side, readings]) => {
    const block = readPath(raw, `${side}.metadata`);
    if (!isJsonObject(block)) return [];
    const path = [side, 'metadata'];
    const other: Place = side === 'source' ? 'source' : 'adapter';
    return [
      ...keyFindings(block, readings, path, raw),
      ...innerFindings(block, path),
      ...requestFindings(block.request, side, isPositional, [...path, 'request'], raw),
      ...requestFindings(block.otherRequest, other, isPositional, [...path, 'otherRequest'], raw),
      ...(side === 'source' ? sourceFindings(block, path) : []),
    ];
  });
};
