/**
 * What CloudFormation, CloudWatch and IAM take of one stack, with their own words for it (user guides, "Quotas"; CloudWatch,
 * "Dashboard body structure"; IAM, "IAM and AWS STS quotas": white space does not count).
 */
const limits = {
  resources: { most: 500, of: 'resources in the template' },
  templateBytes: { most: 1_000_000, of: 'bytes of the template' },
  widgets: { most: 500, of: 'widgets on the dashboard' },
  widgetMetrics: { most: 500, of: 'metrics in one widget of the dashboard' },
  dashboardMetrics: { most: 2_500, of: 'metrics on the dashboard' },
  dashboardBytes: { most: 1_000_000, of: "bytes of the dashboard's body" },
  alarmMetrics: { most: 10, of: 'metrics in the expression of an alarm' },
  policyCharacters: { most: 10_240, of: "characters of a role's own policies" },
  managedCharacters: { most: 6_144, of: 'characters of a managed policy' },
  managedPolicies: { most: 10, of: 'managed policies of a role' },
};

const wayOut = 'deploy some of the integrations as a stack of their own (docs/deploy.md, "Many integrations")';

/** What of a template is larger than AWS takes, in words with the limit, the count and a way out; none: it fits. Pure. */
const sizeFaults = (template) =>
  Object.entries(countsOf(template)).flatMap(([name, counted]) =>
    counted
      .filter(({ count }) => count > limits[name].most)
      .map(({ id, count }) => {
        const place = id === undefined ? '' : `${id}: `;
        return `${place}${count} ${limits[name].of}, ${limits[name].most} at most: ${wayOut}`;
      }),
  );

function countsOf(template) {
  const resources = Object.entries(template.Resources).map(([id, { Type, Properties }]) => ({
    id,
    Type,
    ...Properties,
  }));
  const ofType = (type) => resources.filter(({ Type }) => Type === type);
  const roles = ofType('AWS::IAM::Role');
  const managed = ofType('AWS::IAM::ManagedPolicy');
  const dashboards = ofType('AWS::CloudWatch::Dashboard').map(({ id, DashboardBody }) => {
    const body = DashboardBody['Fn::Sub'] ?? DashboardBody;
    const { widgets } = JSON.parse(body);
    return { id, body, widgets, metrics: widgets.map(({ properties }) => properties.metrics?.length ?? 0) };
  });
  return {
    resources: [{ count: resources.length }],
    templateBytes: [{ count: Buffer.byteLength(JSON.stringify(template)) }],
    widgets: dashboards.map(({ id, widgets }) => ({ id, count: widgets.length })),
    widgetMetrics: dashboards.map(({ id, metrics }) => ({ id, count: Math.max(0, ...metrics) })),
    dashboardMetrics: dashboards.map(({ id, metrics }) => ({ id, count: metrics.reduce((sum, n) => sum + n, 0) })),
    dashboardBytes: dashboards.map(({ id, body }) => ({ id, count: Buffer.byteLength(body) })),
    alarmMetrics: ofType('AWS::CloudWatch::Alarm').map(({ id, Metrics = [] }) => ({
      id,
      count: Metrics.filter(({ MetricStat }) => MetricStat !== undefined).length,
    })),
    policyCharacters: roles.map(({ id, Policies = [] }) => ({
      id,
      count: [...Policies, ...ofType('AWS::IAM::RolePolicy').filter(({ RoleName }) => RoleName.Ref === id)]
        .map(({ PolicyDocument }) => resolvedLength(PolicyDocument))
        .reduce((sum, length) => sum + length, 0),
    })),
    managedCharacters: managed.map(({ id, PolicyDocument }) => ({ id, count: resolvedLength(PolicyDocument) })),
    managedPolicies: roles.map(({ id }) => ({
      id,
      count: managed.filter(({ Roles }) => Roles.some(({ Ref }) => Ref === id)).length,
    })),
  };
}

/** About as long as a policy is once CloudFormation has put partition, region and account into it. */
function resolvedLength(document) {
  const lengthOf = { Partition: 'aws', Region: 'ap-southeast-1', AccountId: '123456789012' };
  return JSON.stringify(document)
    .replaceAll(/\{"Fn::Sub":("[^"]*")\}/g, '$1')
    .replaceAll(/\$\{AWS::(Partition|Region|AccountId)\}/g, (_all, name) => lengthOf[name]).length;
}

/** Fails the packaging of a stack that AWS would refuse, before anything is written. */
module.exports = class CheckSizes {
  static sizeFaults = sizeFaults;

  constructor(serverless) {
    this.hooks = {
      'after:aws:package:finalize:mergeCustomProviderResources': () => {
        const faults = sizeFaults(serverless.service.provider.compiledCloudFormationTemplate);
        if (faults.length === 0) return;
        throw new serverless.classes.Error(`The stack is larger than AWS takes.\n${faults.join('\n')}`);
      },
    };
  }
};
