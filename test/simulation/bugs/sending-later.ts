import type { Queue } from '../../../lib/messages/queue.ts';
import { clockOf } from '../clocks.ts';
import type { Environment } from '../lambda.ts';
import type { World } from '../world.ts';

/** A queue that says yes at once and sends a moment later, if its environment lives on. */
export const sendingLater = <Port extends Queue>(queue: Port, world: World, environment: Environment): Port => ({
  ...queue,
  sendAll: async (messages) => {
    const { sleep } = clockOf(world, environment);
    void sleep(200)
      .then(() => queue.sendAll(messages))
      .catch(() => {});
    return { failed: [] };
  },
});
