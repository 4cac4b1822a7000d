import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { type Lease, type RunStore, sameLease } from '../../../runs/store.ts';
import { type Item, number, readItem, text } from '../attributes.ts';
import { getItem, keyName, type RunsTable, succeeds } from './table.ts';

const NO_LEASE = 'attribute_not_exists(pk)';
const LEASE_AS_READ = '#owner = :owner AND runId = :runId AND untilMs = :untilMs';
const LEASE_STILL_OURS = '#owner = :owner AND runId = :runId';

const leaseValues = ({ owner, runId, untilMs }: Lease): Item => ({
  ':owner': text(owner),
  ':runId': text(runId),
  ':untilMs': number(untilMs),
});

/** A lease of another run or owner, or nothing, must not be overwritten. */
const onLease = (previous: Lease | undefined) =>
  previous
    ? {
        ConditionExpression: LEASE_AS_READ,
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: leaseValues(previous),
      }
    : { ConditionExpression: NO_LEASE };

const toLease = (item: Item, integration: string): Lease => {
  const reader = readItem(item, keyName(item));
  return { integration, runId: reader.text('runId'), owner: reader.text('owner'), untilMs: reader.number('untilMs') };
};

const leaseKey = (integration: string): Item => ({ pk: text(integration), sk: text('lease') });

/** Who runs an integration now: one item each, kept for ever. */
export const dynamoLeases = (table: RunsTable): Pick<RunStore, 'lease' | 'takeLease' | 'endLease'> => {
  const { client, TableName } = table;
  const lease = async (integration: string): Promise<Lease | undefined> => {
    const item = await getItem(table, leaseKey(integration));
    return item && toLease(item, integration);
  };
  return {
    lease,
    takeLease: async (wanted, previous) => {
      const { integration, runId, owner, untilMs } = wanted;
      const Item = { ...leaseKey(integration), runId: text(runId), owner: text(owner), untilMs: number(untilMs) };
      if (await succeeds(client.send(new PutItemCommand({ TableName, Item, ...onLease(previous) })))) return 'taken';
      // The SDK repeats a write whose answer was lost, and then meets its own first try.
      const stored = await lease(integration);
      return stored && sameLease(stored, wanted) ? 'taken' : 'conflict';
    },
    endLease: async ({ integration, runId, owner }, nowMs) => {
      await succeeds(
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: leaseKey(integration),
            UpdateExpression: 'SET untilMs = :nowMs',
            ConditionExpression: LEASE_STILL_OURS,
            ExpressionAttributeNames: { '#owner': 'owner' },
            ExpressionAttributeValues: { ':owner': text(owner), ':runId': text(runId), ':nowMs': number(nowMs) },
          }),
        ),
      );
    },
  };
};
