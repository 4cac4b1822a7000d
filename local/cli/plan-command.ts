import { openSource } from '../../lib/extract/http-source.ts';
import { stringifyJson } from '../../lib/json/json.ts';
import { type Plan, type Planned, plan } from '../../lib/run/plan.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { silentLog } from '../../lib/runtime/log.ts';
import { openConnections } from '../../lib/runtime/open-connections.ts';
import { compileTransform } from '../../lib/transform/transform.ts';
import { SERVICE_DIR, startEmbedded } from './embedded.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { chooseIntegration } from './integration-choice.ts';
import type { RunFlags } from './run-command.ts';
import { readFaults, readGroups } from './sandbox-options.ts';
import { padEnd, padStart, table } from './table.ts';

const PLAN_WITHIN_MS = 15 * 60_000;
const SAMPLE_PER_KIND = 5;

/** Says what the next run would do; nothing is sent to the target, no queue and no idCheck item is written. */
export const planCommand = async (flags: RunFlags): Promise<ExitCode> => {
  const choice = chooseIntegration(flags.integration, SERVICE_DIR);
  const { integration } = choice;
  const groups = flags.groups === undefined ? undefined : await readGroups(flags.groups);
  const run = { ...choice, ...(groups && { groups }), faults: readFaults(flags.fault ?? []) };
  const embedded = await startEmbedded({ dataDir: flags.dataDir, run });
  try {
    const { stores, stack, variables } = embedded;
    const connections = openConnections(stores.dynamo, { ...stack.env, ...variables }, silentLog);
    const fetching = {
      integration: integration.name,
      policy: { idCheck: integration.target.metadata.idCheck, onUncertain: integration.target.onUncertain },
      source: openSource(integration, connections),
      transform: compileTransform(integration),
    };
    const idStore = flags.fresh ? { ...stores.idStore, scan: nothing } : stores.idStore;
    const options = { fullRefresh: flags.fullRefresh ?? false, samplePerKind: SAMPLE_PER_KIND };
    const planned = await plan(fetching, { idStore, clock: systemClock }, options, () => PLAN_WITHIN_MS);
    process.stdout.write(
      flags.json ? `${planJson(integration.name, planned)}\n` : planText(integration.title, planned),
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

const planText = (title: string, { counts, vanished, sample, requests, warnings, failure }: Plan): string => {
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
    ...warnings.map(({ code, message }) => `  ! ${code}: ${message}`),
    ...(failure ? [`  ✗ ${failure.code}: ${failure.message}`] : []),
    '',
  ].join('\n');
};
