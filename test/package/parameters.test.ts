import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { addresses, copyService, removeServiceCopy, runPackager } from './packaging.ts';
import { readTemplate, resource, resourcesOf, type Template } from './template.ts';

const plain = await readTemplate(inject('packagedDir'));
const CRM = 'okki-product-groups-to-crm';

describe('a stage with parameters of its own', () => {
  let dir: string;
  let packaged: Template;

  beforeAll(async () => {
    dir = await copyService();
    const file = path.join(dir, 'integrations', `${CRM}.json`);
    const content = JSON.parse(await readFile(file, 'utf8')) as { target: { connection: { auth?: object } } };
    const { auth: _, ...connection } = content.target.connection;
    const target = { ...content.target, profile: 'profiles/ours.json', connection };
    const profile = {
      name: 'ours',
      title: 'Ours',
      target: { auth: { kind: 'bearer', token: { ssm: '/of-the-profile/token' } } },
    };
    await mkdir(path.join(dir, 'integrations', 'profiles'));
    await writeFile(path.join(dir, 'integrations', 'profiles', 'ours.json'), JSON.stringify(profile));
    await writeFile(file, JSON.stringify({ ...content, target }));
    const params = [
      ...addresses,
      'runtime=nodejs22.x',
      'architecture=x86_64',
      'maximumMessageBytes=262144',
      'vpcSubnetIds=subnet-0a1b,subnet-0c2d',
      'vpcSecurityGroupIds=sg-0e3f',
    ];
    packaged = await readTemplate((await runPackager(dir, 'prod', params)).outDir);
  });
  afterAll(() => removeServiceCopy(dir));

  test('has its runtime and its architecture in every function', () => {
    const functions = resourcesOf(packaged, 'AWS::Lambda::Function').map(({ properties }) => properties);
    expect(functions.map(({ Runtime, Architectures }) => [Runtime, ...Architectures])).toEqual(
      functions.map(() => ['nodejs22.x', 'x86_64']),
    );
  });

  test('has its size of a message in every queue', () => {
    const sizes = resourcesOf(packaged, 'AWS::SQS::Queue').map(({ properties }) => properties.MaximumMessageSize);
    expect(sizes.map(Number)).toEqual([262144, 262144, 262144]);
  });

  test('has every function in its subnets, once the role may reach them', () => {
    for (const { id, properties, DependsOn } of resourcesOf(packaged, 'AWS::Lambda::Function')) {
      expect(properties.VpcConfig).toEqual({
        SubnetIds: ['subnet-0a1b', 'subnet-0c2d'],
        SecurityGroupIds: ['sg-0e3f'],
      });
      const policyId = id.replace('LambdaFunction', 'VpcPolicy');
      expect(DependsOn).toContain(policyId);
      const { RoleName, PolicyDocument } = resource(packaged, 'AWS::IAM::RolePolicy', policyId);
      expect(RoleName.Ref).toBe(properties.Role['Fn::GetAtt'][0]);
      expect(PolicyDocument.Statement.flatMap(({ Action }) => Action)).toContain('ec2:CreateNetworkInterface');
    }
  });

  test('lets load read the secret that the profile of its target refers to', () => {
    expect(resource(packaged, 'AWS::IAM::RolePolicy', 'LoadSecretsPolicy')).toMatchObject({
      RoleName: { Ref: 'LoadRole' },
      PolicyDocument: {
        Statement: [
          {
            Action: 'ssm:GetParameter',
            Resource: [{ 'Fn::Sub': expect.stringMatching(/:parameter\/of-the-profile\/token$/) }],
          },
        ],
      },
    });
  });
});

test('without parameters no function is in a VPC, and no role may touch a network', () => {
  expect(JSON.stringify(plain)).not.toMatch(/VpcConfig|ec2:/);
});

type Resolver = { resolveVariable(name: string): Promise<unknown> };
const vpc = createRequire(import.meta.url)('../../serverless/vpc.cjs') as (resolver: Resolver) => Promise<object>;
const vpcOf = (vpcSubnetIds: unknown, vpcSecurityGroupIds: unknown) => {
  const known: Record<string, unknown> = {
    'param:vpcSubnetIds': vpcSubnetIds,
    'param:vpcSecurityGroupIds': vpcSecurityGroupIds,
    'self:functions': { fetch: { role: 'FetchRole' } },
  };
  return vpc({ resolveVariable: async (name) => known[name] });
};

test('ids may be a list in serverless.yml', async () => {
  expect(await vpcOf(['subnet-0a', ' subnet-0b'], ['sg-0c'])).toMatchObject({
    extensions: {
      FetchLambdaFunction: {
        Properties: { VpcConfig: { SubnetIds: ['subnet-0a', 'subnet-0b'], SecurityGroupIds: ['sg-0c'] } },
      },
    },
  });
});

test.each([
  { subnets: 'subnet-0a', groups: '', said: /vpcSecurityGroupIds: expected at least one id/ },
  { subnets: '', groups: 'sg-0c', said: /vpcSubnetIds: expected at least one id/ },
  { subnets: 'subnet-0a;subnet-0b', groups: 'sg-0c', said: /vpcSubnetIds: expected ids such as subnet-/ },
  { subnets: 'subnet-0a', groups: 'default', said: /vpcSecurityGroupIds: expected ids such as sg-/ },
])('packaging refuses subnets "$subnets" with groups "$groups"', async ({ subnets, groups, said }) => {
  await expect(vpcOf(subnets, groups)).rejects.toThrow(said);
});

test("AWS's own validator finds no fault in the network that docs/fixed-address.md proposes", () => {
  const engine = new RegoEngine();
  try {
    const { diagnostics } = engine.validateStandard(new TemplateFile('serverless/network.yml'));
    const faults = diagnostics.filter(({ severity }) => ['FATAL', 'ERROR'].includes(severity));
    expect(faults.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
  } finally {
    engine.free();
  }
});
