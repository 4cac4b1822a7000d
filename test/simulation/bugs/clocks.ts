import { readMessage, writeMessage } from '../../../lib/messages/record-message.ts';
import type { Lease } from '../../../lib/runs/store.ts';
import type { Bug } from '../bug.ts';
import type { Environment } from '../lambda.ts';
import { noFaults } from '../rates.ts';
import type { Settings } from '../settings.ts';
import type { World } from '../world.ts';
import { replaying, unhurried } from './harsher.ts';

const BELIEVED_MS = 10 * 60_000;
const DAY_MS = 86_400_000;

/** Leases of clocks that were days ahead, by their owner, as long as nobody has ended them. */
const farAhead = new WeakMap<World, Map<string, number>>();

/** A lease as a program sees it that believes all it reads: one that a clock days ahead has written is never over. */
const believed = (world: World, { clockOffMs }: Environment, lease: Lease): Lease => {
  const { scheduler } = world;
  const nowMs = scheduler.nowMs() + clockOffMs;
  const known = farAhead.get(world) ?? new Map<string, number>();
  farAhead.set(world, known);
  if (lease.untilMs - nowMs > DAY_MS) known.set(lease.owner, lease.untilMs);
  return known.get(lease.owner) === lease.untilMs ? { ...lease, untilMs: nowMs + BELIEVED_MS } : lease;
};

/** A world in which nothing goes wrong but clocks, and workers that are killed. */
const wrongClocks = (settings: Settings): Settings => ({
  ...unhurried(settings),
  rates: { ...noFaults, kill: 0.1 },
  tree: 'none',
  clocks: 'apart',
  outages: [],
});

/** Bugs in what is made of the time. */
export const clockBugs: readonly Bug[] = [
  {
    name: 'lease-believed',
    summary: 'the lease of a run whose clock was days ahead is waited for',
    seeds: 500,
    where: ({ remapped }) => remapped === undefined,
    harsher: wrongClocks,
    runs: (store, world, environment) => ({
      ...store,
      lease: async (integration) => {
        const lease = await store.lease(integration);
        return lease && believed(world, environment, lease);
      },
    }),
  },
  {
    name: 'replayed-by-own-clock',
    summary: 'a letter is sent again as of before it was written, by a clock that is behind',
    seeds: 500,
    where: ({ remapped }) => remapped === undefined,
    harsher: (settings) => replaying({ ...settings, tree: 'none', clocks: 'apart' }),
    replayRecords: (queue, { scheduler }, { clockOffMs }) => ({
      sendAll: (messages) =>
        queue.sendAll(
          messages.map((message) => {
            const read = readMessage(message.body);
            if (read.kind === 'unreadable') return message;
            return {
              ...message,
              body: writeMessage({ ...read.message, replayedMs: scheduler.nowMs() + clockOffMs }),
            };
          }),
        ),
    }),
  },
];
