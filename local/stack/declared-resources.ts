import * as z from 'zod/mini';
import type { ResourceAnswers } from './intrinsics.ts';
import { LOCAL_ACCOUNT_ID, LOCAL_REGION } from './local-account.ts';
import { isRawMap, type RawMap } from './service-file.ts';
import { asMap, parsed, type Resolve, text } from './service-value.ts';

/** A queue as the service file declares it; `attributes` in the words of SQS's CreateQueue. */
export type QueueSpec = { logicalId: string; name: string; arn: string; attributes: Record<string, string> };

/** A table as the service file declares it. */
export type TableSpec = { logicalId: string; name: string } & z.infer<typeof tableSchema>;

const keySchema = z.array(z.object({ AttributeName: text, KeyType: z.enum(['HASH', 'RANGE']) }));
const indexSchema = z.object({
  IndexName: text,
  KeySchema: keySchema,
  Projection: z.object({
    ProjectionType: z.optional(z.enum(['ALL', 'INCLUDE', 'KEYS_ONLY'])),
    NonKeyAttributes: z.optional(z.array(text)),
  }),
});
const tableSchema = z.object({
  KeySchema: keySchema,
  AttributeDefinitions: z.array(z.object({ AttributeName: text, AttributeType: z.enum(['S', 'N', 'B']) })),
  GlobalSecondaryIndexes: z.optional(z.array(indexSchema)),
  LocalSecondaryIndexes: z.optional(z.array(indexSchema)),
});

/** The queue properties that change what a queue does; encryption and policies have no meaning on one machine. */
const QUEUE_ATTRIBUTES = [
  'VisibilityTimeout',
  'MessageRetentionPeriod',
  'DelaySeconds',
  'MaximumMessageSize',
  'ReceiveMessageWaitTimeSeconds',
  'RedrivePolicy',
  'FifoQueue',
  'ContentBasedDeduplication',
] as const;

/** A queue or table as it stands in the service file. */
export type DeclaredResource = { logicalId: string; type: string; properties: RawMap; path: string };

/** All resources of the service file, by logical id. */
export const allResources = (raw: RawMap): RawMap => {
  const parts = (Array.isArray(raw.resources) ? raw.resources : [raw.resources]).filter(isRawMap);
  return Object.assign({}, ...parts.map(({ Resources }) => Resources ?? {}));
};

/** The queues and tables among the service file's resources; others have no meaning on one machine. */
export function declaredResources(raw: RawMap): DeclaredResource[] {
  const parts = Array.isArray(raw.resources) ? raw.resources : [raw.resources ?? {}];
  const found: DeclaredResource[] = [];
  for (const [index, part] of parts.entries()) {
    // A part that a program makes (`${file(….cjs)}`) is a text here: none of them has queues or tables.
    if (!isRawMap(part) || !isRawMap(part.Resources)) continue;
    const base = Array.isArray(raw.resources) ? `resources.${index}.Resources` : 'resources.Resources';
    for (const [logicalId, resource] of Object.entries(part.Resources)) {
      if (!isRawMap(resource)) continue;
      const type = resource.Type;
      if (type !== 'AWS::SQS::Queue' && type !== 'AWS::DynamoDB::Table') continue;
      const path = `${base}.${logicalId}`;
      found.push({ logicalId, type, properties: asMap(resource.Properties ?? {}, `${path}.Properties`), path });
    }
  }
  return found;
}

/** What `Ref` and `Fn::GetAtt` answer for each; one without a name gets `PREFIX-LOGICALID`. Throws ServiceFileError. */
export function nameResources(
  declared: readonly DeclaredResource[],
  naming: { prefix: string; resolve: Resolve; queueUrl: (queueName: string) => string },
): Map<string, ResourceAnswers> {
  const answers = new Map<string, ResourceAnswers>();
  for (const { logicalId, type, properties, path } of declared) {
    const isQueue = type === 'AWS::SQS::Queue';
    const key = isQueue ? 'QueueName' : 'TableName';
    const at = `${path}.Properties.${key}`;
    const own = naming.resolve(properties[key], at);
    const name = own === undefined ? `${naming.prefix}-${logicalId}` : parsed(text, own, at);
    answers.set(logicalId, isQueue ? queueAnswers(name, naming.queueUrl(name)) : tableAnswers(name));
  }
  return answers;
}

/** A queue with its declared attributes; throws ServiceFileError. */
export function describeQueue(resource: DeclaredResource, answers: ResourceAnswers, resolve: Resolve): QueueSpec {
  const { logicalId, properties, path } = resource;
  const { QueueName: name = '', Arn: arn = '' } = answers.attributes;
  return { logicalId, name, arn, attributes: queueAttributes(properties, `${path}.Properties`, resolve) };
}

/** A table with its keys and indexes; throws ServiceFileError. */
export function describeTable(resource: DeclaredResource, answers: ResourceAnswers, resolve: Resolve): TableSpec {
  const at = `${resource.path}.Properties`;
  const wanted = Object.fromEntries(
    Object.keys(tableSchema.shape).map((key) => [key, resolve(resource.properties[key], `${at}.${key}`)]),
  );
  return { logicalId: resource.logicalId, name: answers.ref, ...parsed(tableSchema, wanted, at) };
}

function queueAnswers(name: string, url: string): ResourceAnswers {
  const arn = `arn:aws:sqs:${LOCAL_REGION}:${LOCAL_ACCOUNT_ID}:${name}`;
  return { ref: url, attributes: { Arn: arn, QueueName: name, QueueUrl: url } };
}

function tableAnswers(name: string): ResourceAnswers {
  return { ref: name, attributes: { Arn: `arn:aws:dynamodb:${LOCAL_REGION}:${LOCAL_ACCOUNT_ID}:table/${name}` } };
}

/** A queue that states no size takes as much as the regions do that take the least, bytes. */
const LEAST_MESSAGE_SIZE = '262144';

function queueAttributes(properties: RawMap, path: string, resolve: Resolve): Record<string, string> {
  const attributes: Record<string, string> = { MaximumMessageSize: LEAST_MESSAGE_SIZE };
  for (const key of QUEUE_ATTRIBUTES) {
    if (properties[key] === undefined) continue;
    const value = resolve(properties[key], `${path}.${key}`);
    // SQS takes attributes as text, structures as JSON (CreateQueue, "Attributes").
    attributes[key] = typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
  return attributes;
}
