import { expect } from 'vitest';
import { type Answer, type Client, testSandbox } from './client.ts';

const record = (id: string) => ({ number: 1, id, 编码: `产品${id}` });
const row = (id: number) => ({ group_id: id, group_name: `分组 ${id}` });
const withFaults = (...faults: string[]): Promise<Client> => testSandbox({ faults });

const dropped = async (answer: Promise<unknown>): Promise<void> => {
  await expect(answer).rejects.toThrow(TypeError);
};
const statusAndCode = ({ status, body }: Answer): unknown[] => [status, body.code];

/** What each fault of the targets looks like to a client, and what it leaves in the target. */
export const targetFaultCases = {
  'target-429': async () => {
    const { execute, batch, sandbox } = await withFaults('target-429:times=2:retryAfter=1');
    const first = await execute(record('1'));
    expect([...statusAndCode(first), first.headers.get('retry-after')]).toEqual([429, 42901, '1']);
    expect(statusAndCode(await batch([row(1)]))).toEqual([429, 42901]);
    expect((await execute(record('1'))).status).toBe(200);
    expect(sandbox.records('crm')).toEqual([]);
  },
  'target-lockout': async () => {
    let nowMs = 1_000_000;
    const { execute } = await testSandbox({ nowMs: () => nowMs, faults: ['target-lockout'] });
    for (let n = 0; n < 60; n += 1) expect((await execute(record(`${n}`))).status).toBe(200);
    const locked = await execute(record('x'));
    expect([...statusAndCode(locked), locked.headers.get('retry-after')]).toEqual([429, 42901, '300']);
    nowMs += 299_999;
    expect((await execute(record('x'))).headers.get('retry-after')).toBe('1');
    nowMs += 1;
    expect((await execute(record('x'))).status).toBe(200);

    const stern = 'target-lockout:requests=1:windowMs=1000:lockMs=5000:header=no:prolong=yes:on=crm';
    const { batch, sandbox } = await testSandbox({ nowMs: () => nowMs, faults: [stern] });
    expect((await batch([row(1)])).status).toBe(200);
    nowMs += 1000;
    expect((await batch([row(2)])).status).toBe(200);
    for (let n = 0; n < 3; n += 1) {
      const refused = await batch([row(3)]);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, null]);
      nowMs += 4999;
    }
    nowMs += 1;
    expect((await batch([row(3)])).status).toBe(200);
    expect(sandbox.records('crm').map(({ id }) => id)).toEqual(['1', '2', '3']);
  },
  'target-401': async () => {
    const { execute } = await withFaults('target-401:times=1');
    expect(statusAndCode(await execute(record('1')))).toEqual([401, 40102]);
    expect((await execute(record('1'))).status).toBe(200);
  },
  'token-required': async () => {
    const any = await withFaults('token-required');
    expect((await any.execute(record('1'))).status).toBe(401);
    expect((await any.execute(record('1'), { authorization: 'Bearer x' })).status).toBe(200);
    const one = await withFaults('token-required:token=secret:on=crm');
    expect((await one.execute(record('1'))).status).toBe(200);
    expect((await one.batch([row(1)], { authorization: 'Bearer x' })).status).toBe(401);
    expect((await one.batch([row(1)], { authorization: 'Bearer secret' })).status).toBe(200);
  },
  'target-refuse': async () => {
    const { execute, batch, sandbox } = await withFaults('target-refuse:ids=2,3:message=名称重复');
    const refused = await execute(record('2'), { 'idempotency-key': 'k' });
    expect(refused.status).toBe(422);
    expect(refused.body).toEqual({ success: false, code: 42201, message: '名称重复 (2)', content: null });
    expect((await execute(record('1'))).status).toBe(200);
    const whole = await batch([row(1), row(2), row(3)]);
    expect([whole.status, whole.body.message]).toEqual([422, '名称重复 (2, 3)']);
    expect(sandbox.records('crm')).toEqual([]);
    sandbox.faults.clear();
    expect((await execute(record('2'), { 'idempotency-key': 'k' })).status).toBe(200);
    expect(sandbox.records('qingyiyun').map(({ id, applied }) => [id, applied])).toEqual([
      ['1', 1],
      ['2', 1],
    ]);
  },
  'target-business-error': async () => {
    const { execute, batch, sandbox } = await withFaults('target-business-error:ids=2');
    const refused = await execute(record('2'));
    expect(refused.status).toBe(200);
    expect(refused.body).toEqual({ success: false, code: 40001, message: '参数校验失败 (2)', content: null });
    expect((await batch([row(2)])).body).toEqual({ code: 40001, message: '参数校验失败 (2)', data: null });
    expect(sandbox.records('qingyiyun')).toEqual([]);
  },
  'target-500': async () => {
    const { execute, sandbox } = await withFaults(
      'target-500:times=1',
      'target-500:after=1:times=1:status=503:retryAfter=2',
    );
    expect((await execute(record('1'))).status).toBe(500);
    const second = await execute(record('1'));
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '2']);
    expect(sandbox.records('qingyiyun')).toEqual([]);
  },
  'target-drop': async () => {
    const { execute, sandbox } = await withFaults('target-drop:ids=1');
    await dropped(execute(record('1')));
    expect((await execute(record('2'))).status).toBe(200);
    expect(sandbox.records('qingyiyun').map(({ id }) => id)).toEqual(['2']);
  },
  'target-commit-then-drop': async () => {
    const { execute, sandbox } = await withFaults('target-commit-then-drop:times=1');
    await dropped(execute(record('1'), { 'idempotency-key': 'k' }));
    expect(sandbox.records('qingyiyun').map(({ applied }) => applied)).toEqual([1]);
    const again = await execute(record('1'), { 'idempotency-key': 'k' });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
    expect(sandbox.records('qingyiyun').map(({ applied }) => applied)).toEqual([1]);
    expect((await execute(record('1'))).status).toBe(200);
    expect(sandbox.records('qingyiyun').map(({ applied }) => applied)).toEqual([2]);
  },
  'target-slow': async () => {
    const { execute, sandbox } = await withFaults('target-slow:ms=60000');
    const client = new AbortController();
    const answer = fetch(`${sandbox.url}/execute`, {
      method: 'POST',
      body: JSON.stringify(record('1')),
      signal: client.signal,
    });
    const outcome = expect(answer).rejects.toThrow(/aborted/);
    while (sandbox.records('qingyiyun').length === 0) await new Promise((resolve) => setImmediate(resolve));
    client.abort();
    await outcome;
    expect(sandbox.records('qingyiyun').map(({ id }) => id)).toEqual(['1']);
    sandbox.faults.clear();
    expect((await execute(record('2'))).status).toBe(200);
  },
  'any-fields': async () => {
    const strict = await withFaults();
    expect((await strict.execute({ id: '1' })).body).toMatchObject({ success: false, message: '缺少必填字段 number' });
    const { execute, sandbox } = await withFaults('any-fields');
    expect((await execute({ id: '1', amount: 5 })).body.success).toBe(true);
    expect((await execute({ amount: 5 })).body).toMatchObject({ success: false, message: '缺少必填字段 id' });
    expect(sandbox.records('qingyiyun').map(({ content }) => content)).toEqual([{ id: '1', amount: 5 }]);
  },
  'row-results': async () => {
    const { batch, sandbox } = await withFaults('row-results', 'target-refuse:ids=2:message=名称重复');
    const send = () => batch([row(1), row(2)], { 'idempotency-key': 'k' });
    const answer = await send();
    expect(answer.status).toBe(200);
    expect(answer.body.data).toEqual({
      saved: 1,
      failed: 1,
      results: [
        { group_id: 1, code: 0, message: 'ok' },
        { group_id: 2, code: 42201, message: '名称重复' },
      ],
    });
    expect(sandbox.records('crm').map(({ id }) => id)).toEqual(['1']);
    sandbox.faults.clear();
    expect((await send()).body.data).toEqual({ saved: 2 });
  },
};
