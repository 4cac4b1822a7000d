import type { FunctionSpec } from './declared-functions.ts';
import type { DynamoDbServer } from './dynamodb-server.ts';
import { type Credentials, LOCAL_REGION } from './local-account.ts';
import type { Service } from './service.ts';
import type { SqsServer } from './sqs-server.ts';

/** Lambda sets these itself (developer guide, "Defined runtime environment variables"). */
export const functionEnvironment = (spec: FunctionSpec, serviceDir: string): Record<string, string> => ({
  AWS_LAMBDA_FUNCTION_NAME: spec.deployedName,
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMb),
  LAMBDA_TASK_ROOT: serviceDir,
});

/** What the AWS SDK reads to reach the two servers. */
export const awsEnvironment = (
  sqs: SqsServer,
  dynamoDb: DynamoDbServer,
  { accessKeyId, secretAccessKey }: Credentials,
): Record<string, string> => ({
  AWS_ENDPOINT_URL_SQS: sqs.endpoint,
  AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint,
  AWS_REGION: LOCAL_REGION,
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
});

/** The functions' variables whose value is the URL of a queue or the name of a table. */
export function resourceVariables(service: Service, sqs: SqsServer): Record<string, string> {
  const known = new Set([
    ...service.queues.map(({ name }) => sqs.queueUrl(name)),
    ...service.tables.map(({ name }) => name),
  ]);
  const variables = service.functions.flatMap(({ environment }) => Object.entries(environment));
  return Object.fromEntries(variables.filter(([, value]) => known.has(value)));
}
