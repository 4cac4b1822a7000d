import { expect, test } from 'vitest';
import { dynamoAuditLog } from '../../lib/aws/dynamodb/audit-log.ts';
import { forgetIntegration } from '../../lib/aws/dynamodb/forget.ts';
import { dynamoIdStore } from '../../lib/aws/dynamodb/id-store.ts';
import { dynamoRunStore } from '../../lib/aws/dynamodb/run-store.ts';
import { startDynamo } from '../contracts/embedded-dynamodb.ts';
import { loadingRun } from '../runs/run-record.ts';

const dynamo = await startDynamo();

test('an integration that is forgotten keeps its audit log alone; one whose name begins alike keeps all', async () => {
  const [idCheck, runsTable] = [await dynamo.createTable(), await dynamo.createTable()];
  const idStore = dynamoIdStore(idCheck);
  const runs = dynamoRunStore(runsTable);
  const audit = dynamoAuditLog(runsTable);
  const { runId } = loadingRun;
  const ids = Array.from({ length: 40 }, (_, index) => String(index));
  for (const integration of ['groups', 'groups-2']) {
    for (const id of ids) await idStore.write(integration, { id, rev: 1 }, { absent: true });
    await runs.saveRun({ ...loadingRun, integration });
    await runs.saveChunk(integration, { runId, index: 1, versionMs: 1, entries: [], memory: [] });
    await runs.takeLease({ integration, runId, owner: 'me', untilMs: 1 }, undefined);
    await runs.moveWatermark(integration, 5);
    await audit.add({ atMs: 1, action: 'replayed', integration, id: '1', reason: 'crashed', by: 'a', why: 'b' });
  }
  await forgetIntegration('groups', { idCheck, runs: runsTable });

  const known = async (integration: string) => {
    const chunks: unknown[] = [];
    const read = async () => {
      for await (const chunk of runs.chunks(integration, runId, 1)) chunks.push(chunk);
    };
    await read().catch(() => undefined);
    return {
      items: (await idStore.read(integration, ids)).size,
      runs: (await runs.runs(integration, 10)).length,
      chunks: chunks.length,
      isLeased: (await runs.lease(integration)) !== undefined,
      watermark: await runs.watermark(integration),
      audit: (await audit.list(integration)).length,
    };
  };
  expect(await known('groups')).toEqual({
    items: 0,
    runs: 0,
    chunks: 0,
    isLeased: false,
    watermark: undefined,
    audit: 1,
  });
  expect(await known('groups-2')).toEqual({ items: 40, runs: 1, chunks: 1, isLeased: true, watermark: 5, audit: 1 });
});
