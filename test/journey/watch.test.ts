import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { newDir, startProgram } from './program.ts';

test('status --watch outlives the run whose servers it looks through, and ends with its books', async () => {
  const dir = newDir();
  const groups = path.join(dir, 'groups.json');
  const list = Array.from({ length: 12 }, (_, index) => ({ id: 5_203_300_101 + index, name: `分组${index}` }));
  writeFileSync(groups, JSON.stringify(list));
  const run = startProgram(['run', '--groups', groups, '--data-dir', dir], { QINGYIYUN_RATE_LIMIT: '3/1s' });
  await run.printed('12 to load');
  const watch = startProgram(['status', 'last', '--watch', '--data-dir', dir]);
  expect((await run.ended).code).toBe(0);
  const { code, stdout, stderr } = await watch.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.trimEnd()).toMatch(/Books balance.*$/);
});
