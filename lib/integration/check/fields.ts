import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { readPath, valueAt } from '../../json/path.ts';
import type { FaultPath } from '../../runtime/fault.ts';
import { suggestion } from '../../runtime/nearest.ts';
import { fieldKeys, instructionFields, isUnused } from '../dialect/keys.ts';
import { parameterValue } from '../dialect/parameters.ts';
import { parserNames, readParsers } from '../dialect/parsers.ts';
import { areElements, everyField, isElementName, isUnset, type RequestField } from '../dialect/request-fields.ts';
import { parseTemplate, slotsOf, type Template } from '../dialect/template.ts';
import { isPageVariable, variableNames } from '../dialect/variables.ts';
import { fieldTypes } from '../dialect/words.ts';
import { keyFindings } from './keys.ts';
import { type Finding, fault, warning } from './shape.ts';

/** Where a field stands, since that decides what its templates may refer to. */
type Place = 'source' | 'target' | 'adapter';

/** What the fields of a `request` are checked against. */
export type FieldsAround = {
  place: Place;
  /** Where the request stands in the file. */
  path: FaultPath;
  /** Whether the source is asked for pages by their number or first row. */
  isPositional: boolean;
  /** Whether the values are names that a list is asked for, not parameters. */
  areNames: boolean;
  raw: JsonValue;
};

/** A field with the entry that it was read from, and where that stands in the file. */
type Written = { field: RequestField; entry: JsonObject; path: FaultPath };

const hasChildren = ({ children }: RequestField): boolean => children.length > 0;

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

const slotsExpected = (template: Template, { place, isPositional }: FieldsAround): string | undefined => {
  switch (place) {
    case 'source':
      return sourceSlots(template, isPositional);
    case 'target':
      return targetSlots(template);
    case 'adapter':
      return template.kind !== 'constant'
        ? 'a constant: what is sent beside the records does not depend on one'
        : undefined;
    default:
      return place satisfies never;
  }
};

const textsOf = (template: Template): string[] => {
  if (template.kind === 'constant') return typeof template.value === 'string' ? [template.value] : [];
  if (template.kind === 'choice') {
    return [...template.branches.map(({ gives }) => gives), template.otherwise].flatMap(textsOf);
  }
  return template.kind === 'text' ? template.parts.flatMap((part) => ('text' in part ? [part.text] : [])) : [];
};

const ONE_BRACE = /\{\s*([\p{L}_][\p{L}\p{N}_.]*)\s*\}/u;

/** Texts that look like templates and are none: sent as they stand they would be the same for every record. */
const braceFindings = (template: Template, { place }: FieldsAround, at: FaultPath): Finding[] => {
  const texts = textsOf(template);
  if (texts.some((text) => text.includes('{{'))) return [fault(at, 'a template whose braces are closed: {{field}}')];
  const name = texts.map((text) => ONE_BRACE.exec(text)?.[1]).find((found) => found !== undefined);
  if (name === undefined) return [];
  return place === 'target'
    ? [fault(at, `two braces around a field, {{${name}}}: in one pair it would be sent as it stands, for every record`)]
    : [warning(at, `no {${name}}: it is sent as it stands, since only variables stand in one pair of braces`)];
};

/** Whether a text inside a list or an object would have to be filled; only the value as a whole is. */
const holdsTemplates = (value: JsonValue): boolean => {
  if (typeof value === 'string') return parseTemplate(value).kind !== 'constant';
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsTemplates);
};

/** A constant that its parsers or its declared type cannot read. */
const constantFindings = ({ field, entry, path }: Written, { place, areNames, raw }: FieldsAround): Finding[] => {
  const { value = null, parser, type } = entry;
  if ((areNames && field.at.length === 1) || isUnused(value) || (!isUnused(parser) && !readParsers(parser))) return [];
  const at = [...path, 'value'];
  const sent = parameterValue(field, value);
  if ('reason' in sent) return [fault(at, `what its parser reads: the value ${sent.reason}`)];
  const to = field.type;
  if (typeof sent.value !== 'string' || to === undefined || to === 'string' || to === 'datetime') return [];
  // A list that is sent as one text is meant to be one.
  if (to === 'array' && field.parsers.at(-1)?.name === 'ArrayToString') return [];
  if (place !== 'target') return [warning(at, `a value of type ${type}; it is sent as the text it is`)];
  // The text of an array is the name of a list; a rule of our own goes before the declared type.
  const rules = readPath(raw, 'transform.types');
  const isRuled = isJsonObject(rules) && Object.hasOwn(rules, field.name);
  if (to === 'array' || isRuled || (to === 'boolean' && /^[01]$/.test(sent.value))) return [];
  return [warning(at, `a value of type ${type}; every record is rejected for it`)];
};

