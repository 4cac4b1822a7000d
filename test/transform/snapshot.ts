import { transformPlanOf } from '../../lib/integration/compile/run-plan.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { openTransform, type Prepared } from '../../lib/transform/transform.ts';

/** The place that a record without an id is known by. */
export const place = (index: number): string => `page 1, record ${index + 1}`;

/** One snapshot of these pages. */
export const prepareAll = (integration: Integration, ...pages: JsonValue[][]): Prepared[] => {
  const snapshot = openTransform(transformPlanOf(integration)).begin();
  return pages.flatMap((records) => snapshot.prepare(records, place).prepared);
};

/** `outcome id` of each record. */
export const outcomes = (prepared: readonly Prepared[]): string[] =>
  prepared.map(({ outcome, id }) => `${outcome} ${id}`);

/** The bodies of the records that are ready. */
export const bodies = (prepared: readonly Prepared[]): JsonValue[] =>
  prepared.flatMap((one) => (one.outcome === 'ready' ? [one.body] : []));

/** The reasons of the records that are not ready. */
export const reasons = (prepared: readonly Prepared[]): string[] =>
  prepared.flatMap((one) => (one.outcome === 'ready' ? [] : [one.reason]));
