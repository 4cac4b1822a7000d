import { isJsonObject, type JsonValue } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';
import type { FaultPath } from '../../runtime/fault.ts';
import { type FieldParser, readParsers } from './parsers.ts';
import { parseTemplate, slotsOf, type Template } from './template.ts';
import { COLUMNS_FIELD, type FieldType, fieldTypeOf } from './words.ts';

/** One entry of a `request` tree, read: a parameter of a source, or a field of a target's body. */
export type RequestField = {
  /** Empty where the entry has none (a fault). */
  name: string;
  /** Dotted, from the root of the request. */
  path: string;
  /** Where the entry stands in its request: `[1, "children", 0]`. */
  at: FaultPath;
  isRequired: boolean;
  /** The type that it declares; undefined: none, or one that is not carried out (a fault). */
  type: FieldType | undefined;
  /** What its value says; without a value the constant null. */
  template: Template;
  /** In their order; none where they cannot be read (a fault). */
  parsers: readonly FieldParser[];
  children: readonly RequestField[];
};

const nameOf = (field: JsonValue | undefined): string => (typeof field === 'string' ? field : '');

/** Reads a `request` of any form; whatever is no entry of it is left to the check of the file. Pure. */
export const readRequest = (
  request: JsonValue | undefined,
  around: { path: string; at: FaultPath } = { path: '', at: [] },
): RequestField[] =>
  Array.isArray(request)
    ? request.flatMap((entry, index): RequestField[] => {
        if (!isJsonObject(entry)) return [];
        const name = nameOf(entry.field);
        const path = `${around.path}${name}`;
        const at = [...around.at, index];
        return [
          {
            name,
            path,
            at,
            isRequired: entry.is_required === true,
            type: fieldTypeOf(entry.type),
            template: parseTemplate(entry.value ?? null),
            parsers: readParsers(entry.parser) ?? [],
            children: readRequest(entry.children, { path: `${path}.`, at: [...at, 'children'] }),
          },
        ];
      })
    : [];

const always = (): boolean => true;

/** All fields of a tree, each before its children; `goesInto` says whose children are wanted. */
export const everyField = (
  fields: readonly RequestField[],
  goesInto: (field: RequestField) => boolean = always,
): RequestField[] =>
  fields.flatMap((field) => [field, ...(goesInto(field) ? everyField(field.children, goesInto) : [])]);

/** Whether these children, named `0`, `1`, …, are the elements of a list and not the fields of an object. */
export const areElements = (children: readonly { name: string }[]): boolean =>
  children.length > 0 && children.every(({ name }) => isElementName(name));

/** A list's element is named by its place, counted from 0. */
export const isElementName = (name: string): boolean => /^\d+$/.test(name);

/** Elements in the order of their places, wherever their entries stand. */
export const inOrder = <Element extends { name: string }>(elements: readonly Element[]): Element[] =>
  [...elements].sort((one, other) => Number(one.name) - Number(other.name));

const hasName = ({ name }: RequestField): boolean => name !== '';

/** The fields of a tree that have a value of their own, not children. */
export const leavesOf = (fields: readonly RequestField[]): RequestField[] =>
  everyField(fields, hasName).filter((field) => hasName(field) && field.children.length === 0);

/** Whether a field's value takes this field of a record, or this variable. */
export const takes = ({ template }: RequestField, name: string): boolean =>
  slotsOf(template).some((slot) => slot.name === name);

/** Whether a field says nothing as its value: `null` and `""` are what an export writes for that. */
export const isUnset = ({ template }: RequestField): boolean =>
  template.kind === 'constant' && (template.value === null || template.value === '');

/** The value of a field as it stands, where it is no template. */
export const constantOf = ({ template }: RequestField): JsonValue | undefined =>
  template.kind === 'constant' ? template.value : undefined;

/** The columns that FieldKeys of a tree names; undefined: it names none. */
const namedColumns = (fields: readonly RequestField[]): string[] | undefined => {
  const field = fields.find(({ name }) => name === COLUMNS_FIELD);
  const value = field && constantOf(field);
  const texts = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [];
  const names = texts.flatMap((text) => (typeof text === 'string' && text.trim() !== '' ? [text.trim()] : []));
  return names.length === 0 ? undefined : names;
};

/** The two trees of a block. */
export type Trees = { request: readonly RequestField[]; otherRequest: readonly RequestField[] };

/**
 * The columns of a list whose rows are lists: in the order in which FieldKeys names them, else one for each field of the
 * request. A field that asks for a named column says what it is called in the record. Pure.
 */
export const columnsIn = ({ request, otherRequest }: Trees): string[] => {
  const asked = (column: string): string =>
    request.find((field) => field.name === column || constantOf(field) === column)?.name ?? column;
  return (namedColumns(request) ?? namedColumns(otherRequest))?.map(asked) ?? request.map(({ name }) => name);
};

/** The two trees of each block of a file. */
export type Requests = Readonly<Record<'source' | 'target', { request: RequestField[]; otherRequest: RequestField[] }>>;

const readBlock = (raw: JsonValue, side: 'source' | 'target') => ({
  request: readRequest(readPath(raw, `${side}.metadata.request`)),
  otherRequest: readRequest(readPath(raw, `${side}.metadata.otherRequest`)),
});

/** Reads the trees of a file of any form. */
export const readRequests = (raw: JsonValue): Requests => ({
  source: readBlock(raw, 'source'),
  target: readBlock(raw, 'target'),
});
