/** The parameters of a stage that may point at a secret of the notification's robot. */
const params = ['notifyWebhookUrl', 'notifySecret'];

/** The functions that end runs or find a target down, and so tell of it. */
const roles = ['Fetch', 'Load', 'Reconcile'];

/** Leave for these to read the robot's secrets, where the stage has a robot. Off by default: then there is none. */
module.exports = async ({ resolveVariable }) => {
  const values = await Promise.all(params.map((name) => resolveVariable(`param:${name}`)));
  const resources = values
    .filter((value) => typeof value === 'string' && value.startsWith('ssm:'))
    .map((value) => value.slice('ssm:'.length).replace(/^\//, ''))
    .map((path) => ({ 'Fn::Sub': `arn:\${AWS::Partition}:ssm:\${AWS::Region}:\${AWS::AccountId}:parameter/${path}` }));
  if (resources.length === 0) return { Resources: {} };
  const policy = (role) => ({
    Type: 'AWS::IAM::RolePolicy',
    Properties: {
      PolicyName: 'notify-secrets',
      RoleName: { Ref: `${role}Role` },
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Sid: 'ReadNotifySecrets', Effect: 'Allow', Action: 'ssm:GetParameter', Resource: resources }],
      },
    },
  });
  return { Resources: Object.fromEntries(roles.map((role) => [`${role}NotifySecretsPolicy`, policy(role)])) };
};
