import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Embedded, startEmbedded } from '../../cli/stack/embedded.ts';
import { runIdOf } from '../../lib/runs/record.ts';
import { loadingRun } from '../runs/run-record.ts';
import { jsonOf, newDir, program } from './program.ts';

const CRM = 'okki-product-groups-to-crm';
const [LOST, BLANK, VANISHED] = ['5203300118', '5203300119', '5203300120'];
const dataDir = newDir();
const on = (args: string[], env: Record<string, string> = {}) => program([...args, '--data-dir', dataDir], env);

// A run of long ago that sent one record; its message is in no queue, and idCheck has never seen it.
const runId = runIdOf(CRM, loadingRun.startedMs);
let held: Embedded;
beforeAll(async () => {
  held = await startEmbedded({ dataDir });
  const counts = { ...loadingRun.counts, fetched: 2, filtered: 1, enqueued: 1 };
  await held.stores.runs.saveRun({ ...loadingRun, runId, integration: CRM, counts });
  await held.stores.runs.saveChunk(CRM, {
    runId,
    index: 1,
    versionMs: loadingRun.versionMs,
    entries: [
      { id: LOST, outcome: 'enqueued', hash: 'A' },
      { id: BLANK, outcome: 'filtered', reason: 'blank name' },
    ],
    deletions: [{ id: VANISHED, hash: 'deleted@1' }],
    memory: [],
  });
});
afterAll(async () => {
  await held.close();
});

describe('a record whose message was lost', () => {
  test('is said to be lost, by the run that sent it', async () => {
    const ended = await on(['record', LOST]);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/not settled .*: run 20260105T000000Z enqueued it/);
    expect(ended.stdout).toContain('its message is lost');
    expect(jsonOf<object>(await on(['record', LOST, '--json']))).toMatchObject({
      records: [{ item: null, isOpen: true, runs: [{ runId, outcome: 'enqueued', fate: 'open' }] }],
    });
  });

  test('is open in status and in runs, and overdue, before reconciliation has looked', async () => {
    expect(await on(['status', 'last'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('lost: the queue is empty'),
    });
    const { runs } = jsonOf<{ runs: object[] }>(await on(['runs', '--json']));
    expect(runs).toMatchObject([{ status: 'unbalanced', counts: { enqueued: 1, open: 1 } }]);
  });
});

test('a record that was left out says so, and is no trouble', async () => {
  const ended = await on(['record', BLANK]);
  expect(ended.code).toBe(0);
  expect(ended.stdout).toMatch(/never sent .*left it out \(filtered: blank name\)/);
});

test('a deletion that a run sent is part of the history of its record', async () => {
  const ended = await on(['record', VANISHED, '--json']);
  expect(ended.code).toBe(0);
  expect(jsonOf<object>(ended)).toMatchObject({ records: [{ runs: [{ runId, outcome: 'deletion', fate: 'open' }] }] });
});

test('a record that nobody carried exits 2 and says where was looked', async () => {
  const ended = await on(['record', '404', '--runs', '7']);
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  expect(ended.stderr).toContain('none of the last 7 runs carried it');
});

test('a run that reconcile closes on this machine is told of as one that the function closes, once', async () => {
  const told: Array<{ run: { runId: string; status: string } }> = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    told.push(JSON.parse(body));
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const env = { NOTIFY_FORMAT: 'json', NOTIFY_WEBHOOK_URL: url };
  try {
    const ended = await on(['reconcile', '--json'], env);
    expect(ended.code).toBe(1);
    expect(jsonOf<object>(ended)).toMatchObject({ runs: [{ runId, status: 'unbalanced' }] });
    await on(['reconcile'], env);
    expect(told).toMatchObject([{ run: { runId, status: 'unbalanced' } }]);
  } finally {
    server.close();
  }
});

test.each(['reconcile', 'run'])(
  '%s with a notification set up wrongly exits 2 before it does anything',
  async (command) => {
    const fresh = path.join(dataDir, `fresh-${command}`);
    const ended = await program([command, '--data-dir', fresh], { NOTIFY_FORMAT: 'carrier-pigeon' });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('NOTIFY_FORMAT');
  },
);