const valueFindings = (written: Written, around: FieldsAround): Finding[] => {
  const { field, entry, path } = written;
  if (hasChildren(field)) return [];
  const { template } = field;
  const value = entry.value ?? null;
  const at = [...path, 'value'];
  if (template.kind === 'unsupported') return [fault(at, `a template without ${template.why}: it is not carried out`)];
  const expected = slotsExpected(template, around);
  if (expected !== undefined) return [fault(at, expected)];
  if (typeof value === 'object' && holdsTemplates(value)) {
    return [fault(at, 'no template inside a list or an object: only a value as a whole is filled; see children')];
  }
  return [
    ...braceFindings(template, around, at),
    ...(template.kind === 'constant' ? constantFindings(written, around) : []),
  ];
};

const parserFindings = ({ field, entry: { parser }, path }: Written): Finding[] => {
  if (isUnused(parser)) return [];
  const at = [...path, 'parser'];
  if (hasChildren(field)) return [fault(at, 'nothing: what children make is not parsed')];
  if (readParsers(parser) !== undefined) return [];
  const known = parserNames.join(', ');
  return [fault(at, `{"name": …, "params": …} with a name of ${known}; ConvertObjectParser needs its params`)];
};

const typeFindings = ({ field, entry: { type }, path }: Written): Finding[] => {
  if (typeof type !== 'string' || type === '' || field.type !== undefined) return [];
  const known = Object.keys(fieldTypes);
  return [fault([...path, 'type'], `one of ${known.join(', ')}${suggestion(type, known)}; others are not carried out`)];
};

/** Children are filled for each element of the list that `value` names; anything but a name is no list. */
const childrenFindings = ({ field, entry, path }: Written, { place }: FieldsAround): Finding[] => {
  const { template, type, children } = field;
  if (!hasChildren(field) || isUnused(entry.value)) return [];
  if (areElements(children)) return [fault([...path, 'value'], 'nothing, since the children are the list itself')];
  if (place !== 'target' || type !== 'array') {
    return [fault([...path, 'value'], 'nothing, since the children are the value')];
  }
  const isName =
    (template.kind === 'constant' && typeof template.value === 'string' && !/[{}]/.test(template.value)) ||
    (template.kind === 'slot' && template.slot.of === 'field' && template.slot.pipes.length === 0);
  return isName ? [] : [fault([...path, 'value'], 'the name of a list in the record, such as "details"')];
};

/** Fields named `0`, `1`, … are a list's elements: a gap among them or a name beside them says no list. */
const elementFindings = ({ field, path }: Written): Finding[] => {
  const places = field.children.filter(({ name }) => isElementName(name)).map(({ name }) => Number(name));
  const isWhole = places.sort((one, other) => one - other).every((place, index) => place === index);
  return places.length === 0 || (isWhole && areElements(field.children))
    ? []
    : [fault([...path, 'children'], 'fields, or elements of a list named 0, 1, … without a gap: not both')];
};

/** A field that stands beside the one that it names as its parent would be sent in the wrong place. */
const parentFindings = ({ entry, path }: Written, siblings: readonly JsonObject[]): Finding[] => {
  const { parent } = entry;
  const isBeside =
    typeof parent === 'string' && parent !== '' && siblings.some((other) => other !== entry && other.field === parent);
  return isBeside
    ? [fault([...path, 'parent'], `the field inside the children of ${JSON.stringify(parent)}, not beside it`)]
    : [];
};

