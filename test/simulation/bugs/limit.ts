import type { RateLimiter } from '../../../lib/connection/limit/rate-limit.ts';
import { memoryRateLimiter } from '../../fakes/memory-rate-limiter.ts';
import type { Bug } from '../bug.ts';
import type { Settings } from '../settings.ts';
import { failing } from './harsher.ts';

const hasLimit = ({ integration, remapped }: Settings): boolean =>
  integration.target.rateLimit !== undefined && remapped === undefined;

/** Worlds whose target has a limit, with more records than it takes at once. */
const limited: Pick<Bug, 'where' | 'harsher'> = {
  where: hasLimit,
  harsher: (settings) => failing({ ...settings, groups: 60, tree: 'none', clocks: 'right', outages: [] }, {}),
};

/** Bugs in who may send, and when. */
export const limitBugs: readonly Bug[] = [
  {
    name: 'permit-in-message',
    summary: 'an appointment is taken for the right to send',
    seeds: 100,
    ...limited,
    limiter: (limiter, { scheduler }) => ({
      ...limiter,
      receive: async (connection, limit, arrived, deadlineMs) => {
        const notBeforeMs = scheduler.nowMs();
        const permit = { notBeforeMs, untilMs: notBeforeMs + 60_000 };
        if (arrived.due > 0) return { permits: Array(arrived.due).fill(permit), appointments: [], retryAtMs: 0 };
        return limiter.receive(connection, limit, arrived, deadlineMs);
      },
    }),
  },
  {
    name: 'log-begun-anew',
    summary: 'a changed limit, or a restart, begins the log anew',
    seeds: 100,
    ...limited,
    limiter: (limiter, { permits, chance }) => ({
      ...limiter,
      receive: (connection, limit, arrived, deadlineMs) => {
        const state = permits.get(connection);
        if (state !== undefined && chance.happens(0.3)) permits.set(connection, { ...state, grants: [] });
        return limiter.receive(connection, limit, arrived, deadlineMs);
      },
    }),
  },
  {
    name: 'sleeps-for-permit',
    summary: 'a worker sleeps for its permit, however late it is',
    seeds: 100,
    ...limited,
    limiter: (limiter) => ({
      ...limiter,
      receive: (connection, limit, arrived, deadlineMs) =>
        limiter.receive(connection, limit, arrived, deadlineMs + 15_000),
    }),
  },
  {
    name: 'pause-not-held',
    summary: 'permits are given during a pause',
    seeds: 100,
    where: hasLimit,
    harsher: (settings) => ({ ...failing(settings, { target: 0.3 }), groups: 40, tree: 'none', clocks: 'right' }),
    limiter: (limiter, { permits, scheduler }): RateLimiter => ({
      ...limiter,
      receive: async (connection, limit, arrived, deadlineMs) => {
        const unpaused = new Map([...permits].map(([name, state]) => [name, { ...state, pausedUntilMs: 0 }]));
        const clock = { nowMs: scheduler.nowMs, sleep: async () => {} };
        const received = await memoryRateLimiter(clock, unpaused).receive(connection, limit, arrived, deadlineMs);
        const { pausedUntilMs = 0 } = permits.get(connection) ?? {};
        const state = unpaused.get(connection);
        if (state !== undefined) permits.set(connection, { ...state, pausedUntilMs });
        return received;
      },
    }),
  },
];
