import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

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

/** A copy of `object` with `value` where these keys lead, objects made on the way. */
export const setKeys = (object: JsonObject, [key = '', ...rest]: readonly string[], value: JsonValue): JsonObject => {
  if (rest.length === 0) return { ...object, [key]: value };
  return { ...object, [key]: setInside(Object.hasOwn(object, key) ? object[key] : undefined, rest, value) };
};

/** The same for what may be a list, whose elements are counted from 0. */
const setInside = (inner: JsonValue | undefined, keys: readonly string[], value: JsonValue): JsonValue => {
  const [key = '', ...rest] = keys;
  const index = Number(key);
  if (!Array.isArray(inner) || !/^\d+$/.test(key) || index > inner.length) {
    return setKeys(isJsonObject(inner) ? inner : {}, keys, value);
  }
  const copy = [...inner];
  copy[index] = rest.length === 0 ? value : setInside(inner[index], rest, value);
  return copy;
};

/**
 * A copy of `object` with `value` at a dotted path, objects made on the way. A key that holds the dot itself is found
 * first, as `readPath` finds it.
 */
export const setPath = (object: JsonObject, path: string, value: JsonValue): JsonObject =>
  setKeys(object, Object.hasOwn(object, path) ? [path] : path.split('.'), value);

/** The value at the steps of a path, whatever holds it; undefined where nothing is. Only own keys count. */
export const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (within, key) =>
      typeof within === 'object' && within !== null && Object.hasOwn(within, key)
        ? (within as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
