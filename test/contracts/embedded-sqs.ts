import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';
import { afterAll } from 'vitest';
import { sqsClient } from '../../lib/aws/ports.ts';

type EmbeddedSqs = {
  client: SQSClient;
  /** Creates a queue and its dead-letter queue and gives their URLs. */
  createQueues(maxReceiveCount: number): Promise<{ queueUrl: string; deadLettersUrl: string }>;
};

/** SQS in this process, in memory, on a free port of the loopback interface, until the calling file's tests end. */
export const startSqs = async (): Promise<EmbeddedSqs> => {
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ port: 0, host: '127.0.0.1' });
  const client = sqsClient({
    endpoint,
    useQueueUrlAsEndpoint: false,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    // The server lives in this process: a connection that takes a busy event loop seconds is not lost.
    requestHandler: { connectionTimeout: 20_000, requestTimeout: 20_000, throwOnRequestTimeout: true },
  });
  afterAll(async () => {
    client.destroy();
    await app.close();
  });
  let queues = 0;
  const create = async (Attributes: Record<string, string>) => {
    const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: `queue-${++queues}`, Attributes }));
    return QueueUrl;
  };
  return {
    client,
    createQueues: async (maxReceiveCount) => {
      const deadLettersUrl = await create({});
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: deadLettersUrl, AttributeNames: ['QueueArn'] }),
      );
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount });
      return { queueUrl: await create({ RedrivePolicy }), deadLettersUrl };
    },
  };
};
