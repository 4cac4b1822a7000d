import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { addresses, copyService, packageService, removeServiceCopy, runPackager } from './packaging.ts';
import { readTemplate, resource, resourcesOf, type Template } from './template.ts';

const template = await readTemplate(inject('packagedDir'));
const schedulesOf = (of: Template) => resourcesOf(of, 'AWS::Scheduler::Schedule');
const names = (await readdir('integrations'))
  .filter((file) => file.endsWith('.json'))
  .map((file) => path.basename(file, '.json'));

describe('schedules', () => {
  test('there is one per integration file, one for reconcile and one for what waits in ledgers', () => {
    const inputs = schedulesOf(template).map(({ properties }) => JSON.parse(properties.Target.Input) as unknown);
    expect(inputs).toHaveLength(names.length + 2);
    expect(inputs).toContainEqual({ kind: 'dispatch' });
    expect(inputs).toContainEqual({ kind: 'reconcile' });
    for (const integration of names) {
      // EventBridge Scheduler user guide, "Adding context attributes": the text must reach AWS as it is.
      expect(inputs).toContainEqual({ kind: 'schedule', integration, scheduledTime: '<aws.scheduler.scheduled-time>' });
    }
  });

  test.each(names)('%s has the times of its file; without an address it is disabled in dev', async (name) => {
    const file = JSON.parse(await readFile(path.join('integrations', `${name}.json`), 'utf8')) as {
      schedule: { expression: string; timezone: string; enabled: boolean };
    };
    const [found] = schedulesOf(template).filter(({ properties }) => properties.Target.Input.includes(`"${name}"`));
    expect(found?.properties).toMatchObject({
      ScheduleExpression: file.schedule.expression,
      ScheduleExpressionTimezone: file.schedule.timezone,
      State: 'DISABLED',
    });
  });

  test('a rate of hours begins within ten minutes, so that not all begin at once; the ticks and a stated time do not wait', () => {
    const windows = schedulesOf(template).map(({ id, properties }) => [id, properties.FlexibleTimeWindow.Mode]);
    expect(Object.fromEntries(windows)).toEqual({
      ReconcileSchedule: 'OFF',
      DispatchSchedule: 'OFF',
      RunOkkiProductGroupsToQingyiyunSchedule: 'FLEXIBLE',
      RunOkkiProductGroupsToCrmSchedule: 'FLEXIBLE',
    });
  });

  test('nobody is told of a run that is missing where no schedule starts one', () => {
    const { Metrics, ActionsEnabled } = resource(template, 'AWS::CloudWatch::Alarm', 'RunMissingAlarm');
    for (const name of names) expect(Metrics?.[0]?.Expression).toContain(` AND integration != '${name}'`);
    expect(ActionsEnabled).toBeUndefined();
  });

  test.each(schedulesOf(template))('$id is in the group of the stage, and gives up after an hour', ({ properties }) => {
    expect(properties.GroupName).toEqual({ Ref: 'ScheduleGroup' });
    expect(properties.Target.RoleArn).toEqual({ 'Fn::GetAtt': ['SchedulerRole', 'Arn'] });
    expect(properties.Target.RetryPolicy.MaximumEventAgeInSeconds).toBe(3600);
  });
});

describe('another integration file, on stage prod', () => {
  let dir: string;
  let packaged: Template;

  beforeAll(async () => {
    dir = await copyService();
    const [first] = names;
    const content = JSON.parse(await readFile(path.join('integrations', `${first}.json`), 'utf8')) as {
      source: { connection: { auth: object } };
      target: { connection: { auth: object } };
    };
    content.source.connection.auth = { kind: 'bearer', token: { ssm: '/elsewhere/source-token' } };
    content.target.connection.auth = { kind: 'bearer', token: { secretsManager: 'erp/target', key: 'token' } };
    const added = { ...content, name: 'a-first-one', schedule: { expression: 'cron(0 6 * * ? *)', enabled: false } };
    await writeFile(path.join(dir, 'integrations', 'a-first-one.json'), JSON.stringify(added));
    packaged = await readTemplate(await packageService(dir, 'prod'));
  });
  afterAll(() => removeServiceCopy(dir));

  test('adds its schedule and renames no other', () => {
    const before = schedulesOf(template).map(({ id }) => id);
    const after = schedulesOf(packaged).map(({ id }) => id);
    expect(after.filter((id) => !before.includes(id))).toEqual(['RunAFirstOneSchedule']);
    expect(after).toEqual(expect.arrayContaining(before));
    expect(resource(packaged, 'AWS::Scheduler::Schedule', 'RunAFirstOneSchedule')).toMatchObject({
      ScheduleExpression: 'cron(0 6 * * ? *)',
      ScheduleExpressionTimezone: 'UTC',
      State: 'DISABLED',
      FlexibleTimeWindow: { Mode: 'OFF' },
    });
  });

  test('lets fetch read the parameter that its source names, and load the secret that its target names', () => {
    const statementOf = (id: string) => resource(packaged, 'AWS::IAM::RolePolicy', id);
    const arn = (rest: string) => {
      const [service] = rest.split(':');
      return {
        'Fn::Sub': `arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${rest.slice(`${service}:`.length)}`,
      };
    };
    expect(statementOf('FetchSecretsPolicy')).toMatchObject({
      RoleName: { Ref: 'FetchRole' },
      PolicyDocument: {
        Statement: [{ Action: 'ssm:GetParameter', Resource: [arn('ssm:parameter/elsewhere/source-token')] }],
      },
    });
    expect(statementOf('LoadSecretsPolicy')).toMatchObject({
      RoleName: { Ref: 'LoadRole' },
      PolicyDocument: {
        Statement: [
          // Secrets Manager user guide: six random characters follow the name in the ARN.
          { Action: 'secretsmanager:GetSecretValue', Resource: [arn('secretsmanager:secret:erp/target-??????')] },
        ],
      },
    });
  });

  test('the names, parameters and protection of tables are those of the stage', () => {
    for (const { properties } of resourcesOf(packaged, 'AWS::DynamoDB::Table')) {
      expect(properties).toMatchObject({
        TableName: expect.stringMatching(/^okki-sync-prod-/),
        DeletionProtectionEnabled: true,
      });
    }
    for (const { properties } of resourcesOf(template, 'AWS::DynamoDB::Table')) {
      expect(properties).toMatchObject({ DeletionProtectionEnabled: false });
    }
    const { Variables } = resource(packaged, 'AWS::Lambda::Function', 'FetchLambdaFunction').Environment;
    expect(Variables.OKKI_CLIENT_SECRET).toBe('ssm:/okki-sync/prod/okki-client-secret');
  });
});

