import { expect, test } from 'vitest';
import { dynamoAuditLog } from '../../lib/aws/dynamodb/audit-log.ts';
import { dynamoRunStore } from '../../lib/aws/dynamodb/run-store.ts';
import { startDynamo } from '../contracts/embedded-dynamodb.ts';
import { loadingRun } from '../runs/run-record.ts';

const dynamo = await startDynamo();

test('DynamoDB: runs of the same table are not entries, nor entries runs', async () => {
  const table = await dynamo.createTable();
  const log = dynamoAuditLog(table);
  const runs = dynamoRunStore(table);
  await runs.saveRun(loadingRun);
  await log.add({ atMs: 1, action: 'discarded', integration: 'groups', id: '1', reason: 'crashed', by: 'a', why: 'b' });
  expect(await log.list('groups')).toHaveLength(1);
  expect(await runs.runs('groups', 10)).toHaveLength(1);
});
