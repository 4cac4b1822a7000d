import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { builtInFacts, parseFault, type Sandbox, startSandbox } from '../../../local/sandbox/sandbox.ts';
import { readTemplate, resourcesOf } from '../template.ts';
import { type DeployedStack, deployStack, type FunctionName } from './deployed-stack.ts';
import { atSandbox, client, parameters } from './operator.ts';
import { grantsOf, seldomUses, sortedLines, usesByLambda } from './permissions.ts';
import { permissionsPage } from './permissions-table.ts';

// The whole journey from the archives: schedule → fetch → load → reconcile, a refused record, and its replay.
const template = await readTemplate(inject('packagedDir'));
const functionNames: readonly FunctionName[] = ['fetch', 'load', 'replay', 'reconcile'];
const refusedId = '5203300076';
let sandbox: Sandbox;
let stack: DeployedStack;

beforeAll(async () => {
  sandbox = await startSandbox({
    ...client,
    faults: [`target-refuse:ids=${refusedId}:on=qingyiyun`, 'target-429:times=1:retryAfter=1:on=crm'].map(parseFault),
  });
  stack = await deployStack({
    packagedDir: inject('packagedDir'),
    parameters,
    environment: atSandbox(sandbox),
    // A page to an invocation: every run goes on by the runs queue.
    settings: { fetch: { FETCH_TIME_BUDGET_MS: '1' } },
  });
  stack.startEventSources();
});
afterAll(async () => {
  await stack.close();
  await sandbox.close();
});

/** The event that the integration's schedule sends, with the time that EventBridge Scheduler would put in. */
const scheduled = (integration: string, nowMs: number): unknown => {
  const found = resourcesOf(template, 'AWS::Scheduler::Schedule').find(({ properties }) =>
    properties.Target.Input.includes(`"${integration}"`),
  );
  const time = new Date(nowMs).toISOString().replace(/\.\d{3}/, '');
  return JSON.parse(found?.properties.Target.Input.replace('<aws.scheduler.scheduled-time>', time) ?? '');
};

const drained = async (): Promise<void> => {
  while (!stack.isDrained()) await sleep(100);
};

const invoke = async (name: FunctionName, event: unknown): Promise<unknown> => {
  const end = await stack.functions[name].invoke(event);
  if (end.kind === 'failed') throw new Error(`${end.error.errorType}: ${end.error.errorMessage}`);
  return end.payload;
};

describe.each(['okki-product-groups-to-qingyiyun', 'okki-product-groups-to-crm'])('a run of %s', (integration) => {
  test('is begun by its schedule and goes on by the runs queue', async () => {
    expect(await invoke('fetch', scheduled(integration, Date.now()))).toMatchObject([{ end: 'continued' }]);
    await drained();
  });
});

describe('when both runs have ended', () => {
  test('the targets hold every clean group once, but for the refused one', () => {
    const held = (target: 'qingyiyun' | 'crm') => sandbox.records(target).map(({ id }) => String(id));
    expect(new Set(held('qingyiyun')).size).toBe(builtInFacts.clean - 1);
    expect(held('qingyiyun')).toHaveLength(builtInFacts.clean - 1);
    expect(held('qingyiyun')).not.toContain(refusedId);
    expect(held('crm').length).toBeGreaterThan(300);
    expect(new Set(held('crm')).size).toBe(held('crm').length);
    expect(stack.waiting('DeadLetterQueue')).toBe(1);
  });

  test('reconcile closes their books', async () => {
    const closed = (await invoke('reconcile', { kind: 'reconcile' })) as { status: string }[];
    expect(closed.map(({ status }) => status)).toEqual(['balanced', 'balanced']);
  });

  test('a dry replay names the refused record and leaves it', async () => {
    const replayed = [expect.objectContaining({ id: refusedId, reason: 'rejected' })];
    expect(await invoke('replay', { kind: 'replay', dryRun: true })).toMatchObject({ replayed });
  });

  test('a replay loads it once the target takes it', async () => {
    sandbox.faults.clear();
    // The dry run hid it, and shows it again after a second.
    const replayOnce = () => invoke('replay', { kind: 'replay', id: refusedId });
    await expect.poll(replayOnce, { timeout: 60_000 }).toMatchObject({ replayed: [{ id: refusedId }] });
    await drained();
    expect(sandbox.records('qingyiyun').map(({ id }) => String(id))).toContain(refusedId);
    expect(stack.waiting('DeadLetterQueue')).toBe(0);
  });
});

// IAM user guide, "Security best practices in IAM": grant least privilege.
describe('permissions', () => {
  const permissions = (name: FunctionName) => ({
    name,
    granted: grantsOf(template, name),
    called: [...stack.uses(name), ...seldomUses(name)],
    byLambda: usesByLambda(template, name),
  });

  test.each(functionNames)(
    'the role of %s allows what was used in this journey or is seldom used, nothing less and nothing more',
    (name) => {
      const { granted, called, byLambda } = permissions(name);
      expect(sortedLines(granted)).toEqual(sortedLines([...called, ...byLambda]));
    },
  );

  test('docs/permissions.md is the table of both', async () => {
    await expect(permissionsPage(functionNames.map(permissions))).toMatchFileSnapshot('../../../docs/permissions.md');
  });
});
