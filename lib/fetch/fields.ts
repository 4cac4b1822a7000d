import { isJsonObject, type JsonValue } from '../json/json.ts';
import { addWarnings, type Fields, type RunWarning, type UnfinishedRun } from '../runs/record.ts';
import type { FetchDeps, FetchPlan } from './fetch-plan.ts';

// A run record is one item of DynamoDB, which has 400 KB: some 20 KB for these.
const MAX_FIELDS = 250;
const MAX_PATH_CHARACTERS = 80;
const MAX_LEVELS = 3;
/** Elements of a list that are looked into. */
const MAX_ELEMENTS = 5;
const SHOWN_PATHS = 8;

const kindOf = (value: JsonValue): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (isJsonObject(value)) return 'object';
  if (typeof value === 'string') return 'text';
  return typeof value === 'boolean' ? 'boolean' : 'number';
};

type Learnt = Map<string, Set<string>>;

const note = (learnt: Learnt, path: string, kind: string): boolean => {
  const kinds = learnt.get(path);
  if (kinds !== undefined) {
    kinds.add(kind);
    return true;
  }
  if (learnt.size >= MAX_FIELDS || path.length > MAX_PATH_CHARACTERS) return false;
  learnt.set(path, new Set([kind]));
  return true;
};

const walk = (learnt: Learnt, value: JsonValue, around: string, level: number): void => {
  if (!isJsonObject(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    const path = around === '' ? key : `${around}.${key}`;
    if (!note(learnt, path, kindOf(inner)) || level === MAX_LEVELS) continue;
    const elements = Array.isArray(inner) ? inner.slice(0, MAX_ELEMENTS) : [inner];
    for (const element of elements) walk(learnt, element, path, level + 1);
  }
};

const SEPARATOR = ' ';

/** What is known of an answer's fields after these records, too. Bounded; pure. */
export const learnFields = (known: Fields | undefined, records: readonly JsonValue[]): Fields => {
  const learnt: Learnt = new Map(
    Object.entries(known ?? {}).map(([path, kinds]) => [path, new Set(kinds.split(SEPARATOR))]),
  );
  for (const record of records) walk(learnt, record, '', 1);
  return Object.fromEntries([...learnt].map(([path, kinds]) => [path, [...kinds].sort().join(SEPARATOR)]));
};

const withoutNull = (kinds: string): string =>
  kinds
    .split(SEPARATOR)
    .filter((kind) => kind !== 'null')
    .join(SEPARATOR);

const hasNull = (kinds: string): boolean => kinds.split(SEPARATOR).includes('null');

const warningOf = (code: string, paths: readonly string[], words: (shown: string) => string): RunWarning[] => {
  if (paths.length === 0) return [];
  const more = paths.length > SHOWN_PATHS ? ` and ${paths.length - SHOWN_PATHS} more` : '';
  return [{ code, count: paths.length, message: words(`${paths.slice(0, SHOWN_PATHS).join(', ')}${more}`) }];
};

/**
 * How the fields of this run's answer differ from those of the last one. `mapped`: paths that the target block takes
 * from a record. A field that was only ever null or is so now has not changed its type. Pure.
 */
export const driftOf = (before: Fields, now: Fields, mapped: ReadonlySet<string>): RunWarning[] => {
  const gone = Object.keys(before).filter((path) => !Object.hasOwn(now, path));
  const both = Object.entries(now).flatMap(([path, kinds]) => {
    const earlier = Object.hasOwn(before, path) ? before[path] : undefined;
    return earlier === undefined ? [] : [{ path, kinds, earlier }];
  });
  const changed = both.filter(({ kinds, earlier }) => {
    const [was, is] = [withoutNull(earlier), withoutNull(kinds)];
    return was !== '' && is !== '' && was !== is;
  });
  const newlyNull = both.filter(({ kinds, earlier }) => hasNull(kinds) && !hasNull(earlier));
  const fresh = Object.keys(now).filter((path) => !Object.hasOwn(before, path));
  return [
    ...warningOf(
      'mapped-field-missing',
      gone.filter((path) => mapped.has(path)),
      (paths) => `no record has ${paths} any more, which the mapping takes: check target.metadata.request`,
    ),
    ...warningOf(
      'field-missing',
      gone.filter((path) => !mapped.has(path)),
      (paths) => `no record has ${paths} any more`,
    ),
    ...warningOf(
      'field-type-changed',
      changed.map(({ path, kinds, earlier }) => `${path} (${earlier} → ${kinds})`),
      (paths) => `the type changed of ${paths}`,
    ),
    ...warningOf(
      'field-newly-null',
      newlyNull.map(({ path }) => path),
      (paths) => `null for the first time: ${paths}`,
    ),
    ...warningOf('field-new', fresh, (paths) => `not seen before: ${paths}`),
  ];
};

/** Says how the fields of the answers differ from those that the last run with records learnt; once for the run. */
export const noteDrift = async (
  run: UnfinishedRun,
  { learns }: FetchPlan,
  { runs, log, tuning }: Pick<FetchDeps, 'runs' | 'log' | 'tuning'>,
): Promise<UnfinishedRun> => {
  const isGoneOnWith = (run.checkpoint?.judged ?? 0) > 0 || run.deletions !== undefined;
  if (learns === undefined || isGoneOnWith) return run;
  const { integration, runId } = run;
  const earlier = (await runs.runs(integration, tuning.fetch.runsLookedAt)).find(
    (other) => other.runId !== runId && other.extractedMs !== undefined && other.fields !== undefined,
  );
  const before = earlier?.fields;
  if (before === undefined || run.fields === undefined) return run;
  // An empty list has no fields: what is known stays known.
  if (Object.keys(run.fields).length === 0) return { ...run, fields: before };
  const drift = driftOf(before, run.fields, learns.mapped);
  for (const { code, message } of drift) log.warn('field-drift', { integration, runId, code, words: message });
  return { ...run, warnings: addWarnings(run.warnings, drift) };
};
