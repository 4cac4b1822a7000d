import { defineConfig } from 'vitest/config';

/** The tests that mutants of the pure decisions are held against: those of the decisions themselves, and of settling. */
export default defineConfig({
  test: {
    include: [
      'test/idcheck/{decide,transitions,tombstone}.test.ts',
      'test/dispatch/{backoff,classify,known}.test.ts',
      'test/load/{claim,ending,held-back,load-batch,outcome,parent}.test.ts',
      'test/run/books.test.ts',
      'test/fetch/start.test.ts',
      'test/connection/{gcra,retry-after}.test.ts',
      'test/transform/{convert,convert-booleans}.test.ts',
    ],
  },
});
