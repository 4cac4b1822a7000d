import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const cores = availableParallelism();

/**
 * The three groups of `npm test`. A file's name says which one it is in:
 *
 * - `test/journey/`: the program as its user runs it, in processes of its own;
 * - `*.server.test.ts`: servers on the loopback interface, or other processes, of the test's own;
 * - all other files: neither. `npm run test:fast` runs these alone, and refuses to listen on a port.
 */
const JOURNEYS = 'test/journey/**/*.test.ts';
const SERVERS = 'test/**/*.server.test.ts';

/** No promise is held by these limits: they end a test that never would. A busy machine takes ten times as long. */
const patient = { testTimeout: 120_000 };
/** What waits for servers and processes rather than computes: more of it than there are cores. */
const waiting = { maxWorkers: 2 * cores, sequence: { groupOrder: 1 }, hookTimeout: 60_000, ...patient };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          // Packaging takes its time: `npm run test:package`.
          exclude: [JOURNEYS, SERVERS, 'test/package/**'],
          setupFiles: ['test/no-servers.ts'],
          // Loading the program for each file again took half of the time.
          isolate: false,
          maxWorkers: cores,
          ...patient,
        },
      },
      {
        test: {
          name: 'servers',
          include: [SERVERS],
          exclude: [JOURNEYS, 'test/package/**'],
          isolate: false,
          ...waiting,
        },
      },
      { test: { name: 'journeys', include: [JOURNEYS], ...waiting } },
    ],
  },
});
