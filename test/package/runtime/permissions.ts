import type { Use } from '../../../local/stack/permissions.ts';
import { type GetAtt, listOf, resource, resourcesOf, type Sub, type Template } from '../template.ts';
import type { FunctionName } from './deployed-stack.ts';

/**
 * What Lambda itself does with a function's role: it polls the queues that are mapped to the function ("Using Lambda
 * with Amazon SQS") and writes its log ("Sending Lambda function logs to CloudWatch Logs"; Lambda developer guide).
 */
const POLLING = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
const LOGGING = ['logs:CreateLogStream', 'logs:PutLogEvents'];

/** What Lambda does on behalf of a function, by the template. */
export const usesByLambda = (template: Template, name: FunctionName): Use[] => {
  const id = lambdaIdOf(template, name);
  const polled = resourcesOf(template, 'AWS::Lambda::EventSourceMapping')
    .filter(({ properties }) => properties.FunctionName['Fn::GetAtt'][0] === id)
    .flatMap(({ properties }) => POLLING.map((action) => ({ action, resource: idOf(properties.EventSourceArn) })));
  const group = id.replace(/LambdaFunction$/, 'LogGroup');
  return [...polled, ...LOGGING.map((action) => ({ action, resource: group }))];
};

/**
 * What a function does too seldom for the journey to show it. `fetch` keeps a row as a letter where a window moved on
 * without it, after three runs (test/fetch/incremental-run.test.ts), reads idCheck by id for a list of changes and for
 * deletions (window-and-deletion.test.ts), asks how many records wait where an earlier run has some open
 * (test/fetch/sent-before-run.test.ts), and writes to it where a target is taken over (test/fetch/adopt-run.test.ts).
 */
const seldom: Readonly<Partial<Record<FunctionName, readonly Use[]>>> = {
  fetch: [
    { action: 'sqs:SendMessage', resource: 'DeadLetterQueue' },
    { action: 'sqs:GetQueueAttributes', resource: 'RecordsQueue' },
    { action: 'dynamodb:BatchGetItem', resource: 'IdCheckTable' },
    { action: 'dynamodb:PutItem', resource: 'IdCheckTable' },
  ],
};

export const seldomUses = (name: FunctionName): readonly Use[] => seldom[name] ?? [];

/** What a function's role allows, resources by logical id or by the name of a parameter. Throws for other resources. */
export const grantsOf = (template: Template, name: FunctionName): Use[] => {
  const roleId = idOf(resource(template, 'AWS::Lambda::Function', lambdaIdOf(template, name)).Role);
  const added = resourcesOf(template, 'AWS::IAM::RolePolicy').filter(
    ({ properties }) => properties.RoleName.Ref === roleId,
  );
  const documents = [
    ...resource(template, 'AWS::IAM::Role', roleId).Policies,
    ...added.map(({ properties }) => properties),
  ].map(({ PolicyDocument }) => PolicyDocument);
  return documents
    .flatMap(({ Statement }) => Statement)
    .flatMap(({ Action, Resource }) =>
      listOf(Action).flatMap((action) => listOf(Resource).map((target) => ({ action, resource: nameOf(target) }))),
    );
};

/** One line for each permission, for comparing and for reading. */
export const lineOf = ({ action, resource: target }: Use): string => `${action} on ${target}`;

export const sortedLines = (uses: readonly Use[]): string[] => [...new Set(uses.map(lineOf))].sort();

const lambdaIdOf = (template: Template, name: FunctionName): string => {
  const found = resourcesOf(template, 'AWS::Lambda::Function').find(
    ({ properties }) => properties.Handler === `functions/${name}.handler`,
  );
  if (found === undefined) throw new Error(`the template has no function ${name}`);
  return found.id;
};

const idOf = ({ 'Fn::GetAtt': [id] }: GetAtt): string => id;

const nameOf = (target: unknown): string => {
  if (typeof target === 'object' && target !== null && 'Fn::GetAtt' in target) return idOf(target as GetAtt);
  const parameter = /:parameter(\/.+)$/.exec((target as Sub)['Fn::Sub'] ?? '')?.[1];
  if (parameter === undefined) throw new Error(`not a resource that can be compared: ${JSON.stringify(target)}`);
  return parameter;
};
