const { readIntegrationFiles } = require('./integration-files.cjs');
const { widgetMetric } = require('./own-metrics.cjs');

const functions = ['fetch', 'load', 'replay', 'reconcile'];
const queues = ['records', 'runs', 'dead-letters'];
const tables = ['idcheck', 'runs', 'connections'];

const PERIOD_SEC = 300;
const WIDTH = 24;
const HEIGHT = 6;

/**
 * One dashboard of the stack, by stage of the journey: for each integration the funnel, how deliveries ended and what
 * they waited for; then queues, functions, tables and the state of the books. Metrics of our own come from the table
 * that the code emits by; AWS's from the names that serverless.yml gives to queues, tables and functions.
 */
module.exports = async ({ resolveVariable }) => {
  const prefix = await resolveVariable('self:custom.prefix');
  const integrations = readIntegrationFiles().map(({ name }) => name);
  const rows = [
    ...integrations.flatMap((integration) => [text(integration), integrationRow(prefix, integration)]),
    text('Queues, functions, tables'),
    queueRow(prefix),
    functionRow(prefix),
    tableRow(prefix),
    text('Books and requests'),
    booksRow(prefix, integrations),
  ];
  return {
    Resources: {
      Dashboard: {
        Type: 'AWS::CloudWatch::Dashboard',
        Properties: {
          DashboardName: prefix,
          // Placeholders are CloudFormation's: the region is the one that the stack is in.
          DashboardBody: { 'Fn::Sub': JSON.stringify({ widgets: placed(rows) }) },
        },
      },
    },
  };
};

function integrationRow(service, integration) {
  const own = (name, label) => widgetMetric(name, { service, integration }, { label });
  return [
    graph('Funnel', [
      own('RecordsFetched', 'fetched'),
      own('RecordsFiltered', 'filtered'),
      own('RecordsInvalid', 'invalid'),
      own('RecordsMerged', 'merged'),
      own('RecordsUnchanged', 'unchanged'),
      own('RecordsSkipped', 'skipped'),
      own('RecordsEnqueued', 'enqueued'),
      own('RecordsVanished', 'vanished'),
    ]),
    graph('Outcomes', [
      own('RecordsLoaded', 'loaded'),
      own('RecordsAcknowledged', 'known already'),
      own('RecordsRejected', 'rejected'),
      own('RecordsUncertain', 'uncertain'),
      own('RecordsExhausted', 'exhausted'),
      own('RecordsRetried', 'tried again'),
      own('RecordsReplayed', 'replayed'),
    ]),
    graph('Waits and requests', [
      own('LimiterWaits', 'waits for the rate limit'),
      own('RecordsPutOff', 'all put off'),
      own('SourceRequests', 'requests to the source'),
      own('TargetRequests', 'requests to the target'),
    ]),
  ];
}

function queueRow(prefix) {
  const metric = (queue, name, stat) => ['AWS/SQS', name, 'QueueName', `${prefix}-${queue}`, { stat, label: queue }];
  return [
    graph(
      'Messages waiting',
      queues.map((queue) => metric(queue, 'ApproximateNumberOfMessagesVisible', 'Maximum')),
    ),
    graph(
      'Messages put off',
      queues.map((queue) => metric(queue, 'ApproximateNumberOfMessagesDelayed', 'Maximum')),
    ),
    graph(
      'Age of the oldest message (s)',
      queues.map((queue) => metric(queue, 'ApproximateAgeOfOldestMessage', 'Maximum')),
    ),
  ];
}

function functionRow(prefix) {
  const metric = (name, stat) => (fn) => ['AWS/Lambda', name, 'FunctionName', `${prefix}-${fn}`, { stat, label: fn }];
  return [
    graph('Longest invocation (ms)', functions.map(metric('Duration', 'Maximum'))),
    graph('Errors', functions.map(metric('Errors', 'Sum'))),
    graph('Concurrent executions', functions.map(metric('ConcurrentExecutions', 'Maximum'))),
  ];
}

function tableRow(prefix) {
  const metric = (name) => (table) => [
    'AWS/DynamoDB',
    name,
    'TableName',
    `${prefix}-${table}`,
    { stat: 'Sum', label: table },
  ];
  return [
    graph('Write units', tables.map(metric('ConsumedWriteCapacityUnits'))),
    graph('Read units', tables.map(metric('ConsumedReadCapacityUnits'))),
  ];
}

function booksRow(service, integrations) {
  const own = (name, stat) => (integration) =>
    widgetMetric(name, { service, integration }, { stat, label: integration });
  return [
    graph('Runs not balanced', integrations.map(own('RunsNotBalanced', 'Maximum'))),
    graph('Age of the newest run (s)', integrations.map(own('NewestRunAge', 'Maximum'))),
    graph('Runs overdue or missing', [
      ...integrations.map(own('RunOverdue', 'Maximum')),
      ...integrations.map(own('RunMissing', 'Maximum')),
    ]),
    graph('Runs', [
      ...integrations.map(own('RunsStarted', 'Sum')),
      ...integrations.map(own('RunsIncomplete', 'Sum')),
      widgetMetric('MessagesUnreadable', { service }, { label: 'unreadable messages' }),
      widgetMetric('NotificationsFailed', { service }, { label: 'failed notifications' }),
    ]),
  ];
}

function graph(title, metrics) {
  return {
    type: 'metric',
    properties: {
      title,
      metrics,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's placeholder, filled in by Fn::Sub.
      region: '${AWS::Region}',
      stat: 'Sum',
      period: PERIOD_SEC,
      view: 'timeSeries',
    },
  };
}

function text(markdown) {
  return [{ type: 'text', properties: { markdown: `## ${markdown}` } }];
}

/** Widgets side by side in each row, rows under each other, on CloudWatch's grid of 24 columns. */
function placed(rows) {
  let y = 0;
  return rows.flatMap((row) => {
    const height = row[0].type === 'text' ? 1 : HEIGHT;
    const width = Math.floor(WIDTH / row.length);
    const widgets = row.map((widget, index) => ({ x: index * width, y, width, height, ...widget }));
    y += height;
    return widgets;
  });
}
