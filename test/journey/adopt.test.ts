import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { groups, isListRequest, sourceEnv, startOwnSource } from './own-source.ts';
import { startOwnTarget, targetEnv } from './own-target.ts';
import { jsonOf, newDir, program, type Report } from './program.ts';

const NAME = 'okki-product-groups-to-crm';
type Adopted = Report & { adopted: number; known: number; leftOut: number; notGiven: string[] };
type Plan = { counts: Record<string, number>; notGiven?: string[] };

/** Two real ends: what is asked of the target is counted. */
const ends = async (count: number) => {
  const rows = groups(count);
  const source = await startOwnSource({ rows });
  const target = await startOwnTarget();
  onTestFinished(async () => {
    await Promise.all([source.close(), target.close()]);
  });
  const dir = newDir();
  const env = { ...sourceEnv(source), ...targetEnv(target) };
  const type = (...args: string[]) => program([...args, '--data-dir', dir], env);
  const sentIds = () => target.applied.map(({ id }) => id);
  return { rows, source, target, dir, type, sentIds, ids: rows.map(({ id }) => String(id)) };
};

test('a target that is full already is taken over, and only what changes is sent', async () => {
  const { rows, source, target, type, sentIds, ids } = await ends(6);

  const unasked = await type('adopt', NAME);
  expect(unasked).toMatchObject({ code: 2, stdout: '' });
  expect(unasked.stderr).toMatch(/counts as loaded in crm[\s\S]*--yes/);
  expect(source.requests.filter(isListRequest)).toEqual([]);

  const adopted = await type('adopt', NAME, '--yes', '--why', 'filled by the old tool', '--json');
  expect(adopted.code, adopted.stderr).toBe(0);
  expect(jsonOf<Adopted>(adopted)).toMatchObject({
    status: 'balanced',
    balanced: true,
    counts: { fetched: 6, unchanged: 6, enqueued: 0, waiting: 0 },
    requests: { target: 0 },
    adopted: 6,
    known: 0,
    leftOut: 0,
    notGiven: [],
  });
  const planned = await type('plan', NAME, '--json');
  expect(jsonOf<Plan>(planned).counts).toMatchObject({ unchanged: 6, create: 0, overwrite: 0 });
  expect(target.requests).toEqual([]);

  const record = jsonOf<{ records: unknown[] }>(await type('record', ids[0] ?? '', '--integration', NAME, '--json'));
  expect(record.records).toMatchObject([
    { item: { loaded: {} }, audit: [{ action: 'adopted', why: 'filled by the old tool' }] },
  ]);

  const again = await type('adopt', NAME, '--yes');
  expect(again.code).toBe(0);
  expect(again.stdout).toMatch(/Taken over 已接管: 0, known already 已知: 6; nothing was sent/);

  rows.splice(0, 2, { id: rows[0]?.id ?? 0, name: '改名', parent_id: 0 });
  const run = await type('run', NAME, '--json');
  expect(jsonOf<Report>(run)).toMatchObject({ vanished: 1, counts: { unchanged: 4, loaded: 1 } });
  expect(sentIds()).toEqual([ids[0]]);
}, 180_000);

test('only the ids of a file are taken over; the rest is new, and what the source lacks is named', async () => {
  const { dir, type, sentIds, ids } = await ends(4);
  const file = join(dir, 'in-target.csv');
  writeFileSync(file, `\uFEFFgroup_id,name\n${ids[1]},"分组, 2"\n"${ids[2]}",x\n4711,gone\n`);
  const adopted = await type('adopt', NAME, '--ids', file, '--yes', '--json');
  expect(adopted.code, adopted.stderr).toBe(1);
  expect(adopted.stderr).toContain('4711');
  expect(jsonOf<Adopted>(adopted)).toMatchObject({
    balanced: true,
    counts: { unchanged: 2, waiting: 2 },
    adopted: 2,
    leftOut: 2,
    notGiven: ['4711'],
  });
  expect((await type('run', NAME)).code).toBe(0);
  expect(sentIds().sort()).toEqual([ids[0], ids[3]]);

  writeFileSync(file, Buffer.from([0xd6, 0xd0, 0x0a]));
  expect(await type('adopt', NAME, '--ids', file, '--yes')).toMatchObject({ code: 2, stdout: '' });
}, 180_000);

test('a few records are sent first: by number or by id; a plan says which, the rest waits and goes later', async () => {
  const { type, sentIds, ids } = await ends(6);
  const planned = await type('plan', NAME, '--limit', '2', '--json');
  expect(jsonOf<Plan>(planned).counts).toMatchObject({ create: 2, wait: 4 });

  const few = await type('run', NAME, '--limit', '2');
  expect(few.code, few.stderr).toBe(0);
  expect(few.stdout).toContain('! Books balance 账目平衡; 4 left out.');
  expect(few.stdout).not.toContain('✓');
  expect(sentIds().sort()).toEqual(ids.slice(0, 2));

  const last = ids[5] ?? '';
  const named = await type('run', NAME, '--id', last, '--id', '4711', '--json');
  expect(named.code).toBe(1);
  expect(jsonOf<Adopted>(named)).toMatchObject({
    status: 'balanced',
    balanced: true,
    counts: { unchanged: 2, loaded: 1, waiting: 3 },
    leftOut: 3,
    notGiven: ['4711'],
  });
  expect(sentIds()).toContain(last);
  const missing = await type('plan', NAME, '--id', '4711', '--json');
  expect(missing.code).toBe(1);
  expect(jsonOf<Plan>(missing)).toMatchObject({ counts: { wait: 3 }, notGiven: ['4711'] });

  const status = await type('status', 'last', '--integration', NAME);
  expect(status).toMatchObject({ code: 0 });
  expect(status.stdout).toContain('3 left out');
  const rest = await type('run', NAME);
  expect(rest.code, rest.stderr).toBe(0);
  expect(rest.stdout).toContain('✓');
  expect(sentIds()).toHaveLength(6);
}, 180_000);

test('what was named twice, or means nothing, is exit 2', async () => {
  for (const args of [
    ['run', NAME, '--integration', 'another'],
    ['run', '--limit', '0'],
    ['run', '--limit', 'abc'],
    ['run', '--id', ''],
    ['plan', '--limit', '0'],
    ['adopt'],
    ['adopt', 'nobody'],
    ['adopt', NAME, '--ids', '/no/such/file'],
  ]) {
    expect(await program(args), args.join(' ')).toMatchObject({ code: 2, stdout: '' });
  }
}, 180_000);
