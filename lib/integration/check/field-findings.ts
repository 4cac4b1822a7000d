import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';
import type { FaultPath } from '../../runtime/fault.ts';
import { suggestion } from '../../runtime/nearest.ts';
import { parameterValue } from '../dialect/declared.ts';
import { parserNames, readParsers } from '../dialect/parsers.ts';
import { parseTemplate, slotsOf, type Template } from '../dialect/template.ts';
import { isPageVariable, variableNames } from '../dialect/variables.ts';
import { fieldKeys, fieldTypes } from '../dialect/words.ts';
import { fault, isUnused, keyFindings, warning } from './key-findings.ts';
import type { Finding } from './shape.ts';

/** Where a field stands: what its templates may take from is another thing in each. */
type Place = 'source' | 'target' | 'adapter';

/** What the fields of a `request` are checked against. */
export type FieldsAround = {
  place: Place;
  /** Whether the source is asked for pages by their number or first row. */
  isPositional: boolean;
  /** Whether the values are names that a list is asked for, not parameters. */
  areNames: boolean;
  raw: JsonValue;
};

const hasChildren = ({ children }: JsonObject): boolean => Array.isArray(children) && children.length > 0;

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
const constantFindings = (field: JsonObject, { place, areNames, raw }: FieldsAround, path: FaultPath): Finding[] => {
  const { field: name, type, value = null, parser } = field;
  if (areNames || isUnused(value) || (!isUnused(parser) && !readParsers(parser))) return [];
  const declared = typeof type === 'string' ? type : null;
  const at = [...path, 'value'];
  const sent = parameterValue({ type: declared, parser }, value);
  if ('reason' in sent) return [fault(at, `what its parser reads: the value ${sent.reason}`)];
  const to = declared !== null && Object.hasOwn(fieldTypes, declared) ? fieldTypes[declared] : undefined;
  if (typeof sent.value !== 'string' || to === undefined || to === 'string' || to === 'datetime') return [];
  if (place !== 'target') return [warning(at, `a value of type ${declared}; it is sent as the text it is`)];
  // The text of an array is the name of a list; a rule of our own goes before the declared type.
  const rules = readPath(raw, 'transform.types');
  const isRuled = isJsonObject(rules) && typeof name === 'string' && Object.hasOwn(rules, name);
  if (to === 'array' || isRuled || (to === 'boolean' && /^[01]$/.test(sent.value))) return [];
  return [warning(at, `a value of type ${declared}; every record is rejected for it`)];
};

const valueFindings = (field: JsonObject, around: FieldsAround, path: FaultPath): Finding[] => {
  const value = field.value ?? null;
  const template = parseTemplate(value);
  const at = [...path, 'value'];
  if (template.kind === 'unsupported') return [fault(at, `a template without ${template.why}: it is not carried out`)];
  const expected = slotsExpected(template, around);
  if (expected !== undefined) return [fault(at, expected)];
  if (typeof value === 'object' && holdsTemplates(value)) {
    return [fault(at, 'no template inside a list or an object: only a value as a whole is filled; see children')];
  }
  return [
    ...braceFindings(template, around, at),
    ...(template.kind === 'constant' ? constantFindings(field, around, path) : []),
  ];
};

const parserFindings = (field: JsonObject, path: FaultPath): Finding[] => {
  const { parser } = field;
  if (isUnused(parser)) return [];
  if (hasChildren(field)) return [fault([...path, 'parser'], 'nothing: what children make is not parsed')];
  return readParsers(parser) === undefined
    ? [
        fault(
          [...path, 'parser'],
          `{"name": …, "params": …} with a name of ${parserNames.join(', ')}; ConvertObjectParser needs its params`,
        ),
      ]
    : [];
};

const typeFindings = ({ type }: JsonObject, path: FaultPath): Finding[] => {
  if (typeof type !== 'string' || type === '' || Object.hasOwn(fieldTypes, type)) return [];
  const known = Object.keys(fieldTypes);
  return [fault([...path, 'type'], `one of ${known.join(', ')}${suggestion(type, known)}; others are not carried out`)];
};

/** Children are filled for each element of the list that `value` names; anything but a name is no list. */
const childrenFindings = (field: JsonObject, { place }: FieldsAround, path: FaultPath): Finding[] => {
  const { type, value } = field;
  if (!hasChildren(field) || isUnused(value)) return [];
  const template = parseTemplate(value ?? null);
  const isName =
    (template.kind === 'constant' && typeof template.value === 'string' && !/[{}]/.test(template.value)) ||
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

/** Of two fields of one name only the last one is sent. */
const repeatFindings = (field: JsonObject, later: readonly JsonValue[], path: FaultPath): Finding[] =>
  typeof field.field === 'string' && later.some((other) => isJsonObject(other) && other.field === field.field)
    ? [warning([...path, 'field'], 'every field once; of several of one name the last one that has a value is sent')]
    : [];

const emptyFindings = (field: JsonObject, { place, areNames }: FieldsAround, path: FaultPath): Finding[] => {
  if (hasChildren(field) || !isUnused(field.value)) return [];
  if (place === 'target') {
    const instead = field.type === 'array' ? "the record's own list of this name is sent, if there is one" : undefined;
    return [warning(path, `a value; without one ${instead ?? 'the field is left out of the body'}`)];
  }
  if (areNames) return [];
  const reason = field.is_required === true ? 'since is_required' : !isUnused(field.parser) ? 'for its parser' : '';
  return reason === '' ? [] : [warning(path, `a value, ${reason}; without one the parameter is not sent`)];
};

/** What is to say of the fields of a `request` or `otherRequest`, whatever its form. */
export const fieldFindings = (request: JsonValue | undefined, around: FieldsAround, path: FaultPath): Finding[] =>
  Array.isArray(request)
    ? request.flatMap((field, index) => {
        if (!isJsonObject(field)) return [];
        const at = [...path, index];
        return [
          ...keyFindings(field, fieldKeys, at, around.raw),
          ...(hasChildren(field) ? [] : valueFindings(field, around, at)),
          ...parserFindings(field, at),
          ...typeFindings(field, at),
          ...childrenFindings(field, around, at),
          ...parentFindings(field, request, at),
          ...repeatFindings(field, request.slice(index + 1), at),
          ...emptyFindings(field, around, at),
          ...fieldFindings(field.children, { ...around, areNames: false }, [...at, 'children']),
        ];
      })
    : [];
