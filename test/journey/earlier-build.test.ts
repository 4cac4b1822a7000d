import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chooseIntegration, SERVICE_DIR } from '../../cli/input/integration-choice.ts';
import { connectionVariables } from '../../cli/stack/sides.ts';
import { awsStoresAt } from '../../lib/aws/stores.ts';
import { waitingLetters } from '../../lib/operate/letters.ts';
import { parseFault, type Sandbox, startSandbox } from '../../local/sandbox/sandbox.ts';
import { type Stack, startStack } from '../../local/stack/stack.ts';
import { newDir } from './program.ts';

/**
 * Builds of before, by commit. The first one has another form of nearly everything that is stored, and of the page at
 * which a reading goes on: what it is to go on with must be read to its end (docs/deploy.md, Rollback).
 */
const EARLIER = [
  { commit: '865b0e62c87808c6fd294a3143a92f8e68e60495', resumes: false },
  { commit: '43da08f046b47f11de1a3d89aee406312e1980b9', resumes: true },
];
const NAME = 'okki-product-groups-to-crm';

/** The earlier commit's service in a folder of its own; undefined: this checkout has no history that far back. */
const buildOf = (commit: string): string | undefined => {
  const dir = join(newDir(), 'earlier');
  mkdirSync(dir, { recursive: true });
  const parts = ['functions', 'lib', 'integrations', 'serverless.yml', 'serverless', 'package.json', 'tsconfig.json'];
  try {
    const archive = execFileSync('git', ['archive', commit, ...parts], {
      cwd: SERVICE_DIR,
      maxBuffer: 1e8,
      stdio: 'pipe',
    });
    execFileSync('tar', ['-x', '-C', dir], { input: archive });
  } catch {
    return undefined;
  }
  symlinkSync(join(SERVICE_DIR, 'node_modules'), join(dir, 'node_modules'), 'dir');
  return dir;
};

/** Two pages. */
const COUNT = 230;

type Build = 'earlier' | 'present';

describe.each(EARLIER)(
  'the build of $commit and this one, in turn on the same queues and tables',
  ({ commit, resumes }) => {
    const earlier = buildOf(commit);
    const builds = { earlier: earlier ?? '', present: SERVICE_DIR };
    const dataDir = newDir();
    const names = new Map(Array.from({ length: COUNT }, (_, index) => [5_203_300_000 + index, `分组${index}`]));
    const groups = () => [...names].map(([id, name]) => ({ id, name }));
    const [refusedFirst = 0, refusedThen = 0, renamedFirst = 0, renamedThen = 0] = names.keys();
    let sandbox: Sandbox;
    let hour = 0;

    beforeEach(({ skip }) => skip(earlier === undefined, 'the history of this checkout does not go back so far'));
    beforeAll(async () => {
      sandbox = await startSandbox({ groups: groups(), faults: [parseFault(`target-refuse:ids=${refusedFirst}`)] });
    });
    afterAll(() => sandbox.close());

    /** Works with one build of the functions. With `pages` each invocation of fetch reads one page, and asks to be continued. */
    const withBuild = async <Result>(
      build: Build,
      work: (stack: Stack) => Promise<Result>,
      pages: 'one' | 'all' = 'one',
    ): Promise<Result> => {
      const sandboxed = { url: sandbox.url, sides: ['source', 'target'] } as const;
      const variables = connectionVariables(chooseIntegration(NAME).integration, {}, sandboxed);
      const paths = join(builds[build], 'integrations', `${NAME}.json`);
      const limits = { CRM_RATE_LIMIT: '1000/1s', ...(pages === 'one' && { FETCH_TIME_BUDGET_MS: '1' }) };
      const env = { ...variables, ...limits, INTEGRATIONS: paths };
      const stack = await startStack({ dataDir, serviceDir: builds[build], env });
      try {
        return await work(stack);
      } finally {
        await stack.close();
      }
    };

    /** Begins a run, and leaves its messages, and its word that it is to be continued, in the queues. */
    const begin = (build: Build, pages: 'one' | 'all' = 'one') =>
      withBuild(
        build,
        (stack) => {
          const scheduledTime = new Date(Date.UTC(2026, 0, 5, hour++)).toISOString();
          return stack.invoke('fetch', { kind: 'schedule', integration: NAME, scheduledTime });
        },
        pages,
      );

    /** Does what is in the queues, and draws up the books. Gives the last run as it stands then. */
    const finish = (build: Build, first: (stack: Stack) => Promise<unknown> = async () => {}) =>
      withBuild(build, async (stack) => {
        await first(stack);
        stack.startEventSources();
        await expect.poll(() => stack.drained(), { timeout: 90_000, interval: 200 }).toBe(true);
        await stack.invoke('reconcile', { kind: 'reconcile' });
        const stores = awsStoresAt(stack.env);
        try {
          const [last] = await stores.runs.runs(NAME, 1);
          const { letters } = await waitingLetters({}, stores);
          return { status: last?.status, counts: last?.counts, letters: letters.map(({ id, reason }) => [id, reason]) };
        } finally {
          stores.close();
        }
      });

    const inTarget = () => new Map(sandbox.records('crm').map(({ id, content }) => [Number(id), content.group_name]));

    test('forward: what the earlier one has read and queued this one reads on, loads and balances', async () => {
      await begin('earlier');
      const end = await finish('present');
      expect(end).toMatchObject({
        status: 'balanced',
        counts: { fetched: COUNT, enqueued: COUNT, loaded: COUNT - 1, rejected: 1 },
      });
      expect(end.letters).toEqual([[String(refusedFirst), 'rejected']]);
    });

    test('back: what this one has read and queued the earlier one reads on, loads and balances', async () => {
      sandbox.faults.replace([parseFault(`target-refuse:ids=${refusedThen}`)]);
      for (const id of [renamedFirst, refusedThen]) names.set(id, `${names.get(id)} 改`);
      sandbox.setGroups(groups());
      await begin('present', resumes ? 'one' : 'all');
      const end = await finish('earlier');
      expect(end).toMatchObject({
        status: 'balanced',
        counts: { fetched: COUNT, enqueued: 2, loaded: 1, rejected: 1 },
      });
      expect(end.letters).toContainEqual([String(refusedThen), 'rejected']);
    });

    test('forward again: letters of both are replayed, and all is loaded', async () => {
      sandbox.faults.clear();
      names.set(renamedThen, '又改');
      sandbox.setGroups(groups());
      await begin('earlier');
      const end = await finish('present', (stack) =>
        stack.invoke('replay', { kind: 'replay', reason: 'rejected', by: 'li', why: 'mended' }),
      );
      expect(end).toMatchObject({ status: 'balanced', counts: { loaded: 1 }, letters: [] });
      expect(inTarget()).toEqual(names);
    });

    test.each(['earlier', 'present'] as const)('then everything is unchanged to the %s one', async (build) => {
      await begin(build);
      const end = await finish(build);
      expect(end).toMatchObject({ status: 'balanced', counts: { unchanged: COUNT, enqueued: 0 } });
    });

    test('no function has logged an error', () => {
      for (const name of ['fetch', 'load', 'replay', 'reconcile']) {
        const log = readFileSync(join(dataDir, 'logs', `${name}.log`), 'utf8');
        expect(log.split('\n').filter((line) => line.includes('"level":"ERROR"'))).toEqual([]);
      }
    });
  },
);
