import { type FaultRates, noFaults } from '../rates.ts';
import { periodsMs, type Settings } from '../settings.ts';

/** A world in which nothing fails but what is named. */
export const failing = (settings: Settings, rates: Partial<FaultRates>): Settings => ({
  ...settings,
  rates: { ...noFaults, ...rates },
});

/** Deliveries of one message are under way together, and the first outlives its claim. */
export const contended = (settings: Settings): Settings =>
  failing(settings, { stall: 0.2, deliveredTwice: 0.5, target: 0.3 });

/** A world with long pauses between its runs: one that never comes to rest is soon through. */
export const unhurried = (settings: Settings): Settings => ({
  ...settings,
  periodMs: periodsMs.longest,
  troubledMs: 3 * periodsMs.longest,
});

/** A world in which people replay at any moment, and all letters in the end. */
export const replaying = (settings: Settings): Settings => ({ ...settings, operatorReplays: 3, replaysInTheEnd: true });

/** A world of few groups, one of which is edited `edits` times, once a run or more. */
export const editing = (
  settings: Settings,
  { groups, edits, runs, periodMs }: { groups: number; edits: number; runs: number; periodMs: number },
): Settings => ({ ...settings, groups, edits, hasFavourite: true, periodMs, troubledMs: runs * periodMs });

/** A world whose target takes one record in half a minute, and whose messages are sent shortly before. */
export const slow = (settings: Settings): Settings => ({
  ...settings,
  integration: {
    ...settings.integration,
    target: { ...settings.integration.target, rateLimit: { requests: 1, intervalMs: 30_000 } },
  },
  tuning: {
    ...settings.tuning,
    dispatch: { ...settings.tuning.dispatch, aheadMs: 60_000, requestsAtOnce: 2 },
  },
});
