import { isJsonObject, type JsonValue } from '../../json/json.ts';

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

/**
 * What `otherResponse` says that is not read, from its root: names that nobody here knows, and a status without the
 * value that means success.
 */
export const otherResponseFindings = (
  raw: JsonValue | undefined,
): { path: (string | number)[]; expected: string }[] => {
  const known = `one of ${names.join(', ')}; the run goes on without it`;
  const entries = Array.isArray(raw)
    ? raw.flatMap((entry, index) => {
        if (!isJsonObject(entry)) return [[index]];
        if ([entry.field, entry.key, entry.name].some(isName)) return [];
        const isNamed = ['field', 'key', 'name'].some((key) => typeof entry[key] === 'string');
        return isNamed
          ? [[index]]
          : Object.keys(entry).flatMap((key): (string | number)[][] => (isName(key) ? [] : [[index, key]]));
      })
    : isJsonObject(raw)
      ? Object.keys(raw).flatMap((key) => (isName(key) ? [] : [[key]]))
      : [];
  const isOther = raw !== undefined && raw !== null && raw !== '' && typeof raw !== 'object';
  const { statusKey, statusValue } = readOtherResponse(raw);
  return [
    ...(isOther ? [{ path: [], expected: 'an object or a list; the run goes on without it' }] : []),
    ...entries.map((path) => ({ path, expected: known })),
    ...(statusKey !== undefined && statusValue === undefined
      ? [{ path: [], expected: 'statusValue beside statusKey; without it the status is not looked at' }]
      : []),
  ];
};
