import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dynamoClient, sqsClient } from '../../lib/aws/ports.ts';

const local = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };

const listen = async (answer: () => { status: number; body: string }) => {
  const server = createServer((_request, response) => {
    const { status, body } = answer();
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
};

describe('AWS clients', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('retry a server fault up to four attempts in all', async () => {
    let requests = 0;
    const server = await listen(() => ({ status: ++requests < 4 ? 500 : 200, body: '{}' }));
    const client = dynamoClient({ ...local, endpoint: server.endpoint });
    await client.send(new GetItemCommand({ TableName: 't', Key: { pk: { S: 'a' } } }));
    expect(requests).toBe(4);
    requests = -1_000;
    await expect(client.send(new GetItemCommand({ TableName: 't', Key: { pk: { S: 'a' } } }))).rejects.toThrow();
    expect(requests).toBe(-996);
    client.destroy();
    server.close();
  });

  it('give up on a request after its time, and not only warn', async () => {
    // Waiting for the time-out itself would take 5 s of wall clock; without the last setting the SDK only logs.
    const { requestHandler } = dynamoClient(local).config as unknown as {
      requestHandler: { configProvider: Promise<Record<string, unknown>> };
    };
    expect(await requestHandler.configProvider).toMatchObject({
      connectionTimeout: 1_000,
      requestTimeout: 5_000,
      throwOnRequestTimeout: true,
    });
  });

  it('send to AWS_ENDPOINT_URL_SQS where it is set, whatever host the queue URL names', async () => {
    let requests = 0;
    const server = await listen(() => {
      requests += 1;
      return { status: 200, body: '{}' };
    });
    vi.stubEnv('AWS_ENDPOINT_URL_SQS', server.endpoint);
    const client = sqsClient(local);
    await client.send(new GetQueueAttributesCommand({ QueueUrl: 'http://sqs.us-east-1.localhost:1/000000000000/q' }));
    expect(requests).toBe(1);
    client.destroy();
    server.close();
  });

  it('send to the host of the queue URL where no endpoint is set', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_SQS', '');
    expect(sqsClient(local).config.useQueueUrlAsEndpoint).toBe(true);
  });
});
