import { isJsonObject, type JsonObject, stringifyJson } from '../json/json.ts';

/** The id in a body as the target gets it, as text; undefined where the body carries none. */
export const targetIdIn = (body: JsonObject, key: string | undefined): string | undefined => {
  const value = key === undefined ? undefined : body[key];
  if (value === undefined || value === null || Array.isArray(value)) return undefined;
  // {"FNUMBER": 1}: two records that become one reference become one.
  return isJsonObject(value) ? stringifyJson(value) : String(value);
};
