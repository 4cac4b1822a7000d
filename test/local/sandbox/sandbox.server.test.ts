import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { SandboxPortError, startSandbox } from '../../../local/sandbox/sandbox.ts';
import { plainGroups, testSandbox } from './client.ts';

describe('the server', () => {
  test('listens on 127.0.0.1, counts requests by endpoint and tells of each', async () => {
    const lines: string[] = [];
    const { groups, execute, sandbox } = await testSandbox({ onRequest: (line) => lines.push(line) });
    expect(sandbox.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await groups('?count=5');
    await execute({ number: 1, id: '1', 编码: 'A' });
    expect(sandbox.requests).toEqual({ token: 1, refresh: 0, groups: 1, receipts: 0, qingyiyun: 1, crm: 0 });
    expect(lines).toEqual([
      'POST /v1/oauth2/access_token 200',
      'GET /v1/product/groups?count=5 200',
      'POST /execute 200',
    ]);
  });

  test('a port that is taken is named', async () => {
    const { sandbox } = await testSandbox({});
    const port = Number(new URL(sandbox.url).port);
    await expect(startSandbox({ port })).rejects.toThrow(SandboxPortError);
    await expect(startSandbox({ port })).rejects.toThrow(`127.0.0.1:${port}: something else listens there`);
  });

  test('an unknown path is 404, a known one under another method 405', async () => {
    const { send } = await testSandbox({});
    expect((await send('/v1/nothing')).status).toBe(404);
    expect((await send('//x')).status).toBe(404);
    const wrong = await send('/execute');
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('a body over the limit is 413', async () => {
    const { sandbox } = await testSandbox({});
    const status = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(sandbox.url).port), '127.0.0.1');
      socket.on('error', reject);
      socket.once('data', (data) => {
        resolve(String(data).slice(0, 12));
        socket.destroy();
      });
      const sizeBytes = 16 * 1024 * 1024 + 1;
      socket.write(
        `POST /execute HTTP/1.1\r\nhost: 127.0.0.1:${new URL(sandbox.url).port}\r\ncontent-length: ${sizeBytes}\r\n\r\n`,
      );
      socket.write(Buffer.alloc(sizeBytes, 'x'));
    });
    expect(status).toBe('HTTP/1.1 413');
    expect(sandbox.requests.qingyiyun).toBe(0);
  });

  test('a client that leaves in the middle of its request disturbs nobody', async () => {
    const { sandbox, execute } = await testSandbox({});
    await new Promise<void>((resolve) => {
      const socket = connect(Number(new URL(sandbox.url).port), '127.0.0.1', () => {
        socket.write(
          `POST /execute HTTP/1.1\r\nhost: 127.0.0.1:${new URL(sandbox.url).port}\r\ncontent-length: 100\r\n\r\n{"id"`,
          () => socket.destroy(),
        );
      });
      socket.on('close', () => resolve());
    });
    expect((await execute({ number: 1, id: '1', 编码: 'A' })).status).toBe(200);
    expect(sandbox.records('qingyiyun')).toHaveLength(1);
  });

  test('closing ends at once, slow answers and idle connections included, and may be repeated', async () => {
    const { sandbox, execute } = await testSandbox({ faults: ['target-slow:ms=60000:after=1'] });
    await execute({ number: 1, id: '1', 编码: 'A' });
    const slow = execute({ number: 2, id: '2', 编码: 'B' });
    const outcome = expect(slow).rejects.toThrow(TypeError);
    while (sandbox.requests.qingyiyun < 2) await new Promise((resolve) => setImmediate(resolve));
    const startMs = performance.now();
    await sandbox.close();
    await sandbox.close();
    await outcome;
    expect(performance.now() - startMs).toBeLessThan(2000);
  });
});

describe('the inspect endpoints', () => {
  test('records and stats show what the targets hold and what was asked', async () => {
    const { send, execute } = await testSandbox({ faults: ['target-500:times=1'] });
    await execute({ number: 1, id: '1', 编码: 'A' });
    await execute({ number: 1, id: '1', 编码: 'A' }, { 'idempotency-key': 'k' });
    expect((await send('/sandbox/records?target=qingyiyun')).json).toMatchObject([
      { id: '1', applied: 1, keys: ['k'] },
    ]);
    expect((await send('/sandbox/records?target=crm')).json).toEqual([]);
    expect((await send('/sandbox/records')).status).toBe(400);
    expect((await send('/sandbox/stats')).body).toEqual({
      requests: { token: 0, refresh: 0, groups: 0, receipts: 0, qingyiyun: 2, crm: 0 },
      records: { qingyiyun: 1, crm: 0 },
      faults: [{ fault: 'target-500:times=1', occasions: 2, happened: 1 }],
    });
  });

  test('faults are replaced and taken away while it runs; bad ones change nothing', async () => {
    const { send, post, groups } = await testSandbox({ groups: plainGroups(1), faults: ['source-500'] });
    expect((await post('/sandbox/faults', { faults: ['source-429'] })).body.faults).toHaveLength(1);
    expect((await groups()).status).toBe(429);
    const refused = await post('/sandbox/faults', ['source-html', 'nonsense']);
    expect([refused.status, refused.body.error]).toEqual([
      400,
      expect.stringContaining('there is no fault "nonsense"'),
    ]);
    expect((await post('/sandbox/faults', { faults: [1] })).status).toBe(400);
    expect((await send('/sandbox/faults')).body.faults).toMatchObject([{ fault: 'source-429', happened: 1 }]);
    expect((await send('/sandbox/faults', { method: 'DELETE' })).body.faults).toEqual([]);
    expect((await groups()).status).toBe(200);
  });

  test('what OKKI lists can be changed between two runs', async () => {
    const { send, groups, receipts } = await testSandbox({});
    const put = (path: string, body: string) => send(path, { method: 'PUT', body });
    expect((await put('/sandbox/groups', JSON.stringify(plainGroups(2)))).body).toEqual({ records: 2 });
    expect((await groups()).body.data).toEqual(plainGroups(2));
    await put('/sandbox/receipts', '[{"cash_collection_id":1,"update_time":"2026-02-01 00:00:00"}]');
    expect((await receipts()).body.data).toMatchObject({ list: [{ cash_collection_id: 1 }], totalItem: 1 });
    expect((await put('/sandbox/groups', '{}')).status).toBe(400);
    expect((await put('/sandbox/nothing', '[]')).status).toBe(404);
  });
});
