import type { ConnectionHealth, HealthStore } from '../../../lib/connection/limit/health.ts';
import { restsWithout } from '../../../lib/connection/limit/rest.ts';
import type { Bug } from '../bug.ts';
import type { Away } from '../outages.ts';
import { noFaults } from '../rates.ts';
import { periodsMs, type Settings } from '../settings.ts';

/** What is known is read, or written, as a program with a bug would. */
const mistaking =
  (change: {
    read?: (health: ConnectionHealth) => ConnectionHealth;
    write?: (next: ConnectionHealth, stored: ConnectionHealth) => ConnectionHealth;
  }): NonNullable<Bug['health']> =>
  (store): HealthStore => ({
    read: async (connection) => {
      const { rev, health } = await store.read(connection);
      return { rev, health: change.read ? change.read(health) : health };
    },
    write: async (connection, health, rev) =>
      store.write(connection, change.write ? change.write(health, (await store.read(connection)).health) : health, rev),
  });

/** A world in which nothing goes wrong but that the target is away for long. */
const away =
  (as: Away) =>
  (settings: Settings): Settings => ({
    ...settings,
    rates: noFaults,
    groups: 10,
    tree: 'none',
    edits: 0,
    periodMs: periodsMs.short,
    troubledMs: 10 * periodsMs.short,
    outages: [{ as, fromMs: 0, untilMs: 8 * periodsMs.short }],
  });

/** Bugs in what workers know of a target that is down, or not understood. */
export const healthBugs: readonly Bug[] = [
  {
    name: 'backlog-probes',
    summary: 'every record is taken for the probe of a target that rests',
    seeds: 100,
    harsher: away('refused'),
    health: mistaking({
      read: (health) => ({
        ...health,
        rests: health.rests.map(({ probe: _, ...rest }) => ({ ...rest, probeAtMs: 0 })),
      }),
    }),
  },
  {
    name: 'rest-unseen',
    summary: 'a worker does not see that the target rests',
    seeds: 100,
    harsher: away('refused'),
    health: (store) => ({
      read: async (connection) => {
        const stored = await store.read(connection);
        return { ...stored, health: { ...stored.health, rests: [] } };
      },
      // What it does not see it does not change.
      write: async (connection, health, rev) => {
        const { rests } = (await store.read(connection)).health;
        return store.write(connection, { ...health, rests: rests.length > 0 ? rests : health.rests }, rev);
      },
    }),
  },
  {
    name: 'rest-never-ends',
    summary: 'a rest is not ended by the record that is tried',
    seeds: 100,
    harsher: away('503'),
    health: mistaking({
      write: (next, stored) => ({ ...next, rests: [...next.rests, ...restsWithout(stored, next)] }),
    }),
  },
  {
    name: 'never-rests',
    summary: 'a target without a connection is sent everything, again and again',
    seeds: 100,
    harsher: away('refused'),
    health: mistaking({ write: (next) => ({ ...next, rests: [] }) }),
  },
  {
    name: 'unsent-is-attempt',
    summary: 'a record that was never sent uses up an attempt',
    seeds: 100,
    where: ({ integration }) => integration.target.retry.maxAttempts === 2,
    harsher: away('refused'),
    target: (target) => ({
      ...target,
      post: async (records, awaitPermit) => {
        const { outcomes, requests } = await target.post(records, awaitPermit);
        return {
          outcomes: outcomes.map((outcome) =>
            outcome.kind === 'notApplied' && outcome.failure.cause === 'refused'
              ? { ...outcome, failure: { cause: 'status' as const, status: 403 } }
              : outcome,
          ),
          requests,
        };
      },
    }),
  },
  {
    name: 'unclear-by-record',
    summary: 'answers that are not understood are counted by their records',
    seeds: 100,
    harsher: away('garbage'),
    health: mistaking({
      write: (next) => ({
        ...next,
        unclear: Object.fromEntries(Object.entries(next.unclear).map(([name, count]) => [name, count + 1])),
      }),
    }),
  },
];
