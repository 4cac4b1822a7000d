import { defineConfig } from 'vitest/config';

/** The tests over the packaged service: apart from `npm test`, since packaging takes its time. */
export default defineConfig({
  test: {
    include: ['test/package/**/*.test.ts'],
    globalSetup: ['test/package/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
