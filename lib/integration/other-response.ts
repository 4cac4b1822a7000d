import { isJsonObject, type JsonValue } from '../json/json.ts';

/** What `otherResponse` says: where status and list stand in an answer. */
export type OtherResponse = {
  statusKey?: string;
  statusValue?: string | number | boolean;
  dataKey?: string;
  pageKey?: string;
};

const names = ['statusKey', 'statusValue', 'dataKey', 'pageKey'] as const;
type Name = (typeof names)[number];

const isName = (name: JsonValue | undefined): name is Name => names.some((one) => one === name);

/** `{statusKey: …}`, or a list of `{field: "statusKey", value: …}` or of such objects: exports have all of them. */
const entriesOf = (raw: JsonValue): [string, JsonValue][] => {
  if (Array.isArray(raw)) {
    return raw.filter(isJsonObject).flatMap((entry): [string, JsonValue][] => {
      const name = [entry.field, entry.key, entry.name].find(isName);
      return name === undefined ? Object.entries(entry) : [[name, entry.value ?? null]];
    });
  }
  return isJsonObject(raw) ? Object.entries(raw) : [];
};

/** Reads `otherResponse` in any of its forms; what is empty or unknown is left out. */
export const readOtherResponse = (raw: JsonValue | undefined): OtherResponse => {
  const read: OtherResponse = {};
  for (const [name, value] of raw === undefined ? [] : entriesOf(raw)) {
    if (!isName(name) || value === null || value === '' || typeof value === 'object' || typeof value === 'bigint')
      continue;
    if (name === 'statusValue') read.statusValue = value;
    else if (typeof value === 'string') read[name] = value;
  }
  return read;
};
