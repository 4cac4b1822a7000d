import { defineConfig } from 'vitest/config';

/** The tests that mutants of the pure decisions are held against: those of the decisions themselves, and of settling. */
export default defineConfig({
  test: {
    // The program under test is instrumented, and several times slower.
    testTimeout: 120_000,
    include: [
      'test/idcheck/{decide,decide-parent,transitions,tombstone,classify,known}.test.ts',
      'test/runtime/backoff.test.ts',
      'test/load/{claim,ending,unsent,deliveries,load-batch,parent}.test.ts',
      'test/target/{outcome,http-target}.test.ts',
      'test/runs/books.test.ts',
      'test/fetch/decide-start.test.ts',
      'test/connection/limit/window.test.ts',
      'test/connection/retry-after.test.ts',
      'test/transform/{convert,convert-booleans}.test.ts',
    ],
  },
});
