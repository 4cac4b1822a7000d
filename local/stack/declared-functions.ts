import { isAbsolute, join } from 'node:path';
import * as z from 'zod/mini';
import type { QueueSpec } from './declared-resources.ts';
import { ServiceFileError } from './errors.ts';
import type { RecursiveLoop } from './lineage.ts';
import { type Grants, grantsOf } from './permissions.ts';
import { isRawMap, type RawMap } from './service-file.ts';
import { asMap, count, parsed, positive, type Resolve, text } from './service-value.ts';

/** A function as the service file declares it. */
export type FunctionSpec = {
  /** Its key in the service file. */
  name: string;
  /** Its name as deployed. */
  deployedName: string;
  handlerFile: string;
  handlerExport: string;
  timeoutMs: number;
  memoryMb: number;
  reservedConcurrency: number | undefined;
  recursiveLoop: RecursiveLoop;
  /** Its role by logical id, and what that allows; undefined: the file names none, and nothing is checked. */
  role: { id: string; grants: Grants } | undefined;
  environment: Record<string, string>;
};

/** An event source mapping from a queue to a function. */
export type MappingSpec = {
  functionName: string;
  /** The function's name as deployed. */
  deployedName: string;
  queueName: string;
  queueArn: string;
  batchSize: number;
  windowMs: number;
  /** Undefined: the file sets no limit. */
  maximumConcurrency: number | undefined;
  reportBatchItemFailures: boolean;
  recursiveLoop: RecursiveLoop;
};

/** Defaults of the Serverless Framework: 6 s and 1024 MB. */
const functionSchema = z.object({
  handler: z.string().check(z.regex(/^.+\.[^./]+$/, 'expected FILE.EXPORT')),
  timeout: z._default(positive, 6),
  memorySize: z._default(positive, 1024),
  reservedConcurrency: z.optional(positive),
  role: z.optional(text),
  recursiveLoop: z._default(z.enum(['Allow', 'Terminate']), 'Terminate'),
});

/** Defaults and limits: Lambda API reference, CreateEventSourceMapping. */
const mappingSchema = z.strictObject({
  arn: text,
  enabled: z._default(z.boolean(), true),
  batchSize: z._default(positive.check(z.maximum(10_000)), 10),
  maximumBatchingWindow: z._default(count.check(z.maximum(300)), 0),
  maximumConcurrency: z.optional(count.check(z.minimum(2), z.maximum(1000))),
  functionResponseType: z.optional(z.literal('ReportBatchItemFailures')),
});

/** What a function of the service file is described in. */
export type FunctionContext = {
  provider: RawMap;
  prefix: string;
  resolve: Resolve;
  serviceDir: string;
  /** All of the file's resources, by logical id. */
  resources: RawMap;
  extraEnvironment: Readonly<Record<string, string>>;
};

/** A function with the provider's defaults; throws ServiceFileError. */
export function describeFunction(name: string, body: RawMap, context: FunctionContext): FunctionSpec {
  const { provider, prefix, resolve, serviceDir, extraEnvironment, resources } = context;
  const path = `functions.${name}`;
  const spec = parsed(
    functionSchema,
    {
      handler: resolve(body.handler, `${path}.handler`),
      timeout: resolve(body.timeout ?? provider.timeout, `${path}.timeout`),
      memorySize: resolve(body.memorySize ?? provider.memorySize, `${path}.memorySize`),
      reservedConcurrency: resolve(body.reservedConcurrency, `${path}.reservedConcurrency`),
      role: resolve(body.role, `${path}.role`),
      recursiveLoop: resolve(body.recursiveLoop, `${path}.recursiveLoop`),
    },
    path,
  );

  const environment: Record<string, string> = {};
  for (const [section, at] of [
    [provider.environment, 'provider.environment'],
    [body.environment, `${path}.environment`],
  ] as const) {
    for (const [key, value] of Object.entries(asMap(section ?? {}, at))) {
      if (Object.hasOwn(extraEnvironment, key)) continue;
      const resolved = resolve(value, `${at}.${key}`);
      if (typeof resolved === 'object') throw new ServiceFileError(`${at}.${key}`, 'is not a plain value');
      environment[key] = String(resolved);
    }
  }

  const dot = spec.handler.lastIndexOf('.');
  const file = `${spec.handler.slice(0, dot)}.ts`;
  return {
    name,
    deployedName: `${prefix}-${name}`,
    handlerFile: isAbsolute(file) ? file : join(serviceDir, file),
    handlerExport: spec.handler.slice(dot + 1),
    timeoutMs: spec.timeout * 1000,
    memoryMb: spec.memorySize,
    reservedConcurrency: spec.reservedConcurrency,
    recursiveLoop: spec.recursiveLoop,
    role: spec.role === undefined ? undefined : { id: spec.role, grants: grantsOf(resources, spec.role, resolve) },
    environment: { ...environment, ...extraEnvironment },
  };
}

/** A function's queue events; events of other kinds are left to whoever invokes. Throws ServiceFileError. */
export function describeMappings(
  spec: FunctionSpec,
  body: RawMap,
  queues: readonly QueueSpec[],
  resolve: Resolve,
): MappingSpec[] {
  const mappings: MappingSpec[] = [];
  const events = Array.isArray(body.events) ? body.events : [];
  for (const [index, event] of events.entries()) {
    if (!isRawMap(event) || event.sqs === undefined) continue;
    const path = `functions.${spec.name}.events.${index}.sqs`;
    const resolved = resolve(event.sqs, path);
    const mapping = parsed(mappingSchema, typeof resolved === 'string' ? { arn: resolved } : resolved, path);
    if (!mapping.enabled) continue;
    const queue = queues.find((candidate) => candidate.arn === mapping.arn);
    if (queue === undefined) throw new ServiceFileError(`${path}.arn`, `${mapping.arn} is not a queue of this service`);
    requireAwsLimits(mapping, queue, spec, path);
    mappings.push({
      functionName: spec.name,
      deployedName: spec.deployedName,
      queueName: queue.name,
      queueArn: queue.arn,
      batchSize: mapping.batchSize,
      windowMs: mapping.maximumBatchingWindow * 1000,
      maximumConcurrency: mapping.maximumConcurrency,
      reportBatchItemFailures: mapping.functionResponseType === 'ReportBatchItemFailures',
      recursiveLoop: spec.recursiveLoop,
    });
  }
  return mappings;
}

/** Lambda polls a queue with the function's role ("Configuring a queue to use with Lambda", execution role permissions). */
const POLLING = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

/** Refuses what AWS would refuse at deployment: Lambda developer guide, "Creating an SQS event source mapping". */
function requireAwsLimits(mapping: z.infer<typeof mappingSchema>, queue: QueueSpec, spec: FunctionSpec, path: string) {
  if (mapping.batchSize > 10 && mapping.maximumBatchingWindow < 1) {
    throw new ServiceFileError(`${path}.batchSize`, 'above 10 needs a maximumBatchingWindow of at least 1 second');
  }
  const { role } = spec;
  const missing = role && POLLING.find((action) => !role.grants.has(`${action} ${queue.arn}`));
  if (missing !== undefined) {
    throw new ServiceFileError(path, `the role ${role?.id} does not allow ${missing} on ${queue.arn}`);
  }
  const visibilitySec = Number(queue.attributes.VisibilityTimeout ?? 30);
  if (visibilitySec * 1000 < spec.timeoutMs) {
    throw new ServiceFileError(
      path,
      `the queue's VisibilityTimeout (${visibilitySec} s) is shorter than the function's timeout (${spec.timeoutMs / 1000} s)`,
    );
  }
}
