import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';
import { type Finding, fault } from '../check/shape.ts';
import { constantOf, isUnset, type RequestField } from '../dialect/request-fields.ts';
import type { Profile } from './profile.ts';

type Trees = { request: readonly RequestField[]; otherRequest: readonly RequestField[] };

/** What the block of a family lacks: the fields without which its API answers nothing. Pure. */
export const needFindings = (
  side: 'source' | 'target',
  profile: Profile['source'] | Profile['target'],
  { request, otherRequest }: Trees,
): Finding[] =>
  Object.entries(profile?.needs ?? {}).flatMap(([name, what]): Finding[] =>
    [...request, ...otherRequest].some((field) => field.name === name && !isUnset(field))
      ? []
      : [fault([side, 'metadata', 'otherRequest'], `{"field": "${name}", "value": …}: ${what}`)],
  );

const plain = (name: string): string => name.toLowerCase().replace(/[-_.]/g, '');

/** A field whose value is its own name is a column that is asked for, not a parameter. */
const isColumn = (field: RequestField): boolean => {
  const value = constantOf(field);
  return typeof value === 'string' && value !== '' && plain(value).startsWith(plain(field.name));
};

/**
 * 金蝶's query takes the names of its columns in one text: a request that lists them must not go out field by field, and
 * one that names them in FieldKeys is no list of columns. Pure.
 */
export const billQueryFindings = (source: JsonObject, request: readonly RequestField[]): Finding[] => {
  const api = readPath(source, 'metadata.api');
  if (typeof api !== 'string' || !/(?:^|[./])executebillquery(?:$|\.)/i.test(api)) return [];
  const send: JsonValue | undefined = readPath(source, 'send.request');
  const areNames = isJsonObject(send) && send.as === 'names';
  const keys = request.find(({ name }) => name === 'FieldKeys');
  if (areNames && keys !== undefined) {
    return [
      fault(
        ['source', 'metadata', 'request', ...keys.at],
        'the columns as fields of request, one each, since source.send sends their names as FieldKeys; the other parameters belong into otherRequest',
      ),
    ];
  }
  return !areNames && keys === undefined && request.some(isColumn)
    ? [
        fault(
          ['source', 'profile'],
          '"kingdee", since request lists the columns that are wanted; or source.send.request {"as": "names", "under": …} of your own',
        ),
      ]
    : [];
};
