const { readIntegrationFiles } = require('./integration-files.cjs');
const { unsetAddresses } = require('./unset-addresses.cjs');

/**
 * EventBridge Scheduler puts the time for which the invocation was planned in place of this word. It is the same in
 * every delivery of one invocation, and so gives one run (EventBridge Scheduler user guide, "Adding context attributes").
 */
const scheduledTime = '<aws.scheduler.scheduled-time>';

/**
 * A deployment starts all new rates in the same minute. A rate of hours or days names no minute, so Scheduler may begin
 * its runs within this time; the scheduled time, and with it the run, stays the same.
 */
const SPREAD_MINUTES = 10;
const SPREAD_RATE = /^rate\(\d+ (hour|day)s?\)$/;

/**
 * The stack's schedules: one per integration file that has a `schedule` block, and the reconciliation of runs.
 *
 * Resources of their own rather than `schedule` events of the functions: those get numbered logical ids, so that a new
 * file would rename its neighbours' schedules, and they leave out the retry policy.
 *
 * A schedule whose integration has no address yet is disabled in `dev`, with a warning; every other stage is refused.
 */
module.exports = async ({ resolveVariable }) => {
  const resources = {
    ScheduleGroup: {
      Type: 'AWS::Scheduler::ScheduleGroup',
      Properties: { Name: await resolveVariable('self:custom.prefix') },
    },
    ReconcileSchedule: schedule({
      description: 'Balances the books of open runs.',
      expression: 'rate(15 minutes)',
      functionId: 'ReconcileLambdaFunction',
      input: { kind: 'reconcile' },
    }),
    // A connection's line is filled for 15 minutes: two ticks may be missed.
    DispatchSchedule: schedule({
      description: 'Sends what waits in the ledgers of runs, as the limits of their targets have room.',
      expression: 'rate(5 minutes)',
      functionId: 'FetchLambdaFunction',
      input: { kind: 'dispatch' },
    }),
  };
  const stage = await resolveVariable('sls:stage');
  for (const { file, name, content } of readIntegrationFiles()) {
    const block = content.schedule;
    if (block === undefined) continue;
    const fault = scheduleFault(block);
    if (fault !== undefined) throw new Error(`integrations/${file}: schedule${fault}`);
    const id = logicalId(name);
    if (id in resources) throw new Error(`integrations/${file}: its name reads like another file's without hyphens`);
    const unset = await unsetAddresses({ content }, resolveVariable);
    if (unset.length > 0) {
      const why = `integrations/${file}: no address is set on stage ${stage}: ${unset.join(', ')}`;
      const way = 'set it under params in serverless.yml, or disable its schedule (docs/deploy.md)';
      if (stage !== 'dev') throw new Error(`${why}; ${way}`);
      console.warn(`Warning: ${why}. Its schedule is packaged disabled; ${way}`);
    }
    resources[id] = schedule({
      description: `Starts a run of ${name}.`,
      expression: block.expression,
      timezone: block.timezone,
      enabled: (block.enabled ?? true) && unset.length === 0,
      spreads: SPREAD_RATE.test(block.expression),
      functionId: 'FetchLambdaFunction',
      input: { kind: 'schedule', integration: name, scheduledTime },
    });
  }
  return { Resources: resources };
};

function schedule({ description, expression, timezone = 'UTC', enabled = true, spreads = false, functionId, input }) {
  return {
    Type: 'AWS::Scheduler::Schedule',
    Properties: {
      Description: description,
      GroupName: { Ref: 'ScheduleGroup' },
      ScheduleExpression: expression,
      ScheduleExpressionTimezone: timezone,
      State: enabled ? 'ENABLED' : 'DISABLED',
      FlexibleTimeWindow: spreads ? { Mode: 'FLEXIBLE', MaximumWindowInMinutes: SPREAD_MINUTES } : { Mode: 'OFF' },
      Target: {
        Arn: { 'Fn::GetAtt': [functionId, 'Arn'] },
        RoleArn: { 'Fn::GetAtt': ['SchedulerRole', 'Arn'] },
        Input: JSON.stringify(input),
        // The default is 185 tries in 24 hours. Past an hour the next run serves better than a late one.
        RetryPolicy: { MaximumRetryAttempts: 10, MaximumEventAgeInSeconds: 3600 },
      },
    },
  };
}

function scheduleFault(block) {
  if (typeof block !== 'object' || block === null) return ': expected an object';
  if (!/^(rate|cron|at)\(.+\)$/.test(block.expression)) return '.expression: expected rate(…), cron(…) or at(…)';
  if (!['string', 'undefined'].includes(typeof block.timezone)) {
    return '.timezone: expected a name such as Asia/Shanghai';
  }
  if (!['boolean', 'undefined'].includes(typeof block.enabled)) return '.enabled: expected true or false';
  return undefined;
}

/** CloudFormation allows letters and digits only. The id stays when other files come and go. */
function logicalId(name) {
  const pascal = name.replace(/(^|-)([a-z0-9])/g, (_all, _hyphen, letter) => letter.toUpperCase());
  return `Run${pascal}Schedule`;
}
