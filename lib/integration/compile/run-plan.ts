import { hash } from 'node:crypto';
import type { LoadPolicy } from '../../idcheck/decide.ts';
import { canonicalJson, parseJson } from '../../json/json.ts';
import { defined } from '../../runtime/defined.ts';
import { type Condition, readCondition } from '../dialect/condition.ts';
import { columnsIn } from '../dialect/request-fields.ts';
import { COLUMNS_FIELD } from '../dialect/words.ts';
import type { DependsOn, DuplicateRule, Integration } from '../schema/schema.ts';
import { type BodyPlan, bodyPlanOf, type DeletionPlan, deletionPlanOf, takenPathsOf } from './body-plan.ts';
import { requestsOf } from './paging-plan.ts';
import { batchOf, loadPolicyOf } from './target-plan.ts';

/** Which changes a run asks for: those since the last one, and some time before. */
export type WindowPlan = {
  /** Where the first window begins, ms since the epoch; no window begins before. */
  initialMs: number;
  overlapMs: number;
  /** As long as rows of a window are invalid, the next run asks for it again; otherwise for three runs. */
  staysAtInvalid: boolean;
};

/** What a run of an integration needs to know beside its source, its records and its target. */
export type RunPlan = {
  integration: string;
  /** Name of the connection that its records go over. */
  target: string;
  /** So many records go into one request. */
  rows: number;
  policy: LoadPolicy;
  /** A run due while another is under way waits for it, for so long after its time; absent: it yields. */
  waitsForMs?: number;
  /** The list is asked for what changed in a window of time. */
  window?: WindowPlan;
  /** A fingerprint of what decides the bodies of records. */
  mapping: string;
  /** Under a changed mapping no larger share of the loaded records is overwritten. */
  maxChangedShare: number;
  /** A snapshot of fewer rows than this share of those before concludes nothing from absence. */
  minShare: number;
  /**
   * A run of ten rows and more with a larger share of invalid ones has failed; below that they are trouble, or only
   * reported.
   */
  invalidRows: { maxShare: number; isTolerant: boolean };
  /** The fields of the answers are learnt and compared with the last run's; these paths are mapped. */
  learns?: { mapped: ReadonlySet<string> };
  /** Vanished ids are deleted in the target where no more than this share vanished; absent: they are reported. */
  deletion?: { maxShare: number; body: DeletionPlan };
};

const MINUTE_MS = 60_000;
const BEIJING_OFFSET_MS = 8 * 60 * MINUTE_MS;

/** A Beijing local time (`YYYY-MM-DD` or with ` HH:MM:SS`) in ms since the epoch; the schema has checked its form. */
const beijingMs = (text: string): number =>
  Date.parse(`${text.slice(0, 10)}T${text.slice(11) || '00:00:00'}Z`) - BEIJING_OFFSET_MS;

const windowPlanOf = ({ window }: Integration['source']): WindowPlan | undefined =>
  window && {
    initialMs: beijingMs(window.initial),
    overlapMs: window.overlapMinutes * MINUTE_MS,
    staysAtInvalid: window.invalid === 'stay',
  };

/** Where a record goes, not what it becomes. */
const ADDRESS_KEYS: ReadonlySet<string> = new Set(['api', 'effect', 'method']);

/**
 * A fingerprint of what decides the body of a record: the target block, templates and conversions. Limits, schedule and
 * addresses are not part of it, nor is the order of keys in the file. Pure.
 */
export const mappingOf = ({ source, target, transform }: Integration): string => {
  const block = Object.entries(target.metadata).filter(([key]) => !ADDRESS_KEYS.has(key));
  const { id, number, request: columns, otherRequest } = source.metadata;
  const keys = (otherRequest ?? []).filter(({ field }) => field === COLUMNS_FIELD);
  const { rows } = source.answer;
  const { types, clean } = transform;
  const deciding = [
    Object.fromEntries(block),
    types,
    clean,
    { id, number, rows, ...(rows === 'lists' && { columns, ...(keys.length > 0 && { keys }) }) },
  ];
  const text = JSON.stringify(deciding, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  return hash('sha256', canonicalJson(parseJson(text)), 'base64url');
};

/** Compiles what an integration's file says of its runs. Pure. */
export const runPlanOf = (integration: Integration): RunPlan => {
  const { name, source, target, overlap, vanished, deadlineMinutes } = integration;
  return {
    integration: name,
    target: target.connection.name,
    rows: batchOf(target)?.rows ?? 1,
    policy: loadPolicyOf(integration),
    mapping: mappingOf(integration),
    maxChangedShare: target.maxChangedShare,
    minShare: source.minShare,
    invalidRows: { maxShare: source.maxInvalidShare, isTolerant: source.invalid === 'report' },
    ...defined({ window: windowPlanOf(source) }),
    ...(overlap === 'wait' && { waitsForMs: deadlineMinutes * MINUTE_MS }),
    ...(source.metadata.autoFillResponse === true && { learns: { mapped: takenPathsOf(integration) } }),
    ...(vanished.action === 'post' && {
      deletion: { maxShare: vanished.maxShare, body: deletionPlanOf(integration) },
    }),
  };
};

/** What a fetched record stands for. */
export type ExpandPlan = {
  id: string;
  /** What a row of the answer is. */
  rows: 'objects' | 'lists' | 'values';
  /** Names of the columns, where rows are lists. */
  columns: readonly string[];
  /** `splitArray`: the array whose elements are the records. */
  arrayKey: string | undefined;
  /** Child arrays that are laid into the record, one record per element. */
  beatFlat: readonly string[];
  /** Suffix of the first child's id. */
  firstSuffix: number;
};

/** What happens to the records of an integration on their way from the source to a message. */
export type TransformPlan = {
  /** Dotted paths of a record's id and of its business code. */
  id: string;
  number?: string;
  expand: ExpandPlan;
  condition: Condition;
  trims: boolean;
  /** What becomes of records in which one of these fields is blank; absent: they are sent as they are. */
  blank?: { fields: readonly string[]; outcome: 'filtered' | 'invalid' };
  body: BodyPlan;
  duplicates: readonly DuplicateRule[];
  dependsOn?: DependsOn;
};

const expandPlanOf = ({ metadata, answer, beatFlat }: Integration['source']): ExpandPlan => ({
  id: metadata.id,
  rows: answer.rows ?? 'objects',
  columns: columnsIn(requestsOf(metadata)),
  arrayKey: metadata.operation?.method === 'splitArray' ? metadata.operation.arrayKey : undefined,
  beatFlat: metadata.beatFlat ?? [],
  firstSuffix: beatFlat?.firstSuffix ?? 0,
});

const blankOutcomes = { delete: 'filtered', reject: 'invalid', keep: undefined } as const;

const blankOf = ({ blank }: Integration['transform']['clean']): TransformPlan['blank'] => {
  const outcome = blank && blankOutcomes[blank.action];
  return blank === undefined || outcome === undefined ? undefined : { fields: blank.fields, outcome };
};

/** Compiles what an integration's file says of its records. Pure. */
export const transformPlanOf = (integration: Integration): TransformPlan => {
  const { source, transform } = integration;
  const { id, number, condition, beatFlat } = source.metadata;
  return {
    id,
    ...defined({ number }),
    expand: expandPlanOf(source),
    condition: readCondition(condition, beatFlat ?? []),
    trims: transform.clean.trim,
    ...defined({ blank: blankOf(transform.clean) }),
    body: bodyPlanOf(integration),
    duplicates: transform.duplicates,
    ...defined({ dependsOn: transform.dependsOn }),
  };
};