describe('an integration without an address', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await copyService();
  });
  afterAll(() => removeServiceCopy(dir));

  const crm = 'okki-product-groups-to-crm';
  const [ofQingyiyun = ''] = addresses;

  test('is no stage but dev: packaging names it and the address', async () => {
    const said = await runPackager(dir, 'prod', [ofQingyiyun]).catch(({ message }: Error) => message);
    expect(said).toMatch(/integrations\/okki-product-groups-to-crm\.json: no address is set on stage prod/);
    expect(said).toMatch(/target \(CRM_BASE_URL\) is https:\/\/crm\.invalid/);
  });

  test('may be packaged for any stage with its schedule disabled', async () => {
    const file = path.join(dir, 'integrations', `${crm}.json`);
    const content = JSON.parse(await readFile(file, 'utf8')) as { schedule: object };
    await writeFile(file, JSON.stringify({ ...content, schedule: { ...content.schedule, enabled: false } }));
    const { outDir, said } = await runPackager(dir, 'prod', [ofQingyiyun]);
    expect(said).not.toContain('no address is set');
    const states = schedulesOf(await readTemplate(outDir)).map(({ id, properties: { State } }) => [id, State]);
    expect(Object.fromEntries(states)).toEqual({
      DispatchSchedule: 'ENABLED',
      ReconcileSchedule: 'ENABLED',
      RunOkkiProductGroupsToCrmSchedule: 'DISABLED',
      RunOkkiProductGroupsToQingyiyunSchedule: 'ENABLED',
    });
  });

  test('is warned about in dev', async () => {
    const { said } = await runPackager(dir, 'dev', [ofQingyiyun]);
    expect(said).toMatch(/Warning: .*okki-product-groups-to-qingyiyun.*source \(OKKI_BASE_URL\).*packaged disabled/);
  });
});

describe('a faulty integration file stops packaging', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await copyService();
  });
  afterAll(() => removeServiceCopy(dir));

  test.each([
    { content: '{', file: 'broken.json', message: /integrations\/broken\.json: .*JSON/ },
    {
      content: '{}',
      file: 'No Hyphens.json',
      message: /integrations\/No Hyphens\.json: expected a name of small letters/,
    },
    {
      content: '{"schedule":{"expression":"hourly"}}',
      file: 'hourly.json',
      message: /integrations\/hourly\.json: schedule\.expression: expected rate/,
    },
  ])('$file, and says why', async ({ content, file, message }) => {
    await writeFile(path.join(dir, 'integrations', file), content);
    try {
      await expect(packageService(dir)).rejects.toThrow(message);
    } finally {
      await rm(path.join(dir, 'integrations', file));
    }
  });

  test('with all that is wrong in it, and where', async () => {
    const [first] = names;
    const content = JSON.parse(await readFile(path.join('integrations', `${first}.json`), 'utf8')) as object;
    const faulty = { ...content, name: 'faulty', title: 5, overlap: 'both' };
    const file = path.join(dir, 'integrations', 'faulty.json');
    await writeFile(file, JSON.stringify(faulty, null, 2));
    try {
      const said = await packageService(dir).catch(({ message }: Error) => message);
      expect(said).toMatch(/integrations\/faulty\.json:\d+:\d+ title: expected .*; found 5/);
      expect(said).toMatch(/integrations\/faulty\.json:\d+:\d+ overlap: expected .*; found "both"/);
    } finally {
      await rm(file);
    }
  });
});
