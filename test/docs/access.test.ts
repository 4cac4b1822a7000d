import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { authSchema } from '../../lib/connection/auth/schemes.ts';

const blocks = [...readFileSync('docs/access.md', 'utf8').matchAll(/```json\n(.*?)```/gs)].map(([, json = '']) => json);

test('every example of docs/access.md is an auth block without faults', () => {
  expect(blocks.length).toBeGreaterThan(3);
  for (const json of blocks) expect(authSchema().safeParse(JSON.parse(json)).error, json).toBeUndefined();
});
