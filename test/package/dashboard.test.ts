import { createRequire } from 'node:module';
import { expect, inject, test } from 'vitest';
import table from '../../lib/aws/telemetry/metrics.json' with { type: 'json' };
import { readTemplate, resource, resourcesOf } from './template.ts';

const template = await readTemplate(inject('packagedDir'));
const functions = resourcesOf(template, 'AWS::Lambda::Function');

type Widget = {
  type: string;
  properties: { title?: string; region?: string; metrics?: unknown[][]; query?: string; view?: string };
};
const { DashboardName, DashboardBody } = resource(template, 'AWS::CloudWatch::Dashboard', 'Dashboard');
const { widgets } = JSON.parse(DashboardBody['Fn::Sub']) as { widgets: Widget[] };
const queries = widgets.flatMap(({ properties }) => properties.query ?? []);
const addresses = widgets
  .flatMap(({ properties }) => properties.metrics ?? [])
  .map((metric) => {
    const [namespace = '', name = '', dimension = '', value = ''] = metric.filter((word) => typeof word === 'string');
    return { namespace, name, dimension, value };
  });

test('is named after the stack and shows its own region', () => {
  expect(DashboardName).toBe('okki-sync-dev');
  const regions = widgets.flatMap(({ type, properties }) => (type === 'text' ? [] : [properties.region]));
  // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's placeholder.
  expect(new Set(regions)).toEqual(new Set(['${AWS::Region}']));
});

// CloudWatch pricing: "3 dashboards for up to 50 metrics per month".
test('is one of the free ones of an account, and shows no metric that is paid for', () => {
  expect(addresses.length).toBeLessThanOrEqual(50);
  expect(new Set(addresses.map(({ namespace }) => namespace))).toEqual(
    new Set(['AWS/SQS', 'AWS/Lambda', 'AWS/DynamoDB']),
  );
});

test('a stage may do without', async () => {
  type Resolver = { resolveVariable(name: string): Promise<unknown> };
  const dashboard = createRequire(import.meta.url)('../../serverless/dashboard.cjs') as (
    resolver: Resolver,
  ) => Promise<{ Resources: object }>;
  const resolved: Record<string, unknown> = { 'self:custom.prefix': 'okki-sync-dev', 'self:functions': { fetch: {} } };
  const idsWith = async (setting: unknown) => {
    const resolveVariable = async (name: string) => (name === 'param:dashboard' ? setting : resolved[name]);
    return Object.keys((await dashboard({ resolveVariable })).Resources);
  };
  expect(await idsWith(true)).toEqual(['Dashboard']);
  // A parameter of the command line comes as text.
  expect([await idsWith(false), await idsWith('false')]).toEqual([[], []]);
});

test('names queues, functions and tables as the template does', () => {
  const named: Record<string, unknown[]> = {
    QueueName: resourcesOf(template, 'AWS::SQS::Queue').map(({ properties }) => properties.QueueName),
    FunctionName: functions.map(({ properties }) => properties.FunctionName),
    TableName: resourcesOf(template, 'AWS::DynamoDB::Table').map(({ properties }) => properties.TableName),
  };
  for (const { dimension, value } of addresses) expect(named[dimension]).toContain(value);
  for (const dimension of Object.keys(named)) {
    const shown = new Set(addresses.filter((address) => address.dimension === dimension).map(({ value }) => value));
    expect(shown).toEqual(new Set(named[dimension]));
  }
});

test('its queries read every count of the code by its name, for each integration, and no other', () => {
  const counted = queries.filter((query) => query.includes('message = "counted"') && query.endsWith('by integration'));
  const sums = counted.flatMap((query) =>
    [...query.matchAll(/sum\((\w+)\) as (\w+)/g)].map(([, name, as]) => [name, as]),
  );
  expect(Object.fromEntries(sums)).toEqual(table.counts);
  expect(sums).toHaveLength(Object.keys(table.counts).length);
});

test('its queries read the logs of the functions', () => {
  const groups = resourcesOf(template, 'AWS::Logs::LogGroup').map(({ properties }) => properties.LogGroupName);
  for (const query of queries) {
    expect([...query.matchAll(/SOURCE '([^']+)'/g)].map(([, group]) => group).sort()).toEqual([...groups].sort());
  }
});

test('what waits for its turn and what nobody takes are different numbers', () => {
  const titleOf = (name: string) =>
    widgets.find(({ properties }) => properties.metrics?.some((metric) => metric.includes(name)))?.properties.title;
  expect(titleOf('ApproximateNumberOfMessagesDelayed')).toBe('Wait for their turn');
  expect(titleOf('ApproximateNumberOfMessagesVisible')).toBe('Due, and not taken yet');
});
