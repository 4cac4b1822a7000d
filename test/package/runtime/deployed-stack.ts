import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import {
  declaredResources,
  describeQueue,
  describeTable,
  nameResources,
} from '../../../local/stack/declared-resources.ts';
import { deployTables, startDynamoDbServer } from '../../../local/stack/dynamodb-server.ts';
import { FunctionError } from '../../../local/stack/errors.ts';
import { createEventSource } from '../../../local/stack/event-source.ts';
import { createGate, denialOf } from '../../../local/stack/gate.ts';
import { resolveIntrinsics } from '../../../local/stack/intrinsics.ts';
import { TRACE_HEADER } from '../../../local/stack/lineage.ts';
import { LOCAL_ACCOUNT_ID, LOCAL_REGION, newCredentials } from '../../../local/stack/local-account.ts';
import { grantsOf, type Use } from '../../../local/stack/permissions.ts';
import { deployQueues, startSqsServer } from '../../../local/stack/sqs-server.ts';
import { readTemplate, resourcesOf } from '../template.ts';
import { readZip } from '../zip.ts';
import { type DeployedFunction, deployFunction } from './deployed-function.ts';
import type { FunctionConfiguration } from './execution-environment.ts';
import { startRecorder } from './recorder.ts';

export type FunctionName = 'fetch' | 'load' | 'replay' | 'reconcile';
const functionNames: readonly FunctionName[] = ['fetch', 'load', 'replay', 'reconcile'];

export type DeployedStack = {
  functions: Readonly<Record<FunctionName, DeployedFunction>>;
  /** As the template has it: for an environment of one's own. */
  configuration(name: FunctionName): FunctionConfiguration;
  /** What each function's requests to AWS needed so far, resources by logical id or by the name of a parameter. */
  uses(name: FunctionName): Use[];
  /** Begins to poll the mapped queues. */
  startEventSources(): void;
  /** Whether no message waits, is held or put off, and no batch is under way. */
  isDrained(): boolean;
  /** Sends a message to a queue, by its logical id, as part of a chain of messages. */
  send(queueId: string, body: string, traceHeader: string): Promise<void>;
  /** Messages that wait in a queue, by its logical id. */
  waiting(queueId: string): number;
  close(): Promise<void>;
};

export type DeployedStackOptions = {
  packagedDir: string;
  /** What SSM holds, by the name of the parameter. */
  parameters: Readonly<Record<string, string>>;
  /** Over what the template says: where the two ends are, and how fast they may be called. */
  environment: Readonly<Record<string, string>>;
  /** What an operator may set beside that, by function. */
  settings?: Partial<Record<FunctionName, Readonly<Record<string, string>>>>;
};

/**
 * What a deployment makes of the packaged template, on this machine: its queues and tables on the embedded servers, its
 * archives unpacked and run by Lambda's own runtime client with the environments that the template gives, its event
 * source mappings. Each function reaches AWS through endpoints of its own, so that what it calls is known.
 */
