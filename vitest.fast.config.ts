import { defineConfig } from 'vitest/config';

/** What needs no stack, no server and no process of its own: everything that decides. `npm run test:fast`. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      'test/{cli,journey,local,package,simulation}/**',
      'test/integration/dialect/{exports,walk-through}.test.ts',
    ],
  },
});
