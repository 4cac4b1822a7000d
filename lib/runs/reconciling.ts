import type { Integration } from '../integration/schema/schema.ts';
import type { Reconciling } from './reconcile.ts';
import { longestGapMs } from './schedule-gap.ts';

/** A run is missing after twice the schedule's longest gap: one lost event is the next run's to make good. */
const GAPS_UNTIL_MISSING = 2;

/** What reconciling needs to know of an integration, from its file. */
export const reconcilingOf = ({ name, target, deadlineMinutes, schedule }: Integration): Reconciling => ({
  integration: name,
  idCheck: target.metadata.idCheck,
  deadlineMs: deadlineMinutes * 60_000,
  ...(schedule.enabled && { missingAfterMs: GAPS_UNTIL_MISSING * longestGapMs(schedule.expression) }),
});
