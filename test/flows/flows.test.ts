import { expect, test } from 'vitest';
import type { HttpRequest } from '../../lib/connection/http.ts';
import {
  dispatchFlow,
  fetchFlow,
  loadFlow,
  openOnce,
  openSources,
  openTargets,
  reconcileFlow,
} from '../../lib/flows/flows.ts';
import type { Catalog } from '../../lib/integration/catalog.ts';
import { writeMessage } from '../../lib/messages/record-message.ts';
import { replay } from '../../lib/replay/replay.ts';
import { unsentOf } from '../../lib/runs/line.ts';
import { ConfigurationError } from '../../lib/runtime/fault.ts';
import type { LogFields } from '../../lib/runtime/log.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { answered, fakeHttp } from '../fakes/fake-http.ts';
import { memoryStores } from '../fakes/memory-stores.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { integrationWith } from '../integration/sample.ts';
import { recordMessage } from '../load/message.ts';

const NAME = 'okki-product-groups-to-qingyiyun';
const integration = integrationWith(NAME);
const catalog: Catalog = {
  all: async () => [integration],
  find: async (name) => (name === NAME ? integration : undefined),
};

const groups = [
  { id: 1, name: '原料' },
  { id: 2, name: '成品' },
];

/** Everything in memory: the stores, the time, and both ends behind one HTTP port. */
const equipment = (variables: Record<string, string> = {}) => {
  const clock = fakeClock();
  const refused = new Set<string>();
  const logged: { event: string; fields: LogFields }[] = [];
  const note = (event: string, fields: LogFields) => {
    logged.push({ event, fields });
  };
  const http = fakeHttp(({ url, body = '' }: HttpRequest) => {
    if (url.endsWith('/oauth2/access_token'))
      return answered(200, { token_type: 'Bearer', access_token: 'x'.repeat(20), expires_in: 3_600 });
    if (url.startsWith('http://okki')) return answered(200, { code: 200, data: groups });
    const isRefused = [...refused].some((name) => body.includes(name));
    return isRefused ? answered(422, { message: '名称重复' }) : answered(200, { success: true, code: 0 });
  });
  const env = {
    OKKI_BASE_URL: 'http://okki',
    OKKI_CLIENT_ID: 'client',
    OKKI_CLIENT_SECRET: 'secret',
    QINGYIYUN_BASE_URL: 'http://target',
    QINGYIYUN_TOKEN: 'token',
    ...variables,
  };
  const log = { info: note, warn: note, error: note };
  const runtime = { clock, random: seededRandom(1), log, env, http, tuning: standardTuning };
  return { clock, refused, logged, http, runtime, stores: memoryStores(clock) };
};

const INVOCATION_MS = 60_000;
const remainingMs = () => INVOCATION_MS;

test('the four flows work on the same stores: what is refused is in the books, and loaded by a replay', async () => {
  const { clock, refused, runtime, stores } = equipment();
  const fetchRun = fetchFlow(stores, openSources(catalog, stores, runtime), runtime);
  const loadBatch = loadFlow(stores, openTargets(catalog, stores, runtime), runtime);
  const reconcile = reconcileFlow(stores, runtime);
  const loadAll = async () => {
    const received = await stores.records.receive(10, 360);
    const { failedMessageIds } = await clock.run(loadBatch(received, remainingMs));
    expect(failedMessageIds).toEqual([]);
    await stores.records.delete(received.map(({ handle }) => handle));
  };

  const request = { kind: 'schedule', integration: NAME, scheduledMs: clock.nowMs(), fullRefresh: false } as const;
  expect(await clock.run(fetchRun(request, remainingMs))).toMatchObject({ end: 'extracted' });
  refused.add('成品');
  await loadAll();
  const [refusing] = await reconcile([integration]);
  expect(refusing).toMatchObject({ status: 'balanced', counts: { enqueued: 2, loaded: 1, rejected: 1 } });

  refused.clear();
  const { replayed } = await replay({}, { ...stores, ...runtime });
  expect(replayed).toEqual([{ integration: NAME, id: '2', reason: 'rejected' }]);
  await loadAll();
  expect(stores.idStore.items(NAME).map(({ id, loaded, trouble }) => [id, loaded !== undefined, trouble])).toEqual([
    ['1', true, undefined],
    ['2', true, undefined],
  ]);
  expect(stores.deadLetters.bodies()).toEqual([]);
});

test('a run of an integration that does not exist is refused by its name', async () => {
  const { runtime, stores } = equipment();
  const fetchRun = fetchFlow(stores, openSources(catalog, stores, runtime), runtime);
  const request = { kind: 'schedule', integration: 'others', scheduledMs: 0, fullRefresh: false } as const;
  await expect(fetchRun(request, remainingMs)).rejects.toThrow('there is no integration "others"');
});

test('an integration is opened once; where that failed, again', async () => {
  let opened = 0;
  const open = openOnce(catalog, () => {
    opened += 1;
    if (opened === 1) throw new ConfigurationError([]);
    return { opened };
  });
  await expect(open(NAME)).rejects.toThrow(ConfigurationError);
  expect(await open(NAME)).toEqual({ opened: 2 });
  expect(await open(NAME)).toEqual({ opened: 2 });
  expect(await open('others')).toBeUndefined();
});

test('a misconfigured notifier stops reconciling, and stops no run from being fetched', () => {
  const { runtime, stores, logged } = equipment({ NOTIFY_FORMAT: 'pigeon' });
  expect(() => reconcileFlow(stores, runtime)).toThrow(ConfigurationError);
  fetchFlow(stores, async () => undefined, runtime);
  expect(logged.map(({ event }) => event)).toEqual(['notify-misconfigured']);
});

test('a limit that cannot be read holds up what waits of its own integration alone', async () => {
  const { runtime, stores, logged } = equipment({ CRM_RATE_LIMIT: '60 a minute' });
  const broken = integrationWith('okki-product-groups-to-crm');
  for (const { name } of [broken, integration]) {
    const memory = [writeMessage(recordMessage({ integration: name }))];
    await stores.runs.saveChunk(name, { runId: unsentOf('run'), index: 1, versionMs: 1, entries: [], memory });
    const unsent = { runId: 'run', chunks: 1, at: { chunk: 1, place: 0 }, left: 1 };
    await stores.runs.saveLine(name, { rev: 1, runs: [unsent] });
  }
  const ticked = dispatchFlow(stores, runtime)([broken, integration], remainingMs);
  await expect(ticked).rejects.toThrow(ConfigurationError);
  expect(stores.records.bodies()).toMatchObject([expect.stringContaining(`"integration":"${NAME}"`)]);
  expect(logged).toContainEqual({
    event: 'dispatch-failed',
    fields: expect.objectContaining({ integration: broken.name }),
  });
});
