import { TARGET_MS } from './latency-servers.ts';
import type { Loader } from './loader-contract.ts';

/** The loop that integrations begin with: one POST after the other. It does not remember what was sent. */
export const sequentialLoop: Loader = {
  name: 'one POST after the other, no idCheck',
  tables: [],
  idealMs: (records) => records * TARGET_MS,
  open: async ({ target }) => ({
    load: async (batch) => {
      for (const { message } of batch) {
        const response = await fetch(new URL('/execute', target), {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(message.body),
        });
        if (!response.ok) throw new Error(`the target answered ${response.status}`);
        await response.arrayBuffer();
      }
    },
    close: () => {},
  }),
};
