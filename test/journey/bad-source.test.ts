import { describe, type TestContext, test } from 'vitest';
import { startHttpServer } from './http-server.ts';
import {
  groups,
  isListRequest,
  isTokenRequest,
  type OwnSourceOptions,
  sourceEnv,
  startOwnSource,
} from './own-source.ts';
import { startOwnTarget, targetEnv } from './own-target.ts';
import { newDir, runJson } from './program.ts';

type Case = {
  source: string;
  instead: OwnSourceOptions['instead'];
  /** What must be said of it, as a person would look for it. */
  says: RegExp;
};

const onList =
  (answer: NonNullable<ReturnType<NonNullable<OwnSourceOptions['instead']>>>): OwnSourceOptions['instead'] =>
  (request) =>
    isListRequest(request) ? answer : undefined;

const HUGE_BYTES = 21 * 1024 * 1024;

const cases: readonly Case[] = [
  {
    source: 'an HTML page',
    instead: onList({ text: '<html><body>维护中</body></html>', headers: { 'content-type': 'text/html' } }),
    says: /product\/groups.*(HTML|not JSON)/i,
  },
  { source: 'text that is no JSON', instead: onList({ text: 'hello' }), says: /product\/groups.*not JSON/i },
  { source: 'JSON of another shape', instead: onList({ text: '{"rows":[1]}' }), says: /product\/groups.*data/ },
  { source: 'an empty answer', instead: onList({ text: '' }), says: /product\/groups.*no body/i },
  { source: 'half an answer', instead: onList({ text: '{"code":200,"data":[{"id":1}]}', cut: true }), says: /broke/ },
  {
    source: 'an answer past the size limit',
    instead: onList({ text: `{"code":200,"data":["${'x'.repeat(HUGE_BYTES)}"]}` }),
    says: /larger than allowed/,
  },
  {
    source: 'a business error inside HTTP 200',
    instead: onList({ text: '{"code":404,"message":"No Privilege"}' }),
    says: /No Privilege/,
  },
  { source: '401 for ever', instead: onList({ status: 401, text: '{"message":"expired"}' }), says: /401/ },
  {
    source: 'a token that is refused',
    instead: (request) =>
      isTokenRequest(request)
        ? { status: 400, text: '{"error":"invalid_client","error_description":"client_id 不存在"}' }
        : undefined,
    says: /invalid_client/,
  },
];

const endpoints = async ({ onTestFinished }: TestContext, instead: OwnSourceOptions['instead']) => {
  const source = await startOwnSource({ rows: groups(3), ...(instead && { instead }) });
  const target = await startOwnTarget();
  onTestFinished(async () => {
    await Promise.all([source.close(), target.close()]);
  });
  return { source, target };
};

// At the same time, since most of it is waiting between tries.
describe.concurrent('a source that cannot be read ends the run with exit 3 and says why', { timeout: 90_000 }, () => {
  test.for(cases)('$source', async ({ instead, says }, context) => {
    const { expect } = context;
    const { source, target } = await endpoints(context, instead);
    const { code, report, stderr } = await runJson(['--data-dir', newDir()], {
      ...sourceEnv(source),
      ...targetEnv(target),
    });
    expect(code).toBe(3);
    expect(stderr).toMatch(says);
    expect(stderr, 'no stack trace').not.toMatch(/\n\s+at /);
    expect(report).toMatchObject({ status: 'incomplete', balanced: false });
    expect(target.applied).toEqual([]);
  });

  test('nobody listens there', async (context) => {
    const { expect } = context;
    const gone = await startHttpServer(() => 'drop');
    await gone.close();
    const { target } = await endpoints(context, undefined);
    const { code, stderr } = await runJson(['--data-dir', newDir()], { ...sourceEnv(gone), ...targetEnv(target) });
    expect(code).toBe(3);
    expect(stderr).toMatch(/connection was refused/);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test('once the source is mended the next run loads everything', async (context) => {
    const { expect } = context;
    let isMended = false;
    const { source, target } = await endpoints(context, (request) =>
      isListRequest(request) && !isMended ? { text: 'hello' } : undefined,
    );
    const env = { ...sourceEnv(source), ...targetEnv(target) };
    const args = ['--data-dir', newDir()];
    expect((await runJson(args, env)).code).toBe(3);
    isMended = true;
    const { code, report } = await runJson(args, env);
    expect({ code, loaded: report.counts.loaded }).toEqual({ code: 0, loaded: 3 });
    expect(target.timesById().size).toBe(3);
  });
});
