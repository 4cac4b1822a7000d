import { UnresolvedIntrinsic } from './intrinsics.ts';
import { LOCAL_ACCOUNT_ID, LOCAL_REGION } from './local-account.ts';
import { isRawMap, type RawMap } from './service-file.ts';

/** One permission that a request needs: an IAM action on a table, queue, parameter or secret by name. */
export type Use = { action: string; resource: string };

/** What a role allows: `ACTION ARN`. */
export type Grants = ReadonlySet<string>;

/** The services' names in the X-Amz-Target header, and their prefixes in IAM. */
const services: Readonly<Record<string, string>> = {
  DynamoDB_20120810: 'dynamodb',
  AmazonSQS: 'sqs',
  AmazonSSM: 'ssm',
  secretsmanager: 'secretsmanager',
};

/**
 * Operations whose permission has another name: batches of SQS need that of the single call (Service authorization
 * reference, "Actions, resources, and condition keys for Amazon SQS").
 */
const permissionOf: Readonly<Record<string, string>> = {
  'sqs:SendMessageBatch': 'sqs:SendMessage',
  'sqs:DeleteMessageBatch': 'sqs:DeleteMessage',
  'sqs:ChangeMessageVisibilityBatch': 'sqs:ChangeMessageVisibility',
};

/** The permission that an operation needs, `SERVICE:OPERATION`. */
export const permissionName = (called: string): string => permissionOf[called] ?? called;

/** Where a request of each service says which resource it is about. */
const namesIn: Readonly<Record<string, (body: RawMap) => unknown[]>> = {
  dynamodb: (body) => (isRawMap(body.RequestItems) ? Object.keys(body.RequestItems) : [body.TableName]),
  sqs: (body) => [body.QueueName ?? String(body.QueueUrl).split('/').at(-1)],
  ssm: (body) => [body.Name],
  secretsmanager: (body) => [body.SecretId],
};

/** What a request to an AWS service with a JSON protocol needs. Throws for a request that it cannot read. */
export const usesOf = (target: string, body: RawMap): Use[] => {
  const [version = '', operation = ''] = target.split('.');
  const service = services[version];
  if (service === undefined || operation === '') throw new Error(`unknown X-Amz-Target ${JSON.stringify(target)}`);
  const called = `${service}:${operation}`;
  const names = (namesIn[service]?.(body) ?? []).filter((name) => typeof name === 'string');
  if (names.length === 0) throw new Error(`a request to ${service} that names no resource`);
  return names.map((resource) => ({ action: permissionName(called), resource }));
};

const arnOf = ({ action, resource }: Use): string => {
  const [service = ''] = action.split(':');
  const place = `arn:aws:${service}:${LOCAL_REGION}:${LOCAL_ACCOUNT_ID}`;
  if (service === 'dynamodb') return `${place}:table/${resource}`;
  if (service === 'ssm') return `${place}:parameter/${resource.replace(/^\//, '')}`;
  return `${place}:${resource}`;
};

/** The first permission of a request that a role lacks, with the resource as its ARN; undefined: it has all. */
export const missingOf = (grants: Grants, target: string, body: RawMap): Use | undefined => {
  const uses = usesOf(target, body).map((use) => ({ action: use.action, resource: arnOf(use) }));
  return uses.find(({ action, resource }) => !grants.has(`${action} ${resource}`));
};

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

/** The maps at a key, whose value is one or a list. */
const mapsAt = (map: RawMap, key: string): RawMap[] => listOf(map[key]).filter(isRawMap);

/**
 * What the role of this logical id allows, by its own policies and by those that are added to it. What has no ARN on
 * this machine (logs) is left out. `resolve` gives the value of a reference. Resources with a wildcard do not occur:
 * the tests of the packaged template refuse them.
 */
export const grantsOf = (
  resources: RawMap,
  roleId: string,
  resolve: (value: unknown, path: string) => unknown,
): Grants => {
  const role = resources[roleId];
  const own = isRawMap(role) && isRawMap(role.Properties) ? mapsAt(role.Properties, 'Policies') : [];
  const added = Object.values(resources).flatMap((resource) => {
    if (!isRawMap(resource) || resource.Type !== 'AWS::IAM::RolePolicy' || !isRawMap(resource.Properties)) return [];
    const { RoleName: name } = resource.Properties;
    return isRawMap(name) && name.Ref === roleId ? [resource.Properties] : [];
  });
  const statements = [...own, ...added].flatMap((policy) =>
    mapsAt(policy, 'PolicyDocument').flatMap((document) => mapsAt(document, 'Statement')),
  );
  const grants = statements.flatMap(({ Action, Resource }) => {
    const arns = listOf(Resource).flatMap((resource) => {
      const arn = resolvedOrUndefined(resource, roleId, resolve);
      return arn === undefined ? [] : [arn];
    });
    return listOf(Action).flatMap((action) => arns.map((arn) => `${String(action)} ${arn}`));
  });
  return new Set(grants);
};

const resolvedOrUndefined = (
  value: unknown,
  path: string,
  resolve: (value: unknown, path: string) => unknown,
): string | undefined => {
  try {
    return String(resolve(value, path));
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    if (cause instanceof UnresolvedIntrinsic) return undefined;
    throw error;
  }
};
