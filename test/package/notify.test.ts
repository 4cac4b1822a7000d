import { createRequire } from 'node:module';
import { expect, test } from 'vitest';

type Resolver = { resolveVariable(name: string): Promise<string> };
type Policy = { Properties: { RoleName: unknown; PolicyDocument: { Statement: unknown[] } } };
const notify = createRequire(import.meta.url)('../../serverless/notify.cjs') as (
  resolver: Resolver,
) => Promise<{ Resources: Record<string, Policy> }>;

const onStage = (params: Record<string, string>) =>
  notify({ resolveVariable: async (name) => params[name.slice('param:'.length)] ?? '' });

test('without a robot there is nothing to read', async () => {
  expect(await onStage({})).toEqual({ Resources: {} });
});

test('with a robot fetch, load and reconcile, and no other function, may read its address and its secret', async () => {
  const { Resources } = await onStage({
    notifyWebhookUrl: 'ssm:/okki-sync/prod/notify-webhook-url',
    notifySecret: 'ssm:/okki-sync/prod/notify-secret',
  });
  const arn = (name: string) => ({
    'Fn::Sub': `arn:\${AWS::Partition}:ssm:\${AWS::Region}:\${AWS::AccountId}:parameter/okki-sync/prod/${name}`,
  });
  expect(Object.values(Resources)).toMatchObject(
    ['FetchRole', 'LoadRole', 'ReconcileRole'].map((role) => ({
      Properties: {
        RoleName: { Ref: role },
        PolicyDocument: {
          Statement: [{ Action: 'ssm:GetParameter', Resource: [arn('notify-secret'), arn('notify-webhook-url')] }],
        },
      },
    })),
  );
});

test('either may lie in Secrets Manager, as a key of it', async () => {
  const { Resources } = await onStage({
    notifyWebhookUrl: 'secretsmanager:okki-sync/robot#url',
    notifySecret: 'ssm:/okki-sync/prod/notify-secret',
  });
  expect(Resources.FetchNotifySecretsPolicy?.Properties.PolicyDocument.Statement).toMatchObject([
    { Action: 'ssm:GetParameter', Resource: [expect.anything()] },
    {
      Action: 'secretsmanager:GetSecretValue',
      Resource: [{ 'Fn::Sub': expect.stringMatching(/:secret:okki-sync\/robot-\?{6}$/) }],
    },
  ]);
});
