const { readIntegrationFiles } = require('./integration-files.cjs');

/** Which function reads the secrets of which side of an integration. */
const readers = [
  { side: 'source', id: 'FetchSecretsPolicy', role: 'FetchRole' },
  { side: 'target', id: 'LoadSecretsPolicy', role: 'LoadRole' },
];

/**
 * Permission to read the secrets that integration files name themselves (`{"ssm": …}`, `{"secretsManager": …}`): each of
 * them, and for the one function that uses it. Those that come by way of the environment are in roles.yml.
 */
module.exports = () => {
  const integrations = readIntegrationFiles();
  const resources = {};
  for (const { side, id, role } of readers) {
    const refs = integrations.flatMap(({ content }) => [
      ...secretRefs(content[side]?.connection),
      ...(side === 'source' ? secretRefs(namesOf(content.target?.connection)) : []),
    ]);
    const parameters = [...new Set(refs.flatMap(({ ssm }) => ssm ?? []))].sort().map(parameterArn);
    const secrets = [...new Set(refs.flatMap(({ secretsManager }) => secretsManager ?? []))].sort().map(secretArn);
    const statements = [
      { Sid: 'ReadParameters', Effect: 'Allow', Action: 'ssm:GetParameter', Resource: parameters },
      { Sid: 'ReadSecrets', Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: secrets },
    ].filter(({ Resource }) => Resource.length > 0);
    if (statements.length === 0) continue;
    resources[id] = {
      Type: 'AWS::IAM::RolePolicy',
      Properties: {
        PolicyName: 'integration-secrets',
        RoleName: { Ref: role },
        PolicyDocument: { Version: '2012-10-17', Statement: statements },
      },
    };
  }
  return { Resources: resources };
};

/** What names the system behind a connection: fetch must know whose state it compares with (lib/connection/address.ts). */
function namesOf({ baseUrl, account, auth } = {}) {
  return [baseUrl, account ?? auth?.clientId];
}

/** The references to secrets anywhere inside a connection, whatever its scheme. */
function secretRefs(value) {
  if (typeof value !== 'object' || value === null) return [];
  if (typeof value.ssm === 'string' || typeof value.secretsManager === 'string') return [value];
  return Object.values(value).flatMap(secretRefs);
}

function parameterArn(name) {
  const path = name.replace(/^\//, '');
  return { 'Fn::Sub': `arn:\${AWS::Partition}:ssm:\${AWS::Region}:\${AWS::AccountId}:parameter/${path}` };
}

/** Secrets Manager adds a hyphen and six characters to a secret's name in its ARN (user guide, "IAM policy examples"). */
function secretArn(nameOrArn) {
  if (nameOrArn.startsWith('arn:')) return nameOrArn;
  return {
    'Fn::Sub': `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${nameOrArn}-??????`,
  };
}
