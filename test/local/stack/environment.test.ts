import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startEnvironment } from '../../../local/stack/environment.ts';

const dir = mkdtempSync(join(tmpdir(), 'slow-loading-'));
const go = join(dir, 'go');
const handlerFile = join(dir, 'slow.mjs');
// Loads when a file is there: no clock of the test decides.
writeFileSync(
  handlerFile,
  `import { existsSync } from 'node:fs';
while (!existsSync(${JSON.stringify(go)})) await new Promise((resolve) => setTimeout(resolve, 5));
export const handler = async () => 'loaded';`,
);

const start = () =>
  startEnvironment(
    {
      name: 'slow',
      deployedName: 'slow',
      handlerFile,
      handlerExport: 'handler',
      timeoutMs: 30_000,
      memoryMb: 128,
      reservedConcurrency: undefined,
      recursiveLoop: 'Terminate',
      role: undefined,
      environment: {},
    },
    {},
    new PassThrough().resume(),
  );

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => {
  vi.useRealTimers();
  rmSync(go, { force: true });
});

afterAll(() => rmSync(dir, { recursive: true }));

// Lambda developer guide, "Understanding the Lambda execution environment lifecycle", Init phase.
test('a function that takes longer than 10 s to load has its own timeout for it, too', async () => {
  const starting = start();
  vi.advanceTimersByTime(39_999);
  writeFileSync(go, '');
  const environment = await starting;
  expect(await environment.invoke({}, '')).toBe('loaded');
  await environment.stop();
});

test('a function that does not load in both fails, by its name', async () => {
  const starting = start();
  vi.advanceTimersByTime(40_000);
  await expect(starting).rejects.toMatchObject({ errorType: 'Sandbox.Timedout' });
});
