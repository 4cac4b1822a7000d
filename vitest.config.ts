import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Packaging takes its time: `npm run test:package`.
    exclude: ['test/package/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
