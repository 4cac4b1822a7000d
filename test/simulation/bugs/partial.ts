import { isUnfinished, type RunRecord } from '../../../lib/runs/record.ts';
import type { Bug } from '../bug.ts';
import { failing } from './harsher.ts';

/** A run that does not know what it has sent. */
const forgetful = (run: RunRecord): RunRecord => {
  const { fetched, enqueued } = run.counts;
  return isUnfinished(run) && run.selection !== undefined
    ? { ...run, counts: { ...run.counts, fetched: fetched - enqueued, enqueued: 0 } }
    : run;
};

/** Bugs of runs that take on less than all. */
export const partialBugs: readonly Bug[] = [
  {
    name: 'limit-counted-anew',
    summary: 'a limited run that is gone on with counts anew',
    seeds: 400,
    where: ({ partialRuns, paging }) => partialRuns === 'limited' && paging !== 'single',
    harsher: (settings) => failing({ ...settings, groups: 10 }, { kill: 0.02, source: 0.25 }),
    runs: (store) => ({
      ...store,
      run: async (...asked) => {
        const run = await store.run(...asked);
        return run && forgetful(run);
      },
    }),
  },
  {
    name: 'adopts-over-claims',
    summary: 'a record is taken over whatever is known of it',
    seeds: 1500,
    where: ({ partialRuns, deletes }) => partialRuns === 'adopting' && !deletes,
    idStore: (store, _world, { name }) =>
      name.startsWith('fetch')
        ? {
            ...store,
            read: async () => new Map(),
            write: async (integration, item) => {
              const stored = (await store.read(integration, [item.id])).get(item.id);
              const condition = stored === undefined ? { absent: true as const } : { rev: stored.rev };
              return store.write(integration, item, condition);
            },
          }
        : store,
  },
];
