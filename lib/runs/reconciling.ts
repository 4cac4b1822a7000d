import { loadPolicyOf } from '../integration/compile/load-policy.ts';
import type { Integration } from '../integration/schema/schema.ts';
import type { Reconciling } from './reconcile.ts';
import { longestGapMs } from './schedule-gap.ts';

/** A run is missing after twice the schedule's longest gap: one lost event is the next run's to make good. */
const GAPS_UNTIL_MISSING = 2;

/** What reconciling needs to know of an integration, from its file. */
export const reconcilingOf = (integration: Integration): Reconciling => {
  const { name, deadlineMinutes, schedule } = integration;
  return {
    integration: name,
    idCheck: loadPolicyOf(integration).idCheck,
    deadlineMs: deadlineMinutes * 60_000,
    ...(schedule.enabled && { missingAfterMs: GAPS_UNTIL_MISSING * longestGapMs(schedule.expression) }),
  };
};
