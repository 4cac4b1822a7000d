import { readFileSync } from 'node:fs';
import { openConnections } from '../lib/aws/lambda/open-connections.ts';
import { fetchingOf } from '../lib/fetch/fetching.ts';
import { type Plan, type Planned, plan } from '../lib/fetch/plan.ts';
import { stringifyJson } from '../lib/json/json.ts';
import { systemClock } from '../lib/runtime/clock.ts';
import { defined } from '../lib/runtime/defined.ts';
import { silentLog } from '../lib/runtime/log.ts';
import { openSource } from '../lib/source/http-source.ts';
import { savedAnswer } from '../lib/source/saved-answer.ts';
import type { Source } from '../lib/source/source.ts';
import { SERVICE_DIR, startEmbedded } from './embedded.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-code.ts';
import { chooseIntegration } from './integration-choice.ts';
import type { RunFlags } from './run-command.ts';
import { readFaults, readGroups } from './sandbox-options.ts';
import { cut, padEnd, padStart, table } from './table.ts';

const PLAN_WITHIN_MS = 15 * 60_000;
const SAMPLE_PER_KIND = 5;

export type PlanFlags = RunFlags & {
  /** A saved answer of the source, instead of asking it. */
  from?: string;
  /** Records of each kind that are shown. */
  limit?: number;
};

const readSaved = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new UsageError(`There is no readable file ${file}.`);
  }
};

/** Says what the next run would do; nothing is sent to the target, no queue and no idCheck item is written. */
export const planCommand = async (flags: PlanFlags): Promise<ExitCode> => {
  const choice = chooseIntegration(flags.integration, SERVICE_DIR);
  const { integration } = choice;
  const saved = flags.from === undefined ? undefined : savedAnswer(readSaved(flags.from), integration);
  const groups = flags.groups === undefined ? undefined : await readGroups(flags.groups);
  const run = { ...choice, ...defined({ groups }), faults: readFaults(flags.fault ?? []) };
  const embedded = await startEmbedded({ dataDir: flags.dataDir, ...(saved === undefined ? { run } : {}) });
  try {
    const { stores, stack, variables } = embedded;
    const source = (): Source =>
      openSource(integration, openConnections(stores.dynamo, { ...stack.env, ...variables }, silentLog));
    const fetching = fetchingOf(integration, saved ?? source());
    const idStore = flags.fresh ? { ...stores.idStore, scan: nothing } : stores.idStore;
    const options = {
      fullRefresh: flags.fullRefresh ?? false,
      samplePerKind: flags.limit ?? SAMPLE_PER_KIND,
      showsUnchanged: flags.limit !== undefined,
    };
    const planned = await plan(
      fetching,
      { idStore, watermarks: stores.runs, clock: systemClock },
      options,
      () => PLAN_WITHIN_MS,
    );
    process.stdout.write(
      flags.json ? `${planJson(integration.name, planned)}\n` : planText(integration.title, planned, choice.warnings),
    );
    return planned.failure === undefined ? exitCodes.ok : exitCodes.runFailed;
  } finally {
    await embedded.close();
  }
};

async function* nothing(): AsyncIterable<never> {}

const planJson = (integration: string, planned: Plan): string =>
  stringifyJson({ integration, ...(planned as unknown as Record<string, never>) });

const labels: ReadonlyArray<readonly [Planned, string, string]> = [
  ['create', 'would be created', '新增'],
  ['overwrite', 'would be overwritten', '覆盖'],
  ['unchanged', 'unchanged', '未变化'],
  ['skip', 'would be skipped', '跳过'],
  ['filter', 'filtered', '清洗删除'],
  ['merge', 'merged', '重复合并'],
  ['reject', 'invalid', '不合格'],
];

/** Records whose mapping is shown in full. */
const SHOWN_IN_FULL = 2;
const MAX_LINE_COLUMNS = 160;

/** What the mapping makes of the first records: as the source has them, and as the target would get them. */
const beforeAndAfter = (sample: Plan['sample']): string[] =>
  sample
    .flatMap(({ id, before, body }) => (before === undefined || body === undefined ? [] : [{ id, before, body }]))
    .slice(0, SHOWN_IN_FULL)
    .flatMap(({ id, before, body }) => [
      `  ${id}`,
      `    before 映射前  ${cut(stringifyJson(before), MAX_LINE_COLUMNS)}`,
      `    after  映射后  ${cut(stringifyJson(body), MAX_LINE_COLUMNS)}`,
      '',
    ]);

const planText = (
  title: string,
  { counts, vanished, sample, requests, warnings, failure }: Plan,
  inFile: readonly string[],
): string => {
  const lines = labels.flatMap(([key, english, chinese]) =>
    counts[key] > 0 ? [`  ${padStart(String(counts[key]), 8)}  ${padEnd(english, 28)}${chinese}`] : [],
  );
  const rows = sample.map(({ id, planned, reason, body }) => [
    planned,
    id,
    reason ?? (body ? stringifyJson(body) : ''),
  ]);
  return [
    `Plan for ${title}: nothing was sent or written. 预演,未发送也未写入。`,
    '',
    `  ${padStart(String(counts.fetched), 8)}  ${padEnd('fetched', 28)}抓取, ${requests} requests`,
    ...lines,
    ...(vanished.length > 0 ? [`  ${padStart(String(vanished.length), 8)}  ${padEnd('vanished', 28)}源中已消失`] : []),
    '',
    ...(rows.length > 0 ? [table(['would', 'id', 'body or reason'], rows, 90), ''] : []),
    ...beforeAndAfter(sample),
    ...inFile.map((words) => `  ! ${words}`),
    ...warnings.map(({ code, message }) => `  ! ${code}: ${message}`),
    ...(failure ? [`  ✗ ${failure.code}: ${failure.message}`] : []),
    '',
  ].join('\n');
};
