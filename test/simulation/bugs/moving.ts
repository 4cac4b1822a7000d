import type { RunStore } from '../../../lib/runs/store.ts';
import type { Bug } from '../bug.ts';
import { noFaults } from '../rates.ts';
import { periodsMs, type Settings } from '../settings.ts';

/** A world in which nothing goes wrong but that the target moves, with records on their way. */
const onTheMove = (settings: Settings): Settings => ({
  ...settings,
  rates: noFaults,
  moves: true,
  groups: 10,
  edits: 16,
  periodMs: periodsMs.short,
  troubledMs: 10 * periodsMs.short,
});

/** Whose state it is comes as a program with a bug would see it. */
const seeing =
  (see: (ends: NonNullable<Awaited<ReturnType<RunStore['ends']>>>) => Awaited<ReturnType<RunStore['ends']>>) =>
  (store: RunStore): RunStore => ({
    ...store,
    ends: async (integration) => {
      const ends = await store.ends(integration);
      return ends && see(ends);
    },
  });

/** Bugs in whose state it is. */
export const movingBugs: readonly Bug[] = [
  {
    name: 'target-not-compared',
    summary: 'the address of the target is taken as it comes, whosever the state is',
    seeds: 100,
    where: ({ moves }) => moves,
    harsher: onTheMove,
    runs: seeing(({ target: _, ...ends }) => ends),
  },
  {
    name: 'word-not-heard',
    summary: 'what somebody said of the target is not heard: everything waits for ever',
    seeds: 100,
    where: ({ moves }) => moves,
    harsher: onTheMove,
    runs: seeing(({ target, ...ends }) => ({
      ...ends,
      ...(target && { target: target.formerly ? { id: target.formerly[0] ?? '', origin: target.origin } : target }),
    })),
  },
];
