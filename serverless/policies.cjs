/**
 * What a role needs to read these secrets, each `{ ssm: name }` or `{ secretsManager: nameOrArn }`: no statement where
 * there are none.
 */
exports.secretStatements = (refs) => {
  const parameters = [...new Set(refs.flatMap(({ ssm }) => ssm ?? []))].sort().map(parameterArn);
  const secrets = [...new Set(refs.flatMap(({ secretsManager }) => secretsManager ?? []))].sort().map(secretArn);
  return [
    { Sid: 'ReadParameters', Effect: 'Allow', Action: 'ssm:GetParameter', Resource: parameters },
    { Sid: 'ReadSecrets', Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: secrets },
  ].filter(({ Resource }) => Resource.length > 0);
};

/** A policy that is added to a role of serverless/roles.yml. */
exports.addedPolicy = (role, name, statements) => ({
  Type: 'AWS::IAM::RolePolicy',
  Properties: {
    PolicyName: name,
    RoleName: { Ref: role },
    PolicyDocument: { Version: '2012-10-17', Statement: statements },
  },
});

/** So many secrets fit into a policy: a managed one has 6,144 characters, those of a role in itself 10,240 in all. */
const SECRETS_A_POLICY = 40;

/**
 * Leave for a role to read secrets (as `secretStatements`), by logical id. The first policy is the role's own; where there
 * are more secrets than fit into it, managed policies hold the others.
 */
exports.secretPolicies = (role, id, name, refs) => {
  const distinct = [...new Map(refs.map((ref) => [JSON.stringify([ref.ssm, ref.secretsManager]), ref])).values()];
  const policies = {};
  for (let from = 0; from < distinct.length; from += SECRETS_A_POLICY) {
    const statements = exports.secretStatements(distinct.slice(from, from + SECRETS_A_POLICY));
    if (from === 0) policies[id] = exports.addedPolicy(role, name, statements);
    else policies[`${id}${from / SECRETS_A_POLICY + 1}`] = managedPolicy(role, statements);
  }
  return policies;
};

function managedPolicy(role, statements) {
  return {
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: { Roles: [{ Ref: role }], PolicyDocument: { Version: '2012-10-17', Statement: statements } },
  };
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
