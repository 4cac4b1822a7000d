import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Watermarks } from '../../../runs/store.ts';
import { type Item, number, readItem, text } from '../attributes.ts';
import { getItem, keyName, type RunsTable, succeeds } from './table.ts';

const WATERMARK_IS_LOWER = 'attribute_not_exists(untilMs) OR untilMs < :untilMs';

const watermarkKey = (integration: string): Item => ({ pk: text(integration), sk: text('watermark') });

/** Up to where incremental lists are loaded: one item each, kept for ever. */
export const dynamoWatermarks = (table: RunsTable): Watermarks => {
  const { client, TableName } = table;
  return {
    watermark: async (integration) => {
      const item = await getItem(table, watermarkKey(integration));
      return item && readItem(item, keyName(item)).number('untilMs');
    },
    moveWatermark: async (integration, untilMs) => {
      await succeeds(
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: watermarkKey(integration),
            UpdateExpression: 'SET untilMs = :untilMs',
            ConditionExpression: WATERMARK_IS_LOWER,
            ExpressionAttributeValues: { ':untilMs': number(untilMs) },
          }),
        ),
      );
    },
  };
};
