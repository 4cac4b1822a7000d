import type { Bug } from '../bug.ts';
import { clockOf } from '../clocks.ts';

/** A queue that says yes at once and sends a moment later, if its environment lives on. */
export const sendingLater: NonNullable<Bug['deadLetters']> = (queue, world, environment) => ({
  ...queue,
  sendAll: async (messages) => {
    const { sleep } = clockOf(world, environment);
    void sleep(200)
      .then(() => queue.sendAll(messages))
      .catch(() => {});
    return { failed: [] };
  },
});
