import { describeFunction, describeMappings, type FunctionSpec, type MappingSpec } from './declared-functions.ts';
import {
  allResources,
  declaredResources,
  describeQueue,
  describeTable,
  nameResources,
  type QueueSpec,
  type TableSpec,
} from './declared-resources.ts';
import { type IntrinsicScope, resolveIntrinsics } from './intrinsics.ts';
import { LOCAL_ACCOUNT_ID, LOCAL_REGION } from './local-account.ts';
import type { RawMap } from './service-file.ts';
import { asMap, located, parsed, type Resolve, text } from './service-value.ts';
import { resolveVariables, type VariableScope } from './variables.ts';

/** All that the local stack runs. */
export type Service = { queues: QueueSpec[]; tables: TableSpec[]; functions: FunctionSpec[]; mappings: MappingSpec[] };

export type ServiceOptions = {
  serviceDir: string;
  stage: string;
  /** Where a queue of this name answers. */
  queueUrl: (queueName: string) => string;
  /**
   * Added to every function's environment. A variable that is given here need not be resolvable in the service file.
   */
  extraEnvironment: Readonly<Record<string, string>>;
};

/**
 * What the service file declares. Variables and intrinsic functions are resolved only where the local stack needs their
 * values. Throws ServiceFileError with the place in the file.
 */
export function describeService(raw: RawMap, options: ServiceOptions): Service {
  const variables: VariableScope = { raw, stage: options.stage, region: LOCAL_REGION, accountId: LOCAL_ACCOUNT_ID };
  // Names come first, and may hold variables only: intrinsic functions answer with them.
  const resolveName: Resolve = (value, path) => located(path, () => resolveVariables(value, variables));
  const prefix = `${parsed(text, resolveName(raw.service, 'service'), 'service')}-${options.stage}`;
  const declared = declaredResources(raw);
  const intrinsics: IntrinsicScope = {
    resources: nameResources(declared, { prefix, resolve: resolveName, queueUrl: options.queueUrl }),
    pseudoParameters: pseudoParameters(prefix),
  };
  const resolve: Resolve = (value, path) =>
    located(path, () => resolveIntrinsics(resolveVariables(value, variables), intrinsics));

  const service: Service = { queues: [], tables: [], functions: [], mappings: [] };
  for (const resource of declared) {
    const answers = intrinsics.resources.get(resource.logicalId);
    if (answers === undefined) continue;
    if (resource.type === 'AWS::SQS::Queue') service.queues.push(describeQueue(resource, answers, resolve));
    else service.tables.push(describeTable(resource, answers, resolve));
  }
  const provider = asMap(raw.provider ?? {}, 'provider');
  const { serviceDir, extraEnvironment } = options;
  const resources = allResources(raw);
  for (const [name, section] of Object.entries(asMap(raw.functions ?? {}, 'functions'))) {
    const body = asMap(section, `functions.${name}`);
    const spec = describeFunction(name, body, { provider, prefix, resolve, serviceDir, extraEnvironment, resources });
    service.functions.push(spec);
    service.mappings.push(...describeMappings(spec, body, service.queues, resolve));
  }
  return service;
}

const pseudoParameters = (stackName: string): Record<string, string> => ({
  'AWS::AccountId': LOCAL_ACCOUNT_ID,
  'AWS::Partition': 'aws',
  'AWS::Region': LOCAL_REGION,
  'AWS::StackName': stackName,
  'AWS::URLSuffix': 'amazonaws.com',
});
