import { createHash } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { parseJson } from '../../json/json.ts';
import { type AuditEntry, type AuditLog, auditActions } from '../../stores/stores.ts';
import { type Item, keyName, MalformedItemError, queryPages, readItem, type Table, text } from './table.ts';

// `satisfies` over the keys: a field that the schema forgot would be dropped from every entry read back.
const auditEntry: z.ZodMiniType<AuditEntry> = z.object({
  atMs: z.number(),
  action: z.enum(auditActions),
  integration: z.exactOptional(z.string()),
  id: z.string(),
  reason: z.string(),
  by: z.string(),
  why: z.string(),
} satisfies Record<keyof AuditEntry, z.ZodMiniType>);

const toEntry = (item: Item): AuditEntry => {
  const key = keyName(item);
  const json = readItem(item, key).text('entry');
  try {
    return auditEntry.parse(parseJson(json));
  } catch (cause) {
    throw new MalformedItemError(key, 'entry is not an audit entry', { cause });
  }
};

/** Letters without an integration; no integration has such a name. */
const NO_INTEGRATION = '-';

/**
 * The audit log in the table of runs: `pk` = the integration, `sk` = `audit#TIME#HASH`, `entry` = JSON. The hash keeps
 * two entries of one millisecond apart, and a write that is repeated one entry. Throws `MalformedItemError`.
 */
export const dynamoAuditLog = (table: Table): AuditLog => ({
  add: async (entry) => {
    const json = JSON.stringify(entry);
    const mark = createHash('sha256').update(json).digest('base64url').slice(0, 8);
    await table.client.send(
      new PutItemCommand({
        TableName: table.TableName,
        Item: {
          pk: text(entry.integration ?? NO_INTEGRATION),
          sk: text(`audit#${new Date(entry.atMs).toISOString()}#${mark}`),
          entry: text(json),
        },
      }),
    );
  },
  list: async (integration, id) => {
    const entries: AuditEntry[] = [];
    const pages = queryPages(table, {
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :audit)',
      ExpressionAttributeValues: { ':pk': text(integration ?? NO_INTEGRATION), ':audit': text('audit#') },
    });
    for await (const page of pages) entries.push(...page.map(toEntry));
    return id === undefined ? entries : entries.filter((entry) => entry.id === id);
  },
});
