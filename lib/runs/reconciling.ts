import { loadPolicyOf } from '../integration/compile/target-plan.ts';
import { readSchedule } from '../integration/schema/schedule-expression.ts';
import type { Integration } from '../integration/schema/schema.ts';
import type { Reconciling } from './reconcile.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Looked through for a cron expression's gaps: more than a month, so that "the first of the month" shows one. */
const SPAN_DAYS = 65;
/** For what is planned more seldom than the span shows, or in words that only EventBridge understands (L, W, #). */
const SELDOM_MS = 31 * DAY_MS;

/**
 * The longest gap between two runs of an EventBridge Scheduler expression, in ms: of `rate(…)` the rate; of `cron(…)`
 * the longest that shows when its minutes are laid out over two months (a month where none shows). Pure.
 *
 * Time zones move all runs alike, and a change to or from summer time moves one run by an hour: neither matters to a
 * caller who allows twice the gap.
 */
export const longestGapMs = (expression: string): number => {
  const schedule = readSchedule(expression);
  if (schedule.kind === 'rate') return schedule.everyMs;
  if (schedule.kind === 'unreadable') return SELDOM_MS;
  const { minutes, hours, days, months, weekdays } = schedule;
  if (!minutes || !hours || !days || !months || !weekdays) return SELDOM_MS;
  const times = [...hours].flatMap((hour) => [...minutes].map((minute) => hour * HOUR_MS + minute * MINUTE_MS));
  times.sort((a, b) => a - b);
  let lastMs: number | undefined;
  let gapMs = 0;
  for (let dayMs = 0; dayMs < SPAN_DAYS * DAY_MS; dayMs += DAY_MS) {
    // Any two months serve; these start in January 2026, on a Thursday.
    const date = new Date(Date.UTC(2026, 0, 1) + dayMs);
    const isOn =
      days.has(date.getUTCDate()) && months.has(date.getUTCMonth() + 1) && weekdays.has(date.getUTCDay() + 1);
    for (const timeMs of isOn ? times : []) {
      const atMs = dayMs + timeMs;
      if (lastMs !== undefined) gapMs = Math.max(gapMs, atMs - lastMs);
      lastMs = atMs;
    }
  }
  return gapMs === 0 ? SELDOM_MS : gapMs;
};

/** A run is missing after twice the schedule's longest gap: one lost event is the next run's to make good. */
const GAPS_UNTIL_MISSING = 2;

/** What reconciling needs to know of an integration, from its file. */
export const reconcilingOf = (integration: Integration): Reconciling => {
  const { name, deadlineMinutes, schedule, source } = integration;
  const { rateLimit } = source;
  return {
    integration: name,
    policy: loadPolicyOf(integration),
    deadlineMs: deadlineMinutes * 60_000,
    ...(rateLimit && 'requests' in rateLimit && { requestMs: rateLimit.intervalMs / rateLimit.requests }),
    ...(schedule.enabled && { missingAfterMs: GAPS_UNTIL_MISSING * longestGapMs(schedule.expression) }),
  };
};
