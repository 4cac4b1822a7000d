import type { DryRun, Planned } from '../../lib/fetch/dry-run.ts';
import { fetchPlanOf } from '../../lib/fetch/fetch-plan.ts';
import { connectionsOf } from '../../lib/flows/flows.ts';
import { sourcePlanOf } from '../../lib/integration/compile/source-plan.ts';
import { stringifyJson } from '../../lib/json/json.ts';
import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import { planRun } from '../../lib/operate/plan-run.ts';
import { defined } from '../../lib/runtime/defined.ts';
import { silentLog } from '../../lib/runtime/log.ts';
import { savedAnswer } from '../../lib/source/answer.ts';
import { openSource } from '../../lib/source/http-source.ts';
import { systemRuntime } from '../../lib/stores/stores.ts';
import { dataDirOf } from '../input/flags.ts';
import { chooseIntegration } from '../input/integration-choice.ts';
import { sandboxOptions } from '../input/sandbox-options.ts';
import { readUserText } from '../input/user-text.ts';
import { cut, padEnd, padStart, table } from '../screen/table.ts';
import { checkTarget } from '../stack/addresses.ts';
import { startEmbedded } from '../stack/embedded.ts';
import { strangeVariables } from '../stack/sides.ts';
import { print, shown } from '../terminal/print.ts';
import { type RunFlags, selectionBy } from './run.ts';

export type PlanFlags = Omit<RunFlags, 'stage' | 'region'> & {
  /** A saved answer of the source, instead of asking it. */
  from?: string;
  /** Records of each kind that are shown. */
  show?: number;
};

/** Says what the next run would do; nothing is sent to the target, no queue and no idCheck item is written. */
export const planCommand = async ({ dataDir, ...flags }: PlanFlags): Promise<ExitCode> => {
  const choice = chooseIntegration(flags.integration);
  const selection = selectionBy(flags);
  const { integration } = choice;
  const saved = flags.from === undefined ? undefined : savedAnswer(readUserText(flags.from), sourcePlanOf(integration));
  for (const words of strangeVariables(integration, process.env)) print(`${words}\n`, process.stderr);
  const run = { ...choice, needs: ['source'] as const, ...(await sandboxOptions(flags)) };
  const embedded = await startEmbedded({
    dataDir: dataDirOf(dataDir, flags.sandbox),
    ...(saved === undefined && { run }),
  });
  try {
    const { stores, stack, variables } = embedded;
    const runtime = systemRuntime({ ...stack.env, ...variables }, silentLog);
    const source = saved ?? openSource(sourcePlanOf(integration), connectionsOf(stores, runtime));
    const asked = { needs: saved === undefined ? run.needs : [], ...defined({ sandbox: run.sandbox }) };
    const own = await checkTarget(integration, { ...asked, named: flags.integration }, stores);
    const planned = await planRun(
      fetchPlanOf(integration, source, async () => own, runtime.env),
      { ...flags, ...defined({ selection }) },
      { ...stores, ...runtime },
    );
    print(
      flags.json
        ? `${planJson(integration.name, planned)}
`
        : planText(integration.title, shown(planned), shown(choice.warnings)),
    );
    if (planned.failure !== undefined) return exitCodes.runFailed;
    return planned.isTroubled ? exitCodes.unfinishedRecords : exitCodes.ok;
  } finally {
    await embedded.close();
  }
};

const planJson = (integration: string, planned: DryRun): string => stringifyJson({ integration, ...planned });

const labels: ReadonlyArray<readonly [Planned, string, string]> = [
  ['create', 'would be created', '新增'],
  ['overwrite', 'would be overwritten', '覆盖'],
  ['unchanged', 'unchanged', '未变化'],
  ['skip', 'would be skipped', '跳过'],
  ['wait', 'would wait', '等待'],
  ['filter', 'filtered', '清洗删除'],
  ['merge', 'merged', '重复合并'],
  ['reject', 'invalid', '不合格'],
];

/** Records whose mapping is shown in full. */
const SHOWN_IN_FULL = 2;
const MAX_LINE_COLUMNS = 160;

/** What the mapping makes of the first records: as the source has them, and as the target would get them. */
const beforeAndAfter = (sample: DryRun['sample']): string[] =>
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
  { counts, vanished, sample, requests, warnings, failure }: DryRun,
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
