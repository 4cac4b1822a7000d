import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { groups, sourceEnv, startOwnSource } from './own-source.ts';
import { startOwnTarget, targetEnv } from './own-target.ts';
import { newDir, program } from './program.ts';

const filesUnder = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).isFile());

test('a client secret and a token are nowhere in what is printed or kept', async () => {
  const clientSecret = 'client-secret-7f3a9c';
  const targetToken = 'target-token-5b1e8d';
  const source = await startOwnSource({ rows: groups(4) });
  const target = await startOwnTarget();
  onTestFinished(async () => {
    await Promise.all([source.close(), target.close()]);
  });
  let refusals = 0;
  target.behave(() => (refusals++ < 2 ? { status: 422, text: '{"message":"不合格"}' } : undefined));
  const env = {
    ...sourceEnv(source),
    ...targetEnv(target),
    OKKI_CLIENT_SECRET: clientSecret,
    QINGYIYUN_TOKEN: targetToken,
  };
  const dir = newDir();
  const run = await program(['run', '--data-dir', dir], env);
  const listed = await program(['dlq', 'list', '--json', '--data-dir', dir], env);
  expect(run.code).toBe(1);
  expect(
    source.requests.some(({ body }) => body.includes(clientSecret)),
    'the secret was used',
  ).toBe(true);
  expect(target.requests.every(({ headers }) => headers.authorization === `Bearer ${targetToken}`)).toBe(true);

  const printed = [run, listed].map(({ stdout, stderr }) => stdout + stderr).join('\n');
  const holders = filesUnder(dir).filter((file) => {
    const content = readFileSync(file);
    return content.includes(clientSecret) || content.includes(targetToken);
  });
  expect(printed).not.toContain(clientSecret);
  expect(printed).not.toContain(targetToken);
  expect(holders).toEqual([]);
}, 90_000);
