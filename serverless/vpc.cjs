const { addedPolicy } = require('./policies.cjs');

/**
 * What Lambda does with a function's role to reach a VPC (Lambda developer guide, "Giving Lambda functions access to
 * resources in an Amazon VPC", "Required IAM permissions"). None of these can be bound to one interface beforehand.
 */
const networkActions = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * The functions in the subnets of `vpcSubnetIds`, where the stage has any: behind a NAT gateway they have one fixed
 * address outwards (docs/fixed-address.md). Without the parameters nothing is in a VPC, and no role has these actions.
 */
module.exports = async ({ resolveVariable }) => {
  const subnetIds = listOf(await resolveVariable('param:vpcSubnetIds'));
  const securityGroupIds = listOf(await resolveVariable('param:vpcSecurityGroupIds'));
  if (subnetIds.length === 0 && securityGroupIds.length === 0) return { Resources: {} };
  checkIds('vpcSubnetIds', subnetIds, 'subnet-');
  checkIds('vpcSecurityGroupIds', securityGroupIds, 'sg-');
  const functions = Object.entries(await resolveVariable('self:functions'));
  const statements = [{ Sid: 'ReachTheVpc', Effect: 'Allow', Action: networkActions, Resource: '*' }];
  const policyId = (role) => role.replace(/Role$/, 'VpcPolicy');
  return {
    Resources: Object.fromEntries(
      functions.map(([, { role }]) => [policyId(role), addedPolicy(role, 'vpc', statements)]),
    ),
    // A function that is to be in a VPC is refused as long as its role lacks these actions.
    extensions: Object.fromEntries(
      functions.map(([name, { role }]) => [
        `${name[0].toUpperCase()}${name.slice(1)}LambdaFunction`,
        {
          DependsOn: [policyId(role)],
          Properties: { VpcConfig: { SubnetIds: subnetIds, SecurityGroupIds: securityGroupIds } },
        },
      ]),
    ),
  };
};

/** A list of the stage's parameters: written as one in serverless.yml, or as text with commas on the command line. */
function listOf(value) {
  const parts = Array.isArray(value) ? value : String(value).split(',');
  return parts.map((part) => String(part).trim()).filter((part) => part !== '');
}

function checkIds(param, ids, prefix) {
  if (ids.length === 0) {
    throw new Error(`${param}: expected at least one id; vpcSubnetIds and vpcSecurityGroupIds go together`);
  }
  const wrong = ids.filter((id) => !id.startsWith(prefix) || !/^[a-z]+-[0-9a-f]+$/.test(id));
  if (wrong.length > 0) throw new Error(`${param}: expected ids such as ${prefix}0a1b2c3d; found ${wrong.join(', ')}`);
}
