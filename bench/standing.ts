import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isJsonObject, type JsonObject, parseJson } from '../lib/json/json.ts';
import { longestGapMs } from '../lib/runs/reconciling.ts';
import { copyService, packageService, removeServiceCopy } from '../test/package/packaging.ts';
import { readTemplate, resource, resourcesOf, type Template } from '../test/package/template.ts';
import { SHIPPED_FILE } from './groups.ts';
import { markdownTable } from './markdown.ts';
import { beyondFree, monthDollars, type Standing, type Usage } from './prices.ts';

/**
 * What the parts of a quiet month use: a run that finds nothing changed, and, by their kind, the planned invocations that look
 * at all integrations and find nothing to do.
 */
export type Quiet = { run: Usage; planned: Readonly<Record<string, Usage>>; metricsSent: number };

const MONTH_HOURS = 730;
const HOUR_MS = 3_600_000;
const GIGABYTE = 1e9;
/** A poller asks an empty queue three times a minute (20 s long polling), and each mapping has five at least. */
const POLLS_AN_HOUR = 5 * 3 * 60;
/**
 * Whoever works asks for a table's key once in five minutes at most (DynamoDB developer guide, "DynamoDB encryption at rest");
 * while nothing changes, those that schedules invoke.
 */
const KEY_REQUESTS_AN_HOUR = 12;

/** The packaged template of a service with so many copies of the shipped integration. */
const packagedWith = async (count: number): Promise<Template> => {
  const dir = await copyService();
  try {
    const content = parseJson(readFileSync(SHIPPED_FILE, 'utf8')) as JsonObject;
    for (const file of ['okki-product-groups-to-crm.json', basename(SHIPPED_FILE)]) {
      await rm(join(dir, 'integrations', file));
    }
    for (let n = 1; n <= count; n++) {
      const name = `${basename(SHIPPED_FILE, '.json')}-${n}`;
      await writeFile(join(dir, 'integrations', `${name}.json`), JSON.stringify({ ...content, name }));
    }
    return await readTemplate(await packageService(dir, 'prod'));
  } finally {
    await removeServiceCopy(dir);
  }
};

/** Metrics that an alarm is billed for; of a Metrics Insights query what it finds, and one at least to be safe. */
const alarmMetricsOf = (template: Template): number =>
  resourcesOf(template, 'AWS::CloudWatch::Alarm').reduce((sum, { properties: { Metrics } }) => {
    return sum + Math.max(1, (Metrics ?? []).filter(({ MetricStat }) => MetricStat !== undefined).length);
  }, 0);

/** How often a month each schedule invokes its function, by what the function is told. */
const invocationsOf = (template: Template): { kind: string; functionId: string; aMonth: number }[] =>
  resourcesOf(template, 'AWS::Scheduler::Schedule').map(({ properties: { ScheduleExpression, Target } }) => {
    const input = parseJson(Target.Input);
    return {
      kind: isJsonObject(input) ? String(input.kind) : '',
      functionId: Target.Arn['Fn::GetAtt'][0],
      aMonth: (MONTH_HOURS * HOUR_MS) / longestGapMs(ScheduleExpression),
    };
  });

const times = (usage: Usage, count: number): Usage => {
  const multiplied = Object.entries(usage).map(([name, used]) => [name, used * count]);
  return Object.fromEntries(multiplied) as Usage;
};

const sum = (one: Usage, other: Usage): Usage => {
  const added = Object.entries(one).map(([name, used]) => [name, used + other[name as keyof Usage]]);
  return Object.fromEntries(added) as Usage;
};

/** A month in which nothing changes at the source, by the packaged template and what quiet invocations were seen to use. */
const monthOf = (template: Template, integrations: number, quiet: Quiet): Usage & Standing => {
  const planned = invocationsOf(template);
  const used = planned
    .map(({ kind, aMonth }) => {
      if (kind === 'schedule') return times(quiet.run, aMonth);
      const each = quiet.planned[kind];
      if (each === undefined) throw new Error(`nobody has measured the schedule of ${kind}`);
      // Each works through all integrations.
      return times(each, aMonth * integrations);
    })
    .reduce(sum);
  const invocations = planned.reduce((total, { aMonth }) => total + aMonth, 0);
  const mappings = resourcesOf(template, 'AWS::Lambda::EventSourceMapping').length;
  const tables = resourcesOf(template, 'AWS::DynamoDB::Table').length;
  const working = new Set(planned.map(({ functionId }) => functionId)).size;
  const { RUN_RETENTION_DAYS } = resource(template, 'AWS::Lambda::Function', 'FetchLambdaFunction').Environment
    .Variables;
  const logDays = resourcesOf(template, 'AWS::Logs::LogGroup')[0]?.properties.RetentionInDays ?? 0;
  return {
    ...used,
    invocations,
    schedules: invocations,
    sqsRequests: used.sqsRequests + mappings * POLLS_AN_HOUR * MONTH_HOURS,
    metrics: quiet.metricsSent * integrations,
    alarmMetrics: alarmMetricsOf(template),
    dashboards: resourcesOf(template, 'AWS::CloudWatch::Dashboard').length,
    logGigabytes: (used.logBytes / GIGABYTE) * (logDays / 30),
    // A write unit is a kilobyte at most; what runs write is kept for so long.
    tableGigabytes: ((used.writeUnits * 1024) / GIGABYTE) * (Number(RUN_RETENTION_DAYS) / 30),
    keyRequests: tables * working * KEY_REQUESTS_AN_HOUR * MONTH_HOURS,
  };
};

const parts: readonly { label: string; of: (keyof (Usage & Standing))[] }[] = [
  { label: 'own metrics', of: ['metrics'] },
  { label: 'alarms', of: ['alarmMetrics'] },
  { label: 'dashboard', of: ['dashboards'] },
  { label: 'empty polls', of: ['sqsRequests'] },
  { label: 'schedules and functions', of: ['schedules', 'invocations', 'gbSeconds'] },
  { label: 'logs', of: ['logBytes', 'logGigabytes'] },
  { label: 'tables', of: ['readUnits', 'writeUnits', 'tableGigabytes'] },
  { label: "the tables' key", of: ['keyRequests'] },
];

/** What a stack costs a month while nothing changes, with so many integrations, as Markdown. */
export const standingTable = async (quiet: Quiet): Promise<string> => {
  const rows: string[][] = [];
  for (const integrations of [2, 100]) {
    const month = monthOf(await packagedWith(integrations), integrations, quiet);
    const of = (used: Partial<Usage & Standing>, names: (keyof (Usage & Standing))[]): string =>
      monthDollars(Object.fromEntries(names.map((name) => [name, used[name]]))).toFixed(2);
    for (const [title, used] of [
      ['list prices', month],
      ['beyond what an account has free', beyondFree(month)],
    ] as const) {
      const all = `**${monthDollars(used).toFixed(2)}**`;
      rows.push([`${integrations} integrations, ${title}`, ...parts.map((part) => of(used, part.of)), all]);
    }
  }
  return markdownTable(['$ a month', ...parts.map(({ label }) => label), 'all'], rows);
};