export const deployStack = async ({
  packagedDir,
  parameters,
  environment,
  settings = {},
}: DeployedStackOptions): Promise<DeployedStack> => {
  const template = await readTemplate(packagedDir);
  const dir = await mkdtemp(path.join(tmpdir(), 'okki-sync-deployed-'));
  const dirs = { queues: path.join(dir, 'queues'), tables: path.join(dir, 'tables') };
  await Promise.all(Object.values(dirs).map((each) => mkdir(each)));
  const credentials = newCredentials();
  const gate = createGate(credentials);
  const sqs = await startSqsServer(dirs.queues, gate.doors);
  const dynamoDb = await startDynamoDbServer(dirs.tables, gate.doors);

  const declared = declaredResources({ resources: { Resources: template.Resources } });
  const answers = nameResources(declared, { prefix: '', resolve: (value) => value, queueUrl: sqs.queueUrl });
  const pseudoParameters = { 'AWS::Partition': 'aws', 'AWS::Region': LOCAL_REGION, 'AWS::AccountId': LOCAL_ACCOUNT_ID };
  const resolve = (value: unknown) => resolveIntrinsics(value, { resources: answers, pseudoParameters });
  const described = declared.flatMap((resource) => {
    const known = answers.get(resource.logicalId);
    return known === undefined ? [] : [{ resource, known }];
  });
  const queues = described
    .filter(({ resource }) => resource.type === 'AWS::SQS::Queue')
    .map(({ resource, known }) => describeQueue(resource, known, resolve));
  const tables = described
    .filter(({ resource }) => resource.type === 'AWS::DynamoDB::Table')
    .map(({ resource, known }) => describeTable(resource, known, resolve));

  const place = { region: LOCAL_REGION, credentials };
  const client = new SQSClient({ ...place, endpoint: sqs.endpoint, useQueueUrlAsEndpoint: false });
  const tableClient = new DynamoDBClient({ ...place, endpoint: dynamoDb.endpoint });
  await Promise.all([deployQueues(client, sqs, queues), deployTables(tableClient, tables)]);
  tableClient.destroy();

  // A queue and a table may have one name.
  const logicalIds = {
    sqs: new Map(queues.map(({ name, logicalId }) => [name, logicalId])),
    dynamodb: new Map(tables.map(({ name, logicalId }) => [name, logicalId])),
  };
  const logicalIdOf = ({ action, resource }: Use): string => {
    const [service] = action.split(':');
    return (service === 'sqs' || service === 'dynamodb' ? logicalIds[service].get(resource) : undefined) ?? resource;
  };
  const deployed = await Promise.all(
    functionNames.map(async (name) => {
      const { properties } = lambdaOf(template, name);
      const taskRoot = path.join(dir, name);
      await unpack(path.join(packagedDir, `${name}.zip`), taskRoot);
      // What the role in the template does not allow is denied, as on AWS.
      const own = newCredentials();
      const [roleId] = properties.Role['Fn::GetAtt'];
      const caller = { functionName: name, roleId, grants: grantsOf(template.Resources, roleId, resolve) };
      gate.admit(own, caller);
      const recorders = {
        AWS_ENDPOINT_URL_SQS: await startRecorder({ endpoint: sqs.endpoint }),
        AWS_ENDPOINT_URL_DYNAMODB: await startRecorder({ endpoint: dynamoDb.endpoint }),
        AWS_ENDPOINT_URL_SSM: await startRecorder({
          answer: (target, body) => denialOf(caller, target, body) ?? parameterAnswer(parameters, body.Name),
        }),
      };
      const variables = resolve(properties.Environment.Variables) as Record<string, string>;
      const overridden = Object.entries(environment).filter(([variable]) => variable in variables);
      const configuration: FunctionConfiguration = {
        name: properties.FunctionName,
        handler: properties.Handler,
        taskRoot,
        timeoutMs: properties.Timeout * 1000,
        memoryMb: properties.MemorySize,
        environment: {
          ...variables,
          ...Object.fromEntries(overridden),
          ...settings[name],
          AWS_ACCESS_KEY_ID: own.accessKeyId,
          AWS_SECRET_ACCESS_KEY: own.secretAccessKey,
          ...Object.fromEntries(Object.entries(recorders).map(([variable, { url }]) => [variable, url])),
        },
      };
      return { name, configuration, lambda: deployFunction(configuration), recorders: Object.values(recorders) };
    }),
  );
  const partOf = (name: string) => {
    const found = deployed.find((each) => each.name === name);
    if (found === undefined) throw new Error(`the template has no function ${name}`);
    return found;
  };

  let running = 0;
  const faults: unknown[] = [];
  const sources = resourcesOf(template, 'AWS::Lambda::EventSourceMapping').map(({ properties }) => {
    const queueId = properties.EventSourceArn['Fn::GetAtt'][0];
    const queue = queues.find(({ logicalId }) => logicalId === queueId);
    if (queue === undefined) throw new Error(`the template has no queue ${queueId}`);
    const functionName = properties.FunctionName['Fn::GetAtt'][0].replace(/LambdaFunction$/, '').toLowerCase();
    const { lambda, configuration } = partOf(functionName);
    const { RecursiveLoop: recursiveLoop = 'Terminate' } = lambdaOf(template, functionName).properties;
    return createEventSource({
      mapping: {
        functionName,
        deployedName: configuration.name,
        queueName: queue.name,
        queueArn: queue.arn,
        batchSize: properties.BatchSize,
        windowMs: (properties.MaximumBatchingWindowInSeconds ?? 0) * 1000,
        maximumConcurrency: properties.ScalingConfig?.MaximumConcurrency,
        reportBatchItemFailures: properties.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
        recursiveLoop,
      },
      queueUrl: sqs.queueUrl(queue.name),
      client,
      maxPollers: 1,
      visible: () => sqs.depth(queue.name).visible,
      wakeLongPolls: sqs.wakeLongPolls,
      onBatch: () => {},
      onFault: (error) => faults.push(error),
      invoke: async (event, coming) => {
        running += 1;
        const startedMs = performance.now();
        const end = await lambda.invoke(event, coming?.traceHeader).finally(() => (running -= 1));
        const about = { functionName, durationMs: performance.now() - startedMs, coldStart: false };
        if (end.kind === 'result') return { ...about, outcome: 'result', result: end.payload };
        const { errorType, errorMessage } = end.error;
        const error = new FunctionError(functionName, { errorType, errorMessage });
        return { ...about, outcome: 'error', error };
      },
    });
  });

  const nameOf = (queueId: string) => queues.find(({ logicalId }) => logicalId === queueId)?.name ?? '';
  const depthOf = (queueId: string) => sqs.depth(nameOf(queueId));
  const mapped = resourcesOf(template, 'AWS::Lambda::EventSourceMapping').map(
    ({ properties }) => properties.EventSourceArn['Fn::GetAtt'][0],
  );
  return {
    functions: Object.fromEntries(deployed.map(({ name, lambda }) => [name, lambda])) as DeployedStack['functions'],
    configuration: (name) => partOf(name).configuration,
    uses: (name) =>
      partOf(name).recorders.flatMap((recorder) =>
        recorder.uses().map((use) => ({ action: use.action, resource: logicalIdOf(use) })),
      ),
    startEventSources: () => {
      for (const source of sources) source.start();
    },
    isDrained: () =>
      running === 0 &&
      mapped.every((queueId) => {
        const { visible, inFlight, delayed } = depthOf(queueId);
        return visible + inFlight + delayed === 0;
      }),
    send: async (queueId, MessageBody, traceHeader) => {
      const command = new SendMessageCommand({ QueueUrl: sqs.queueUrl(nameOf(queueId)), MessageBody });
      const addHeader = <Request>(request: Request): Request => {
        if (hasHeaders(request)) request.headers[TRACE_HEADER] = traceHeader;
        return request;
      };
      command.middlewareStack.add((next) => (args) => next({ ...args, request: addHeader(args.request) }), {
        step: 'build',
      });
      await client.send(command);
    },
    waiting: (queueId) => depthOf(queueId).visible,
    close: async () => {
      await Promise.all(sources.map((source) => source.stop()));
      await Promise.all(deployed.map(({ lambda }) => lambda.stop()));
      await Promise.all(deployed.flatMap(({ recorders }) => recorders.map((recorder) => recorder.close())));
      client.destroy();
      await sqs.close();
      await dynamoDb.close();
      await rm(dir, { recursive: true, force: true });
      if (faults.length > 0) throw new AggregateError(faults, 'a queue could not be polled');
    },
  };
};

const hasHeaders = (request: unknown): request is { headers: Record<string, string> } =>
  typeof request === 'object' && request !== null && 'headers' in request;

const lambdaOf = (template: Awaited<ReturnType<typeof readTemplate>>, name: string) => {
  const found = resourcesOf(template, 'AWS::Lambda::Function').find(
    ({ properties }) => properties.Handler === `functions/${name}.handler`,
  );
  if (found === undefined) throw new Error(`the template has no function ${name}`);
  return found;
};

const unpack = async (archive: string, dir: string): Promise<void> => {
  for (const [file, { content }] of readZip(await readFile(archive))) {
    await mkdir(path.join(dir, path.dirname(file)), { recursive: true });
    await writeFile(path.join(dir, file), content());
  }
};

const parameterAnswer = (parameters: Readonly<Record<string, string>>, name: unknown) => {
  const value = parameters[String(name)];
  return value === undefined
    ? { status: 400, body: { __type: 'ParameterNotFound' } }
    : { status: 200, body: { Parameter: { Name: name, Value: value, Type: 'SecureString', Version: 1 } } };
};
