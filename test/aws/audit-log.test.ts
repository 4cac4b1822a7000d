import { afterAll, beforeAll, expect, test } from 'vitest';
import { dynamoAuditLog } from '../../lib/aws/dynamodb/audit-log.ts';
import { dynamoRunStore } from '../../lib/aws/dynamodb/runs/store.ts';
import { auditLogContract } from '../contracts/audit-log.contract.ts';
import { type EmbeddedDynamo, startDynamo } from '../contracts/embedded-dynamodb.ts';
import { memoryAuditLog } from '../fakes/memory-audit-log.ts';
import { loadingRun } from '../runs/run-record.ts';

let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

auditLogContract('in memory', async () => memoryAuditLog());
auditLogContract('DynamoDB', async () => dynamoAuditLog(dynamo.client, await dynamo.createTable()));

test('DynamoDB: runs of the same table are not entries, nor entries runs', async () => {
  const table = await dynamo.createTable();
  const log = dynamoAuditLog(dynamo.client, table);
  const runs = dynamoRunStore(dynamo.client, table);
  await runs.saveRun(loadingRun);
  await log.add({ atMs: 1, action: 'discarded', integration: 'groups', id: '1', reason: 'crashed', by: 'a', why: 'b' });
  expect(await log.list('groups')).toHaveLength(1);
  expect(await runs.runs('groups', 10)).toHaveLength(1);
});