/** Of two fields of one name only the last one is sent. */
const repeatFindings = ({ entry, path }: Written, siblings: readonly JsonObject[]): Finding[] =>
  typeof entry.field === 'string' &&
  siblings.slice(siblings.indexOf(entry) + 1).some((other) => other.field === entry.field)
    ? [warning([...path, 'field'], 'every field once; of several of one name the last one that has a value is sent')]
    : [];

const emptyFindings = ({ field, entry, path }: Written, { place, areNames }: FieldsAround): Finding[] => {
  if (hasChildren(field) || !isUnused(entry.value)) return [];
  if (place === 'target') {
    const instead = field.type === 'array' ? "the record's own list of this name is sent, if there is one" : undefined;
    return [warning(path, `a value; without one ${instead ?? 'the field is left out of the body'}`)];
  }
  if (areNames && field.at.length === 1) return [];
  const reason = field.isRequired ? 'since is_required' : isUnused(entry.parser) ? '' : 'for its parser';
  return reason === '' ? [] : [warning(path, `a value, ${reason}; without one the parameter is not sent`)];
};

/** A body is an object: a list of its own is not sent. In a query `0` is a name like any other. */
const rootElementFindings = ({ field, path }: Written, { place, raw }: FieldsAround): Finding[] => {
  const side = place === 'adapter' ? 'target' : place;
  const isRoot = field.at.length === 1 && isElementName(field.name);
  return isRoot && readPath(raw, `${side}.metadata.method`) !== 'GET'
    ? [fault([...path, 'field'], 'a name: the body as a whole is no list; put its elements into children of a field')]
    : [];
};

/** What an adapter of the platform is told, at the root of a request: sent as a parameter it would mean nothing. */
const instructionFindings = ({ field, entry, path }: Written): Finding[] => {
  const why = instructionFields.get(field.name.toLowerCase().replace(/[-_]/g, ''));
  const isGiven = hasChildren(field) || !isUnused(entry.value);
  return field.at.length === 1 && why !== undefined && isGiven ? [fault(path, why)] : [];
};

/** What is to say of the fields of a `request` or `otherRequest`. */
export const fieldFindings = (fields: readonly RequestField[], around: FieldsAround): Finding[] =>
  everyField(fields).flatMap((field): Finding[] => {
    const path = [...around.path, ...field.at];
    const entry = valueAt(around.raw, path);
    const beside = valueAt(around.raw, path.slice(0, -1));
    if (!isJsonObject(entry) || !Array.isArray(beside)) return [];
    const siblings = beside.filter(isJsonObject);
    const written = { field, entry, path };
    return [
      ...instructionFindings(written),
      ...keyFindings(entry, fieldKeys, path, around.raw),
      ...valueFindings(written, around),
      ...parserFindings(written),
      ...typeFindings(written),
      ...childrenFindings(written, around),
      ...elementFindings(written),
      ...rootElementFindings(written, around),
      ...parentFindings(written, siblings),
      ...repeatFindings(written, siblings),
      ...emptyFindings(written, around),
    ];
  });

/** Why a field of the target finds nothing where `beatFlat` has taken these lists apart; undefined: it does not take of them. */
const takenApart = (field: RequestField, lists: readonly string[]): string | undefined => {
  const { name, type, template, children } = field;
  const slots = slotsOf(template).map((slot) => slot.name);
  const inside = lists.find((list) => slots.some((slot) => slot.startsWith(`${list}.`)));
  if (inside !== undefined) return `{{${inside}_…}}: beatFlat lays the fields of ${inside} into the record`;
  if (type !== 'array' || children.length === 0) return undefined;
  const named = isUnset(field) ? name : undefined;
  const value = template.kind === 'constant' ? template.value : undefined;
  const whole = lists.find((list) => list === value || list === named || slots.includes(list));
  return whole === undefined ? undefined : `no list ${whole}: beatFlat makes a record of each of its elements`;
};

/** The fields of a target that take from a list which `beatFlat` has taken apart. */
export const flattenedFindings = (
  fields: readonly RequestField[],
  lists: readonly string[],
  path: FaultPath,
): Finding[] =>
  everyField(fields, (field) => takenApart(field, lists) === undefined).flatMap((field) => {
    const expected = takenApart(field, lists);
    return expected === undefined ? [] : [fault([...path, ...field.at, 'value'], expected)];
  });
