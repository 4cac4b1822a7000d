const { sums } = require('./own-metrics.cjs');

const queues = ['records', 'runs', 'dead-letters'];
const tables = ['idcheck', 'runs', 'connections'];

const PERIOD_SEC = 300;
const WIDTH = 24;
const HEIGHT = 6;

/**
 * One dashboard of the stack, of one size whatever the number of integrations: their records by stage of the journey, read
 * from the functions' lines `counted`, and their books; then queues, functions and tables by the metrics that AWS keeps
 * free of charge. With fewer than 50 metrics it is one of the three free ones of an account; a stage with `dashboard: false` has
 * none.
 */
module.exports = async ({ resolveVariable }) => {
  if (String(await resolveVariable('param:dashboard')) === 'false') return { Resources: {} };
  const prefix = await resolveVariable('self:custom.prefix');
  const functions = Object.keys(await resolveVariable('self:functions'));
  const rows = [
    text('Records of each integration'),
    ...countedRows(functions.map((name) => `/aws/lambda/${prefix}-${name}`)),
    text('Queues: what waits for its turn is put off; what is due and stays is taken by nobody'),
    queueRow(prefix),
    text('Functions and tables'),
    functionRow(prefix, functions),
    tableRow(prefix),
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

function countedRows(logGroups) {
  const counted = (title, view, by, ...names) =>
    query(title, view, logGroups, 'filter message = "counted"', `stats ${sums(...names)} by ${by}`);
  const read = ['RecordsFetched', 'RecordsFiltered', 'RecordsInvalid', 'RecordsMerged'];
  const compared = ['RecordsUnchanged', 'RecordsSkipped', 'RecordsWaiting', 'RecordsEnqueued', 'RecordsVanished'];
  const ended = ['RecordsLoaded', 'RecordsAcknowledged', 'RecordsRejected', 'RecordsUncertain', 'RecordsExhausted'];
  const waited = ['RecordsRetried', 'RecordsPutOff', 'LimiterWaits', 'RecordsReplayed'];
  const asked = ['SourceRequests', 'TargetRequests', 'RunsStarted', 'RunsIncomplete'];
  const books = ['notBalanced', 'overdue', 'missing', 'newestRunAgeSec'];
  return [
    [
      counted('Read and compared', 'table', 'integration', ...read, ...compared),
      counted('Loaded', 'table', 'integration', ...ended),
    ],
    [
      counted('Waits', 'table', 'integration', ...waited),
      counted('Runs and requests', 'table', 'integration', ...asked),
      query(
        'Books, as reconciled last',
        'table',
        logGroups,
        'filter message = "integration-reconciled"',
        `stats ${books.map((name) => `latest(${name}) as ${name}_now`).join(', ')} by integration`,
      ),
    ],
    [
      counted('Read and compared, of all', 'timeSeries', `bin(${PERIOD_SEC}s)`, ...compared),
      counted('Loaded, of all', 'timeSeries', `bin(${PERIOD_SEC}s)`, ...ended),
      counted('Waits, of all', 'timeSeries', `bin(${PERIOD_SEC}s)`, ...waited),
    ],
  ];
}

function queueRow(prefix) {
  const metric = (queue, name, stat) => ['AWS/SQS', name, 'QueueName', `${prefix}-${queue}`, { stat, label: queue }];
  return [
    graph(
      'Due, and not taken yet',
      queues.map((queue) => metric(queue, 'ApproximateNumberOfMessagesVisible', 'Maximum')),
    ),
    graph(
      'Wait for their turn',
      queues.map((queue) => metric(queue, 'ApproximateNumberOfMessagesDelayed', 'Maximum')),
    ),
    graph(
      'Age of the oldest message (s)',
      queues.map((queue) => metric(queue, 'ApproximateAgeOfOldestMessage', 'Maximum')),
    ),
  ];
}

function functionRow(prefix, functions) {
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

// biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's placeholder, filled in by Fn::Sub.
const region = '${AWS::Region}';

/** What CloudWatch Logs Insights finds in the functions' logs, each time when somebody looks. */
function query(title, view, logGroups, ...steps) {
  const sources = logGroups.map((name) => `SOURCE '${name}'`);
  return { type: 'log', properties: { title, query: [...sources, ...steps].join(' | '), region, view } };
}

function graph(title, metrics) {
  return {
    type: 'metric',
    properties: { title, metrics, region, stat: 'Sum', period: PERIOD_SEC, view: 'timeSeries' },
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
