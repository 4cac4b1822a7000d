import { GetQueueUrlCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { dynamoClient, sqsClient } from '../../lib/aws/ports.ts';
import { awsStores } from '../../lib/aws/stores.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import { askForRun, type Engine } from '../../lib/operate/run-now.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import type { OpenStores, Stores } from '../../lib/stores/stores.ts';
import { UsageError } from '../input/usage-error.ts';
import { closingBooks } from './closing-books.ts';

/** Names of the deployed tables and queues begin so (serverless.yml, `custom.prefix`). */
export const stackPrefix = (stage: string): string => `okki-sync-${stage}`;

const queues = {
  RECORDS_QUEUE_URL: 'records',
  DEAD_LETTER_QUEUE_URL: 'dead-letters',
  RUNS_QUEUE_URL: 'runs',
} as const;

/**
 * Opens the stores of a deployed stack with the operator's own AWS credentials and region (the SDK's own search:
 * environment, profile, SSO, instance). Throws UsageError where there is no such stack, or no leave to see it.
 */
export const openDeployedStores = async (stage: string, region: string | undefined): Promise<OpenStores> => {
  if (!/^[a-z0-9][a-z0-9-]*$/i.test(stage)) throw new UsageError(`${JSON.stringify(stage)} is no name of a stage.`);
  const shared = region === undefined ? {} : { region };
  const sqs = sqsClient(shared);
  const dynamo = dynamoClient(shared);
  try {
    const urls = await Promise.all(
      Object.entries(queues).map(async ([variable, queue]) => [variable, await queueUrl(sqs, stage, queue)] as const),
    );
    const names = {
      ...Object.fromEntries(urls),
      IDCHECK_TABLE: `${stackPrefix(stage)}-idcheck`,
      RUNS_TABLE: `${stackPrefix(stage)}-runs`,
      CONNECTIONS_TABLE: `${stackPrefix(stage)}-connections`,
    };
    return awsStores(dynamo, sqs, names);
  } catch (error) {
    sqs.destroy();
    dynamo.destroy();
    throw error;
  }
};

const queueUrl = async (sqs: SQSClient, stage: string, queue: string): Promise<string> => {
  const QueueName = `${stackPrefix(stage)}-${queue}`;
  try {
    return (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl ?? '';
  } catch (cause) {
    throw new UsageError(`The queue ${QueueName} cannot be found: ${adviceOn(cause)}`, { cause });
  }
};

/** The SDK's error in the operator's words. */
const adviceOn = (error: unknown): string => {
  const name = error instanceof Error ? error.name : '';
  const message = error instanceof Error ? error.message : String(error);
  if (name === 'QueueDoesNotExist' || /NonExistentQueue/.test(name)) {
    return 'no such queue in this account and region. Is the stage deployed there? (--region, AWS_REGION)';
  }
  if (/region is missing/i.test(message)) return 'no region is set (--region, AWS_REGION, or your AWS profile).';
  if (name === 'CredentialsProviderError') return 'there are no AWS credentials (aws sts get-caller-identity).';
  return `${name}: ${message}`;
};

/** A deployed stack as what runs an integration: it is asked through its runs queue. Throws ConfigurationError. */
export const deployedEngine = (stage: string, stores: Stores, integration: Integration): Engine => {
  const closeBooks = closingBooks(stores);
  return {
    runs: stores.runs,
    idStore: stores.idStore,
    deadLetters: stores.deadLetters,
    records: stores.records,
    closeBooks: () => closeBooks([integration]),
    start: (asked, onNews, prepare) =>
      askForRun(integration.name, asked, { ...stores, clock, stack: stage }, onNews, prepare),
  };
};
