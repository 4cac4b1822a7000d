import { readFileSync } from 'node:fs';
import type { Integration } from '../lib/integration/schema/schema.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../lib/json/json.ts';
import { parseFault } from '../local/sandbox/sandbox.ts';
import { groupsOfPage, PAGE_RECORDS, SHIPPED_FILE, shippedIntegration } from './groups.ts';
import { DYNAMO_MS, SQS_MS, TARGET_MS } from './latency-servers.ts';
import { grouped, markdownTable } from './markdown.ts';
import { type MeteredStack, startMeteredStack } from './metered-stack.ts';
import { dollars, PRICES_AS_OF, type Usage } from './prices.ts';
import { type Quiet, standingTable } from './standing.ts';

const RECORDS = 2_000;
/** With a limit a record takes as long as its turn: fewer of them. */
const LIMITED_RECORDS = 240;
const HOUR_MS = 3_600_000;
const START_MS = Date.parse('2026-01-05T01:00:00Z');

type Kind = 'loaded' | 'unchanged' | 'overwritten' | 'rejected';

/** So many groups, their names ending in `suffix`. */
const groupsNamed = (suffix: string, total: number): JsonValue[] =>
  Array.from({ length: Math.ceil(total / PAGE_RECORDS) }, (_, page) => groupsOfPage(page, total))
    .flat()
    .map((group) => (isJsonObject(group) ? { ...group, name: `${group.name}${suffix}` } : group));

/** The shipped integration, but with `idCheck: false`, so that it overwrites what has changed. */
const overwriting = (): { integration: Integration; file: JsonObject } => {
  const shipped = shippedIntegration();
  const file = parseJson(readFileSync(SHIPPED_FILE, 'utf8'));
  if (!isJsonObject(file) || !isJsonObject(file.target) || !isJsonObject(file.target.metadata)) {
    throw new Error(`${SHIPPED_FILE} has no target`);
  }
  const { target } = file;
  return {
    integration: {
      ...shipped,
      target: { ...shipped.target, metadata: { ...shipped.target.metadata, idCheck: false } },
    },
    file: { ...file, target: { ...target, metadata: { ...(target.metadata as JsonObject), idCheck: false } } },
  };
};

const refuseAll = parseFault('target-refuse');

/** What is changed at the two ends before the run of each kind, in this order. */
const runs: readonly { kind: Kind; prepare(stack: MeteredStack): void }[] = [
  { kind: 'loaded', prepare: () => {} },
  { kind: 'unchanged', prepare: () => {} },
  { kind: 'overwritten', prepare: ({ sandbox }) => sandbox.setGroups(groupsNamed(' B', RECORDS)) },
  {
    kind: 'rejected',
    prepare: ({ sandbox }) => {
      sandbox.setGroups(groupsNamed(' C', RECORDS));
      sandbox.faults.replace([refuseAll]);
    },
  },
];

const MILLION = 1_000_000;

const rowOf = (kind: Kind, usage: Usage, records: number): string[] => {
  const each = (value: number): string => (value / records).toFixed(3);
  const { writeUnits, readUnits, sqsRequests, invocations, schedules, gbSeconds, logBytes } = usage;
  const perMillion = (part: Partial<Usage>): string => ((dollars(part) / records) * MILLION).toFixed(2);
  return [
    kind,
    each(writeUnits),
    each(readUnits),
    each(sqsRequests),
    each(invocations),
    each(gbSeconds),
    grouped(Math.round(logBytes / records)),
    perMillion({ writeUnits, readUnits }),
    perMillion({ sqsRequests }),
    perMillion({ invocations, gbSeconds, schedules }),
    perMillion({ logBytes }),
    `**${perMillion(usage)}**`,
  ];
};

/**
 * What a million records cost on AWS by how they end, counted in real runs of the deployed functions; with a rate limit
 * (`60/60s`), which makes functions wait, of records that are loaded. Without one also what a stack costs in a month in
 * which nothing changes, with 2 and with 100 integrations.
 */
export const benchPrice = async ([limit = '']: readonly string[]): Promise<void> => {
  const isLimited = limit !== '';
  const total = isLimited ? LIMITED_RECORDS : RECORDS;
  const { integration, file } = overwriting();
  const stack = await startMeteredStack(integration, file, groupsNamed('', total), limit);
  try {
    const rows: string[][] = [];
    let quiet: Quiet | undefined;
    for (const [index, { kind, prepare }] of runs.entries()) {
      if (isLimited && kind !== 'loaded') continue;
      prepare(stack);
      const { record, usage } = await stack.run(START_MS + index * HOUR_MS);
      const { counts } = record;
      const ended = kind === 'overwritten' ? counts.loaded : counts[kind];
      if (ended !== total) throw new Error(`${ended} of ${total} records were ${kind}`);
      rows.push(rowOf(kind, usage, total));
      if (kind === 'unchanged') {
        const planned = {
          reconcile: await stack.planned('reconcile', 'reconcile'),
          dispatch: await stack.planned('fetch', 'dispatch'),
        };
        quiet = { run: usage, planned, metricsSent: stack.metricsSent().size };
      }
    }
    const head = [
      `a record, in runs of ${grouped(total)}`,
      'write units',
      'read units',
      'SQS requests',
      'invocations',
      'GB-s',
      'log bytes',
      'DynamoDB $',
      'SQS $',
      'Lambda $',
      'logs $',
      '$ per million',
    ];
    const latencies = `DynamoDB ${DYNAMO_MS} ms, SQS ${SQS_MS} ms, target ${TARGET_MS} ms`;
    process.stdout.write(
      [
        `Prices: ${PRICES_AS_OF}.`,
        `Injected: ${latencies}; ${isLimited ? `rate limit ${limit}` : 'no rate limit'}.`,
        '',
        markdownTable(head, rows),
        '',
        ...(quiet === undefined ? [] : [await standingTable(quiet), '']),
        '',
      ].join('\n'),
    );
  } finally {
    await stack.close();
  }
};
