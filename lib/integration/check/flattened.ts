import { isJsonObject, type JsonValue } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';
import type { FaultPath } from '../../runtime/fault.ts';
import { parseTemplate, slotsOf } from '../dialect/template.ts';
import { fault } from './key-findings.ts';
import type { Finding } from './shape.ts';

type Flat = { lists: readonly string[]; path: FaultPath };

/** The fields of a target that take from a list which `beatFlat` has taken apart: they would find nothing. */
const takenApart = (request: JsonValue | undefined, { lists, path }: Flat): Finding[] =>
  Array.isArray(request)
    ? request.filter(isJsonObject).flatMap(({ field, type, value = null, children }, index): Finding[] => {
        const at = [...path, index];
        const names = slotsOf(parseTemplate(value)).map(({ name }) => name);
        const inside = lists.find((list) => names.some((name) => name.startsWith(`${list}.`)));
        const hasChildren = Array.isArray(children) && children.length > 0;
        const named = [value, ...names, ...(value === null || value === '' ? [field] : [])];
        const whole = type === 'array' && hasChildren ? lists.find((list) => named.includes(list)) : undefined;
        if (inside !== undefined) {
          return [fault([...at, 'value'], `{{${inside}_…}}: beatFlat lays the fields of ${inside} into the record`)];
        }
        return whole === undefined
          ? takenApart(children, { lists, path: [...at, 'children'] })
          : [fault([...at, 'value'], `no list ${whole}: beatFlat makes a record of each of its elements`)];
      })
    : [];

/** What `beatFlat` lays into the record is no list any more, for whoever takes from it. */
export const flattenedRule = (raw: JsonValue): Finding[] => {
  const beatFlat = readPath(raw, 'source.metadata.beatFlat');
  const lists = Array.isArray(beatFlat) ? beatFlat.filter((list) => typeof list === 'string') : [];
  const keys = ['id', 'number'].flatMap((key) => {
    const value = readPath(raw, `source.metadata.${key}`);
    const list = lists.find((one) => typeof value === 'string' && value.startsWith(`${one}.`));
    return list === undefined
      ? []
      : [fault(['source', 'metadata', key], `${list}_…: beatFlat lays the fields of ${list} into the record`)];
  });
  return [
    ...keys,
    ...takenApart(readPath(raw, 'target.metadata.request'), { lists, path: ['target', 'metadata', 'request'] }),
  ];
};
