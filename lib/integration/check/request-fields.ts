import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';

/** An entry of a parameter tree without children, with its dotted path. */
export type LeafField = { path: string; field: JsonObject };

/** The leaves of a parameter tree, whatever its form. */
export const leafFields = (request: JsonValue | undefined, around = ''): LeafField[] =>
  Array.isArray(request)
    ? request.filter(isJsonObject).flatMap((entry): LeafField[] => {
        const { field, children } = entry;
        if (typeof field !== 'string') return [];
        const path = `${around}${field}`;
        return Array.isArray(children) && children.length > 0
          ? leafFields(children, `${path}.`)
          : [{ path, field: entry }];
      })
    : [];
