import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startSandbox } from '../../../local/sandbox/sandbox.ts';
import { openTargetStore, StoreFileError } from '../../../local/sandbox/target-store.ts';
import { testSandbox } from './client.ts';

let dir: string;
let storeFile: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'okki-sync-store-'));
  storeFile = join(dir, 'sandbox', 'targets.jsonl');
});
afterEach(() => rm(dir, { recursive: true }));

test('a sandbox started anew finds the targets as it left them, keys included', async () => {
  const before = await testSandbox({ storeFile });
  await before.execute({ number: 1, id: 812252963824297984n, 编码: '产品A' }, { 'idempotency-key': 'k' });
  await before.batch([{ group_id: 0, group_name: '未分组' }]);
  await before.sandbox.close();

  const after = await testSandbox({ storeFile });
  for (const target of ['qingyiyun', 'crm'] as const) {
    expect(after.sandbox.records(target)).toHaveLength(1);
    expect(after.sandbox.records(target)).toEqual(before.sandbox.records(target));
  }
  const repeated = await after.execute(
    { number: 1, id: 812252963824297984n, 编码: '产品A' },
    { 'idempotency-key': 'k' },
  );
  expect(repeated.headers.get('idempotency-replayed')).toBe('true');
  expect(after.sandbox.records('qingyiyun')).toMatchObject([{ applied: 1 }]);
});

test('a line that a kill cut short never happened, and does not spoil the next one', async () => {
  const row = (id: string) => ({ target: 'crm', atMs: 1, rows: [{ id, content: { group_name: '灯' } }] }) as const;
  const open = (): ReturnType<typeof openTargetStore> => openTargetStore(storeFile);
  const write = (id: string): void => {
    const store = open();
    store.apply({ ...row(id), rows: [...row(id).rows] });
    store.close();
  };
  write('1');
  const whole = await readFile(storeFile);
  // Cut in the middle of a character.
  await appendFile(storeFile, whole.subarray(0, whole.indexOf(Buffer.from('灯')) + 1));
  write('2');
  expect(
    open()
      .records('crm')
      .map(({ id }) => id),
  ).toEqual(['1', '2']);
});

test.each(['not json', '{"target":"elsewhere","atMs":1,"rows":[]}', '{"target":"crm","atMs":1,"rows":[{"id":1}]}'])(
  'a store file with the line %s is refused, with file and line',
  async (line) => {
    const file = join(dir, 'targets.jsonl');
    await writeFile(file, `{"target":"crm","atMs":1,"rows":[]}\n${line}\n`);
    const starting = startSandbox({ storeFile: file });
    await expect(starting).rejects.toThrow(StoreFileError);
    await expect(starting).rejects.toThrow(`${file}, line 2`);
  },
);
