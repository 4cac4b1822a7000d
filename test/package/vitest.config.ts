import { defineConfig } from 'vitest/config';

/** The tests over the packaged service: apart from `npm test`, since packaging takes its time. */
export default defineConfig({
  test: {
    include: ['test/package/**/*.test.ts'],
    globalSetup: ['test/package/global-setup.ts'],
    // No promise is held by these limits: they end a test that never would. A busy machine takes ten times as long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
