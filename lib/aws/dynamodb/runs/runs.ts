import { QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { isHit, type LimitHits, noHits } from '../../../runs/limits.ts';
import type { RunRecord } from '../../../runs/record.ts';
import type { RunStore } from '../../../runs/store.ts';
import { type Item, type ItemReader, number, readItem, text } from '../attributes.ts';
import { parseRunRecord } from './record.ts';
import { getItem, keyName, type RunsTable, succeeds } from './table.ts';

const RUN_EXISTS = 'attribute_exists(pk)';

const toRun = (item: Item): RunRecord => {
  const key = keyName(item);
  const reader = readItem(item, key);
  const { limits, ...run } = parseRunRecord(reader.text('record'), key);
  const source = limits?.source ?? noHits();
  const target = targetHits(reader);
  return {
    ...run,
    requests: { ...run.requests, target: reader.number('targetRequests') },
    ...((isHit(source) || isHit(target)) && { limits: { source, target } }),
  };
};

/** Counted apart from the record; none of them is there before a batch was counted. */
const targetHits = (reader: ItemReader): LimitHits => {
  const count = (name: string) => (reader.has(name) ? reader.number(name) : 0);
  return { heldMs: count('targetHeldMs'), throttled: count('targetThrottled'), putOff: count('targetPutOff') };
};

const runKey = (integration: string, runId: string): Item => ({ pk: text(integration), sk: text(`run#${runId}`) });

/** Runs, each a record as JSON with its use of the target beside it; the record's own says of that are overruled. */
export const dynamoRuns = (
  table: RunsTable,
  expiresAtSec: (startMs: number) => number,
): Pick<RunStore, 'run' | 'runs' | 'saveRun' | 'addTargetUse'> => {
  const { client, TableName } = table;
  return {
    run: async (integration, runId) => {
      const item = await getItem(table, runKey(integration, runId));
      return item && toRun(item);
    },
    runs: async (integration, limit) => {
      const found: RunRecord[] = [];
      let startKey: Item | undefined;
      do {
        const answer = await client.send(
          new QueryCommand({
            TableName,
            ConsistentRead: true,
            KeyConditionExpression: 'pk = :pk AND begins_with(sk, :run)',
            ExpressionAttributeValues: { ':pk': text(integration), ':run': text('run#') },
            ScanIndexForward: false,
            Limit: limit - found.length,
            ExclusiveStartKey: startKey,
          }),
        );
        found.push(...(answer.Items ?? []).map(toRun));
        startKey = answer.LastEvaluatedKey;
      } while (startKey && found.length < limit);
      return found;
    },
    saveRun: async (run) => {
      await client.send(
        new UpdateItemCommand({
          TableName,
          Key: runKey(run.integration, run.runId),
          UpdateExpression:
            'SET #record = :record, expiresAtSec = if_not_exists(expiresAtSec, :expiresAtSec), targetRequests = if_not_exists(targetRequests, :none)',
          ExpressionAttributeNames: { '#record': 'record' },
          ExpressionAttributeValues: {
            ':record': text(JSON.stringify(run)),
            ':expiresAtSec': number(expiresAtSec(run.startedMs)),
            ':none': number(0),
          },
        }),
      );
    },
    addTargetUse: async (integration, runId, { requests, heldMs, throttled, putOff }) => {
      await succeeds(
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: runKey(integration, runId),
            UpdateExpression:
              'ADD targetRequests :requests, targetHeldMs :heldMs, targetThrottled :throttled, targetPutOff :putOff',
            ConditionExpression: RUN_EXISTS,
            ExpressionAttributeValues: {
              ':requests': number(requests),
              ':heldMs': number(heldMs),
              ':throttled': number(throttled),
              ':putOff': number(putOff),
            },
          }),
        ),
      );
    },
  };
};
