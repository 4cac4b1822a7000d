import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';

const fieldPaths = (request: JsonValue | undefined, around: string): string[] =>
  Array.isArray(request)
    ? request.filter(isJsonObject).flatMap(({ field, children }) => {
        if (typeof field !== 'string') return [];
        const path = `${around}${field}`;
        return Array.isArray(children) && children.length > 0 ? fieldPaths(children, `${path}.`) : [path];
      })
    : [];

/** Paths of the fields that the body of a record has by this target block, whatever the form of the block. */
export const bodyPaths = (metadata: JsonObject): string[] =>
  metadata.request === undefined || (Array.isArray(metadata.request) && metadata.request.length === 0)
    ? ['number', 'id', 'name'].flatMap((role) => {
        const key = metadata[role];
        return typeof key === 'string' ? [key] : [];
      })
    : fieldPaths(metadata.request, '');
