import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../../local/sandbox/sandbox.ts';
import { type HttpServer, startHttpServer } from '../../journey/http-server.ts';
import { copyService, packageService, removeServiceCopy } from '../packaging.ts';
import { type DeployedStack, deployStack, type FunctionName } from './deployed-stack.ts';
import { atSandbox, client, parameters } from './operator.ts';

// Integrations that use more of the functions' roles than the shipped ones: what a role lacks is denied here, as on AWS.
const windowed = 'okki-receipts-to-qingyiyun';
const deleting = 'okki-product-groups-to-crm';
const groups = Array.from({ length: 6 }, (_, n) => ({ id: 9_000 + n, name: `group ${n}`, parent_id: 0 }));

let dir: string;
let sandbox: Sandbox;
let target: HttpServer;
let stack: DeployedStack;
const requested: string[] = [];

beforeAll(async () => {
  dir = await copyService();
  await copyFile(`examples/${windowed}.json`, path.join(dir, 'integrations', `${windowed}.json`));
  const file = path.join(dir, 'integrations', `${deleting}.json`);
  const content = JSON.parse(await readFile(file, 'utf8')) as object;
  const vanished = { action: 'post', maxShare: 0.5, path: '/groups/remove', method: 'POST' };
  await writeFile(file, JSON.stringify({ ...content, vanished }));
  sandbox = await startSandbox({ ...client, groups });
  target = await startHttpServer((request) => {
    requested.push(request.path);
    return { text: '{}' };
  });
  const environment = { ...atSandbox(sandbox), CRM_BASE_URL: target.url };
  stack = await deployStack({ packagedDir: await packageService(dir), parameters, environment });
  stack.startEventSources();
}, 120_000);
afterAll(async () => {
  await stack.close();
  await target.close();
  await sandbox.close();
  await removeServiceCopy(dir);
});

const invoke = async (name: FunctionName, event: unknown): Promise<unknown> => {
  const end = await stack.functions[name].invoke(event);
  if (end.kind === 'failed') throw new Error(`${end.error.errorType}: ${end.error.errorMessage}`);
  return end.payload;
};

/** A whole run, whose books balance. */
const runOf = async (integration: string, n: number): Promise<void> => {
  const scheduledTime = new Date(Date.now() + n * 1_000).toISOString().replace(/\.\d{3}/, '');
  expect(await invoke('fetch', { kind: 'schedule', integration, scheduledTime })).toMatchObject([{ end: 'extracted' }]);
  while (!stack.isDrained()) await sleep(100);
  // A run that sent nothing is closed already.
  const closed = (await invoke('reconcile', { kind: 'reconcile' })) as { status: string }[];
  expect(closed.filter(({ status }) => status !== 'balanced')).toEqual([]);
};

test('a windowed list is loaded, and compared by its ids at the next run', async () => {
  await runOf(windowed, 0);
  const loaded = sandbox.records('qingyiyun').length;
  expect(loaded).toBeGreaterThan(0);
  await runOf(windowed, 1);
  expect(sandbox.records('qingyiyun')).toHaveLength(loaded);
});

test('what two readings lack is deleted in the target', async () => {
  await runOf(deleting, 0);
  sandbox.setGroups(groups.slice(1));
  await runOf(deleting, 1);
  expect(requested).not.toContain('/groups/remove');
  await runOf(deleting, 2);
  expect(requested.filter((each) => each === '/groups/remove')).toHaveLength(1);
});

test('nothing of it was denied', () => {
  const log = Object.values(stack.functions).flatMap((lambda) => lambda.log());
  expect(log.filter((line) => line.includes('not authorized to perform'))).toEqual([]);
  expect(stack.uses('fetch')).toContainEqual({ action: 'dynamodb:BatchGetItem', resource: 'IdCheckTable' });
});
