import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { fieldKeys, fieldTypes, type Reading, sourceKeys, targetKeys } from './dialect.ts';
import type { FaultPath } from './fault.ts';
import { suggestion } from './nearest.ts';
import { readPath } from './path.ts';
import type { Finding } from './shape.ts';
import { parseTemplate } from './template.ts';

/** An export writes `null`, `""`, `[]` and `{}` for "not used". */
const isUnused = (value: JsonValue | undefined): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

const keyFindings = (block: JsonObject, readings: Readonly<Record<string, Reading>>, path: FaultPath): Finding[] =>
  Object.entries(block).flatMap(([key, value]): Finding[] => {
    const reading = Object.hasOwn(readings, key) ? readings[key] : undefined;
    const place = [...path, key];
    if (reading === undefined) {
      const expected = `a key known here${suggestion(key, Object.keys(readings))}; it is kept and not used`;
      return [{ kind: 'warning', path: place, expected }];
    }
    if (reading.as === 'honoured' || reading.as === 'noted' || isUnused(value)) return [];
    return reading.as === 'refused'
      ? [{ kind: 'fault', path: place, expected: reading.why }]
      : [{ kind: 'warning', path: place, expected: `nothing: ${reading.why}; it is kept and not used` }];
  });

type Side = 'source' | 'target';

const valueFindings = (field: JsonObject, side: Side, path: FaultPath): Finding[] => {
  const template = parseTemplate(field.value ?? null);
  const place = [...path, 'value'];
  if (template.kind === 'unsupported') {
    return [
      { kind: 'fault', path: place, expected: `a template without ${template.why}, which is not carried out yet` },
    ];
  }
  // What a list is asked for does not depend on a record.
  return side === 'source' && template.kind !== 'constant'
    ? [{ kind: 'fault', path: place, expected: 'a constant: a source has no record to fill a template from' }]
    : [];
};

const targetFieldFindings = (field: JsonObject, path: FaultPath): Finding[] => {
  const { type, children, value } = field;
  const hasChildren = Array.isArray(children) && children.length > 0;
  if (typeof type === 'string' && type !== '' && !Object.hasOwn(fieldTypes, type)) {
    const known = Object.keys(fieldTypes);
    const expected = `one of ${known.join(', ')}${suggestion(type, known)}; others are not carried out yet`;
    return [{ kind: 'fault', path: [...path, 'type'], expected }];
  }
  if (hasChildren && type === 'array') {
    return [{ kind: 'fault', path: [...path, 'children'], expected: 'no children in an array: not carried out yet' }];
  }
  return !hasChildren && isUnused(value)
    ? [{ kind: 'warning', path, expected: 'a value; without one the field is left out of the body' }]
    : [];
};

const requestFindings = (request: JsonValue | undefined, side: Side, path: FaultPath): Finding[] =>
  Array.isArray(request)
    ? request.flatMap((field, index) => {
        if (!isJsonObject(field)) return [];
        const place = [...path, index];
        return [
          ...keyFindings(field, fieldKeys, place),
          ...valueFindings(field, side, place),
          ...(side === 'target' ? targetFieldFindings(field, place) : []),
          ...requestFindings(field.children, side, [...place, 'children']),
        ];
      })
    : [];

/** What of the pasted blocks is not carried out: faults where records would come out otherwise, else warnings. */
export const findInMetadata = (raw: JsonValue): Finding[] =>
  (
    [
      ['source', sourceKeys],
      ['target', targetKeys],
    ] as const
  ).flatMap(([side, readings]) => {
    const block = readPath(raw, `${side}.metadata`);
    if (!isJsonObject(block)) return [];
    const path = [side, 'metadata'];
    return [...keyFindings(block, readings, path), ...requestFindings(block.request, side, [...path, 'request'])];
  });
