import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../lib/json/json.ts';
import { GroupsFileError, readGroupsFile } from '../../../local/sandbox/groups-file.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'okki-sync-groups-'));
});
afterAll(() => rm(dir, { recursive: true }));

const read = async (content: string | Uint8Array): Promise<JsonObject[]> => {
  const file = join(dir, 'groups');
  await writeFile(file, content);
  return (await readGroupsFile(file)) as JsonObject[];
};

describe('text', () => {
  test('a line is a group: its id, its parent by path, its name the last part', async () => {
    const groups = await read(
      '# Version: 1\n\n5 - 五金\n7 - 五金 > 工具 > 锯\r\n6 - 五金 > 工具\n007 - 其他\n90071992547409931 - LED - 灯\n',
    );
    expect(groups.map(({ id, parent_id, layer, prefix, name }) => [id, parent_id, layer, prefix, name])).toEqual([
      [5, 0, 1, '0-', '五金'],
      [7, 6, 3, '0-5-6-', '锯'],
      [6, 5, 2, '0-5-', '工具'],
      ['007', 0, 1, '0-', '其他'],
      [90071992547409931n, 0, 1, '0-', 'LED - 灯'],
    ]);
    expect(Object.keys(groups[0] ?? {})).toEqual(
      expect.arrayContaining(['name_info', 'create_time', 'is_sys', 'rank']),
    );
  });

  test('a group whose parent is not listed hangs under the nearest group that is', async () => {
    const groups = await read('1 - A\n2 - A > B > C\n3 - X > Y\n');
    expect(groups.map(({ parent_id, layer }) => [parent_id, layer])).toEqual([
      [0, 1],
      [1, 2],
      [0, 1],
    ]);
  });

  test('of two groups at one path the first is the parent', async () => {
    const groups = await read('1 - A\n2 - A\n3 - A > B\n');
    expect(groups.map(({ parent_id }) => parent_id)).toEqual([0, 0, 1]);
  });

  test('paths → tree → paths is the identity, in any order of lines', async () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 5 })
      .map((s) => s.replaceAll(/[\s>\p{C}]/gu, '品'));
    const path = fc.array(name, { minLength: 1, maxLength: 4 });
    const paths = fc
      .uniqueArray(path, { maxLength: 12, selector: (p) => JSON.stringify(p) })
      .map((all) => all.flatMap((p) => p.map((_, n) => p.slice(0, n + 1))))
      .map((all) => [...new Map(all.map((p) => [JSON.stringify(p), p])).values()])
      .chain((all) => fc.shuffledSubarray(all, { minLength: all.length }));
    await fc.assert(
      fc.asyncProperty(paths, async (all) => {
        const groups = await read(all.map((p, n) => `${n + 1} - ${p.join(' > ')}\n`).join(''));
        const byId = new Map(groups.map((group) => [group.id, group]));
        const pathOf = (group: JsonObject | undefined): unknown[] =>
          group === undefined ? [] : [...pathOf(byId.get(group.parent_id ?? null)), group.name];
        expect(groups.map(pathOf)).toEqual(all);
        expect(groups.map(({ layer }) => layer)).toEqual(all.map((p) => p.length));
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['1 - A\nno dash here\n', /line 2: expected "id - A > B > C"/],
    ['1 - A\n# x\n2 - A >  > B\n', /line 3/],
    ['1 - A > \n', /line 1/],
    ['1 -  > A\n', /line 1/],
  ])('%j is refused with its line', async (text, words) => {
    const reading = read(text);
    await expect(reading).rejects.toThrow(GroupsFileError);
    await expect(reading).rejects.toThrow(words);
    await expect(reading).rejects.toThrow(join(dir, 'groups'));
  });

  test('bytes that are not UTF-8 are refused with their line', async () => {
    const gbk = Buffer.concat([
      Buffer.from('1 - 五金\n2 - '),
      Buffer.from([0xb5, 0xc6, 0xbe, 0xdf]),
      Buffer.from('\n'),
    ]);
    await expect(read(gbk)).rejects.toThrow(/line 2: not UTF-8/);
  });
});

describe('JSON', () => {
  test.each([
    ['an array', '[{"id":1},{"id":812252963824297984}]'],
    ['an envelope', '{"code":200,"data":[{"id":1},{"id":812252963824297984}]}'],
    ['an envelope with a list', ' {"data":{"list":[{"id":1},{"id":812252963824297984}]}}'],
  ])('%s of groups is taken as it is, big ids untouched', async (_, text) => {
    expect(await read(text)).toEqual([{ id: 1 }, { id: 812252963824297984n }]);
  });

  test.each([
    ['[\n{"id":1},\n{"id" 2}]', /line 3: not JSON/],
    ['[\n{"id":1}', /line 2: not JSON/],
    ['{"data":{"groups":[]}}', /expected an array of groups/],
  ])('%j is refused with its line', async (text, words) => {
    await expect(read(text)).rejects.toThrow(words);
  });
});

test('a file that is not there is named', async () => {
  await expect(readGroupsFile(join(dir, 'none.txt'))).rejects.toThrow(/none\.txt cannot be read: ENOENT/);
});
