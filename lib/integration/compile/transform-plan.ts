import { defined } from '../../runtime/defined.ts';
import { type Condition, readCondition } from '../dialect/condition.ts';
import { columnsIn } from '../dialect/request-fields.ts';
import type { DependsOn, DuplicateRule, Integration } from '../schema/schema.ts';
import { type BodyPlan, bodyPlanOf } from './body-plan.ts';
import { requestsOf } from './paging-plan.ts';

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
