import { isJsonObject, type JsonValue } from './json.ts';

const step = (value: JsonValue | undefined, key: string): JsonValue | undefined => {
  if (isJsonObject(value)) return Object.hasOwn(value, key) ? value[key] : undefined;
  return Array.isArray(value) && /^\d+$/.test(key) ? value[Number(key)] : undefined;
};

/**
 * The value at a dotted path, as the files write it (`data.list`, `rows.0.id`); undefined where nothing is. A key that
 * holds the dot itself is found first. Only own keys count, so `constructor` is no hit.
 */
export const readPath = (value: JsonValue | undefined, path: string): JsonValue | undefined =>
  isJsonObject(value) && Object.hasOwn(value, path) ? value[path] : path.split('.').reduce(step, value);
