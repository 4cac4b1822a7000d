import type { FieldParser } from '../dialect/parsers.ts';
import {
  areElements,
  constantOf,
  everyField,
  inOrder,
  isUnset,
  leavesOf,
  type RequestField,
  readRequest,
  takes,
} from '../dialect/request-fields.ts';
import { slotsOf, type Template } from '../dialect/template.ts';
import type { FieldType } from '../dialect/words.ts';
import type { Integration } from '../schema/schema.ts';

/** What a field of the target body must become. */
export type Conversion = {
  to: FieldType;
  /** Only for `integer`: a text that may stand before the digits. */
  prefix?: string;
};

/** Where the value of a field comes from. */
export type ValueFrom =
  | { from: 'template'; template: Template }
  /** The first of these paths of the record that holds something. */
  | { from: 'paths'; paths: readonly string[] }
  /** The record's own list at this path, where there is one. */
  | { from: 'list'; path: string };

/** A field of a target's body, ready to be filled. */
export type BodyField = {
  key: string;
  /** Dotted, in the body; for reasons. */
  path: string;
  isRequired: boolean;
} & (
  | { kind: 'value'; value: ValueFrom; conversion: Conversion | undefined; parsers: readonly FieldParser[] }
  | { kind: 'object'; children: readonly BodyField[] }
  /** Fields named `0`, `1`, …: a list of these elements, in this order. */
  | { kind: 'elements'; children: readonly BodyField[] }
  /** One element for each element of the list at `list` in the record; without it one for the record itself. */
  | { kind: 'list'; list: string | undefined; children: readonly BodyField[] }
);

/** How the body of a record is made, and where it carries the record's id. */
export type BodyPlan = { fields: readonly BodyField[]; idKey: string | undefined };

type Types = Integration['transform']['types'];

const ruleFor = (types: Types, path: string): Conversion | undefined =>
  Object.hasOwn(types, path) ? types[path] : undefined;

/** The source array of an array field: what its value names (`entries`, `{{entries}}`), else what its children address. */
const listOf = ({ name, template, children }: RequestField): string | undefined => {
  if (template.kind === 'constant') {
    if (typeof template.value === 'string' && template.value !== '') return template.value;
    const addresses = ({ template: inner }: RequestField): boolean =>
      slotsOf(inner).some((slot) => slot.name.startsWith(`${name}.`));
    return everyField(children).some(addresses) ? name : undefined;
  }
  return template.kind === 'slot' && template.slot.of === 'field' && template.slot.pipes.length === 0
    ? template.slot.name
    : undefined;
};

const valueFrom = (field: RequestField): ValueFrom => {
  const { name, type, template, parsers } = field;
  if (isUnset(field)) return type === 'array' ? { from: 'list', path: name } : { from: 'paths', paths: [] };
  const constant = constantOf(field);
  // A constant that is to be split is a text, not the name of an array.
  if (type === 'array' && typeof constant === 'string' && parsers.length === 0) {
    return { from: 'paths', paths: [constant] };
  }
  return { from: 'template', template };
};

const bodyFields = (fields: readonly RequestField[], types: Types): BodyField[] =>
  fields.map((field): BodyField => {
    const { name, path, isRequired, type, parsers, children } = field;
    const shared = { key: name, path, isRequired };
    if (areElements(children)) return { ...shared, kind: 'elements', children: bodyFields(inOrder(children), types) };
    if (children.length > 0) {
      const inner = bodyFields(children, types);
      return type === 'array'
        ? { ...shared, kind: 'list', list: listOf(field), children: inner }
        : { ...shared, kind: 'object', children: inner };
    }
    const conversion = ruleFor(types, path) ?? (type === undefined ? undefined : { to: type });
    return { ...shared, kind: 'value', value: valueFrom(field), conversion, parsers };
  });

/** The block without `request`: its `number`, `id` and `name` name the keys that these three are written under. */
const fieldsByRole = ({ source, target, transform }: Integration): BodyField[] => {
  const { id, number, name } = target.metadata;
  const roles: [key: string | undefined, paths: (string | undefined)[]][] = [
    [number, ['number', source.metadata.number]],
    [id, [source.metadata.id]],
    [name, ['name']],
  ];
  return roles.flatMap(([key, paths]): BodyField[] =>
    key === undefined
      ? []
      : [
          {
            kind: 'value',
            key,
            path: key,
            isRequired: false,
            value: { from: 'paths', paths: paths.filter((path) => path !== undefined) },
            conversion: ruleFor(transform.types, key),
            parsers: [],
          },
        ],
  );
};

/** Which key of a record's body carries its id, whatever the mapping makes of it; undefined: none does. Pure. */
export const idKeyOf = ({ source, target }: Integration): string | undefined => {
  const { id, request = [] } = target.metadata;
  if (request.length === 0) return id;
  const carriers = readRequest(request).filter((field) => takes(field, source.metadata.id));
  return (carriers.find(({ name }) => name === id) ?? carriers[0])?.name;
};

/** Compiles the body of a record. Pure. */
export const bodyPlanOf = (integration: Integration): BodyPlan => {
  const { request = [] } = integration.target.metadata;
  const { types } = integration.transform;
  const fields = request.length === 0 ? fieldsByRole(integration) : bodyFields(readRequest(request), types);
  return { fields, idKey: idKeyOf(integration) };
};

/** How the body of a deletion is made: of a record of which nothing is known but its id, which stands at `id`. */
export type DeletionPlan = { id: string; fields: readonly BodyField[] };

/**
 * Compiles the body of a deletion: as configured, else the fields under which records carry their id, by the same rules
 * of conversion as for records. Pure.
 */
export const deletionPlanOf = ({ source, target, transform, vanished }: Integration): DeletionPlan => {
  const { id } = source.metadata;
  const isForId = ({ template }: RequestField) =>
    template.kind === 'slot' && template.slot.name === id && template.slot.pipes.length === 0;
  const carriers = readRequest(target.metadata.request ?? []).filter(isForId);
  const own = vanished.request ?? [{ field: target.metadata.id ?? 'id', value: `{{${id}}}` }];
  const isConfigured = vanished.request !== undefined || carriers.length === 0;
  return { id, fields: bodyFields(isConfigured ? readRequest(own) : carriers, transform.types) };
};

/** The paths of a record that an integration takes: its id, its number and what the mapping reads. Pure. */
export const takenPathsOf = ({ source, target }: Integration): ReadonlySet<string> => {
  const { id, number } = source.metadata;
  const { request = [], name } = target.metadata;
  const taken = leavesOf(readRequest(request)).flatMap(({ template }) =>
    slotsOf(template).flatMap((slot) => (slot.of === 'field' ? [slot.name] : [])),
  );
  const byRole = request.length === 0 && name !== undefined ? ['name'] : [];
  return new Set([id, ...(number === undefined ? [] : [number]), ...byRole, ...taken]);
};
