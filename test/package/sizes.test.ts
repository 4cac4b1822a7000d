import { readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { copyService, packageService, removeServiceCopy } from './packaging.ts';
import { readTemplate, resourcesOf, type Template } from './template.ts';

const { sizeFaults } = createRequire(import.meta.url)('../../serverless/check-sizes.cjs') as {
  sizeFaults(template: unknown): string[];
};

const SHIPPED = path.join('integrations', 'okki-product-groups-to-qingyiyun.json');
const two = await readTemplate(inject('packagedDir'));

/** The service with so many integrations in place of the shipped ones. */
const packageWith = async (dir: string, count: number): Promise<Template> => {
  const content = JSON.parse(await readFile(SHIPPED, 'utf8')) as { source: { connection: { auth: object } } };
  for (const file of ['okki-product-groups-to-qingyiyun', 'okki-product-groups-to-crm']) {
    await rm(path.join(dir, 'integrations', `${file}.json`), { force: true });
  }
  for (let n = 1; n <= count; n++) {
    const name = `product-groups-of-subsidiary-${n}`;
    content.source.connection.auth = { kind: 'bearer', token: { ssm: `/okki-sync/prod/${name}/token` } };
    await writeFile(path.join(dir, 'integrations', `${name}.json`), JSON.stringify({ ...content, name }));
  }
  return readTemplate(await packageService(dir, 'prod'));
};

describe.each([1, 100])('%i integrations', (count) => {
  let dir: string;
  let template: Template;
  beforeAll(async () => {
    dir = await copyService();
    template = await packageWith(dir, count);
  });
  afterAll(() => removeServiceCopy(dir));

  test('fit into one stack', () => {
    expect(sizeFaults(template)).toEqual([]);
  });

  test('have a schedule each, and no other resource of their own', () => {
    const without = Object.keys(two.Resources).filter((id) => !/^Run.*Schedule$/.test(id));
    const schedules = resourcesOf(template, 'AWS::Scheduler::Schedule').filter(({ id }) => /^Run/.test(id));
    expect(schedules).toHaveLength(count);
    const others = Object.keys(template.Resources).filter((id) => !/^Run.*Schedule$/.test(id));
    expect(others.filter((id) => !/^FetchSecretsPolicy\d?$/.test(id)).sort()).toEqual(without.sort());
  });

  test('may have a secret each: fetch may read them all', () => {
    const statements = JSON.stringify([
      ...resourcesOf(template, 'AWS::IAM::RolePolicy'),
      ...resourcesOf(template, 'AWS::IAM::ManagedPolicy'),
    ]);
    for (let n = 1; n <= count; n++) expect(statements).toContain(`/product-groups-of-subsidiary-${n}/token"`);
  });

  test('share alarms and a dashboard of one size', () => {
    const bodies = [two, template].map((each) => resourcesOf(each, 'AWS::CloudWatch::Dashboard')[0]?.properties);
    const [before, after] = bodies.map((properties) =>
      properties?.DashboardBody['Fn::Sub'].replaceAll(/-(dev|prod)/g, ''),
    );
    expect(after).toBe(before);
  });
});

test('packaging a stack that AWS would refuse names the limit, the count and a way out', async () => {
  const dir = await copyService();
  try {
    const said = await packageWith(dir, 460).catch(({ message }: Error) => message);
    expect(said).toMatch(/5\d\d resources in the template, 500 at most: deploy some of the integrations/);
  } finally {
    await removeServiceCopy(dir);
  }
}, 300_000);

describe('each limit is named with its count', () => {
  const widget = (metrics: number) => ({
    type: 'metric',
    properties: { metrics: Array.from({ length: metrics }, () => []) },
  });
  const dashboard = (widgets: object[], title = '') => ({
    Resources: {
      Dashboard: {
        Type: 'AWS::CloudWatch::Dashboard',
        Properties: { DashboardBody: { 'Fn::Sub': JSON.stringify({ title, widgets }) } },
      },
    },
  });
  const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
  const role = (policies: number, characters: number) => ({
    Resources: {
      FetchRole: { Type: 'AWS::IAM::Role', Properties: { Policies: [] } },
      ...Object.fromEntries(
        times(policies, 0).map((_, index) => [
          `P${index}`,
          {
            Type: 'AWS::IAM::RolePolicy',
            Properties: { RoleName: { Ref: 'FetchRole' }, PolicyDocument: { a: 'x'.repeat(characters - 8) } },
          },
        ]),
      ),
    },
  });
  const ofType = (Type: string, count: number, Properties = {}) => ({
    Resources: Object.fromEntries(times(count, 0).map((_, index) => [`R${index}`, { Type, Properties }])),
  });
  const alarm = (metrics: number) =>
    ofType('AWS::CloudWatch::Alarm', 1, { Metrics: times(metrics, { MetricStat: {} }) });

  const managed = (count: number, characters: number) => {
    const properties = { Roles: [{ Ref: 'FetchRole' }], PolicyDocument: { a: 'x'.repeat(characters - 8) } };
    const { Resources } = ofType('AWS::IAM::ManagedPolicy', count, properties);
    return { Resources: { ...Resources, FetchRole: { Type: 'AWS::IAM::Role', Properties: {} } } };
  };

  test.each([
    [
      'resources',
      ofType('AWS::SQS::Queue', 500),
      ofType('AWS::SQS::Queue', 501),
      /^501 resources in the template, 500 at/,
    ],
    ['bytes', {}, { Resources: {}, a: 'x'.repeat(1_000_000) }, /^\d{7} bytes of the template, 1000000 at most/],
    [
      'widgets',
      dashboard(times(500, widget(0))),
      dashboard(times(501, widget(0))),
      /^Dashboard: 501 widgets .*, 500 at/,
    ],
    [
      'metrics of a widget',
      dashboard([widget(500)]),
      dashboard([widget(501)]),
      /^Dashboard: 501 metrics in one widget/,
    ],
    [
      'metrics of the dashboard',
      dashboard(times(5, widget(500))),
      dashboard([...times(5, widget(500)), widget(1)]),
      /^Dashboard: 2501 metrics on the dashboard, 2500 at most/,
    ],
    ['the expression of an alarm', alarm(10), alarm(11), /^R0: 11 metrics in the expression of an alarm, 10 at most/],
    [
      'policies',
      role(2, 5_120),
      role(2, 5_121),
      /^FetchRole: 10242 characters of a role's own policies, 10240 at most/,
    ],
    [
      'a managed policy',
      managed(1, 6_144),
      managed(1, 6_145),
      /^R0: 6145 characters of a managed policy, 6144 at most/,
    ],
    ['managed policies', managed(10, 99), managed(11, 99), /^FetchRole: 11 managed policies of a role, 10 at most/],
  ])('%s', (_, fitting, tooLarge, words) => {
    expect(sizeFaults({ Resources: {}, ...fitting })).toEqual([]);
    const [fault, ...more] = sizeFaults(tooLarge);
    expect(fault).toMatch(words);
    expect(fault).toMatch(/docs\/deploy\.md, "Many integrations"/);
    expect(more).toEqual([]);
  });
});
