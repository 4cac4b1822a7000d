import { expect, test } from 'vitest';
import { testSandbox } from './client.ts';

test('/execute upserts one record by id and answers as the store API does', async () => {
  let nowMs = 1000;
  const { execute, sandbox } = await testSandbox({ nowMs: () => nowMs });
  const first = await execute({ number: 1, id: '123', 编码: '产品A' }, { 'idempotency-key': 'a' });
  expect(first.body).toEqual({
    success: true,
    code: 0,
    message: 'ok',
    content: { inserted: 1, updated: 0, failed: 0 },
  });
  nowMs = 2000;
  const second = await execute({ number: 1, id: 123, 编码: '产品B' }, { 'idempotency-key': 'b' });
  expect(second.body).toMatchObject({ success: true, content: { inserted: 0, updated: 1 } });
  expect(sandbox.records('qingyiyun')).toEqual([
    {
      id: '123',
      content: { number: 1, id: 123, 编码: '产品B' },
      applied: 2,
      keys: ['a', 'b'],
      firstMs: 1000,
      lastMs: 2000,
    },
  ]);
});

test('0 is an id, and one past 2^53 is kept digit by digit', async () => {
  const { execute, sandbox } = await testSandbox({});
  await execute({ number: 0, id: 0, 编码: '' });
  await execute({ number: 1, id: 812252963824297984n, 编码: 'x' });
  expect(sandbox.records('qingyiyun').map(({ id }) => id)).toEqual(['0', '812252963824297984']);
});

test('an Idempotency-Key known with this body is answered as before, unapplied; with another body it is 409', async () => {
  const { execute, sandbox } = await testSandbox({});
  const key = { 'idempotency-key': 'k' };
  const first = await execute({ number: 1, id: '1', 编码: 'A' }, key);
  await execute({ number: 1, id: '1', 编码: 'B' });
  const repeated = await execute({ 编码: 'A', id: '1', number: 1 }, key);
  expect(repeated.text).toBe(first.text);
  expect((await execute({ number: 1, id: '1', 编码: 'C' }, key)).status).toBe(409);
  expect(sandbox.records('qingyiyun')).toMatchObject([{ content: { 编码: 'B' }, applied: 2, keys: ['k'] }]);
});

test.each([
  ['not JSON', '{"id":', '请求体不是合法的 JSON'],
  ['an array', '[]', '请求体必须是一个 JSON 对象'],
  ['no id', '{"number":1,"编码":"A"}', '缺少必填字段 id'],
  ['a blank id', '{"number":1,"id":"","编码":"A"}', '缺少必填字段 id'],
  ['no 编码', '{"number":1,"id":"1"}', '缺少必填字段 编码'],
])('/execute answers %s with an error inside HTTP 200', async (_, body, message) => {
  const { send, sandbox } = await testSandbox({});
  const answer = await send('/execute', { method: 'POST', body });
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({ success: false, code: 40001, message, content: null });
  expect(sandbox.records('qingyiyun')).toEqual([]);
});

test('/groups/batch upserts its rows by group_id, and other keys may come along', async () => {
  const { batch, sandbox } = await testSandbox({});
  const rows = [
    { group_id: 1, group_name: '电子产品' },
    { group_id: 2, group_name: '家用电器', parent_id: 1 },
  ];
  expect((await batch(rows)).body).toEqual({ code: 0, message: 'ok', data: { saved: 2 } });
  expect((await batch(rows.slice(1))).body).toMatchObject({ data: { saved: 1 } });
  expect(sandbox.records('crm')).toMatchObject([
    { id: '1', content: rows[0], applied: 1 },
    { id: '2', content: rows[1], applied: 2 },
  ]);
});

test.each([
  ['no rows', '{"array":[]}', /^array must be a list/],
  ['an object alone', '{"group_id":1,"group_name":"A"}', /^array must be a list/],
  ['a row that is no object', '{"array":[1]}', /array\[0\] must be an object/],
  [
    'an id as a string',
    '{"array":[{"group_id":1,"group_name":"A"},{"group_id":"2","group_name":"B"}]}',
    /array\[1\]\.group_id/,
  ],
  ['a blank name', '{"array":[{"group_id":1,"group_name":"  "}]}', /array\[0\]\.group_name/],
  ['not JSON', 'array=1', /JSON/],
])('/groups/batch answers %s with HTTP 400 and applies nothing', async (_, body, words) => {
  const { send, sandbox } = await testSandbox({});
  const answer = await send('/groups/batch', { method: 'POST', body });
  expect([answer.status, answer.body.code]).toEqual([400, 40001]);
  expect(answer.body.message).toMatch(words);
  expect(sandbox.records('crm')).toEqual([]);
});
