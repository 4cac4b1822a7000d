import type { Integration } from '../../lib/integration/schema.ts';
import { holds } from '../../lib/run/books.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { padEnd, padStart } from './table.ts';

export type Finished = {
  run: RunRecord;
  integration: Integration;
  /** Letters of this integration that wait, whichever run they are from. */
  deadLetters: number;
  durationMs: number;
  dataDir: string;
};

/** The one object that `--json` prints; its keys are stable. */
export const reportJson = ({ run, deadLetters, durationMs }: Finished): string =>
  JSON.stringify({
    runId: run.runId,
    integration: run.integration,
    status: run.status,
    counts: run.counts,
    vanished: run.vanished,
    deadLetters,
    balanced: isFinished(run) && holds(run.counts),
    requests: run.requests,
    warnings: run.warnings,
    ...(run.failure && { failure: run.failure }),
    durationMs,
  });

const isFinished = ({ status }: RunRecord): boolean => status !== 'extracting' && status !== 'incomplete';

type Line = readonly [count: number, english: string, chinese: string];

const LABEL_WIDTH = 28;
const line = ([count, english, chinese]: Line, indent: string): string =>
  `${indent}${padStart(String(count), 8)}  ${padEnd(english, LABEL_WIDTH)}${chinese}`;

/** What a person reads at the end of a run: stages, counts, time, and what to try next. */
export const reportText = (finished: Finished): string => {
  const { run, integration, deadLetters, durationMs } = finished;
  const { counts, requests } = run;
  const nonZero = (lines: readonly Line[]): string[] =>
    lines.filter(([count]) => count > 0).map((one) => line(one, '   '));
  const seconds = (durationMs / 1000).toFixed(1);
  const lines = [
    '',
    `Run ${run.runId}`,
    '',
    `  Extract 抓取   ${integration.source.connection.name}, ${requests.source} requests`,
    line([counts.fetched, 'fetched', '抓取'], '   '),
    `  Transform 清洗映射`,
    ...nonZero([
      [counts.filtered, 'filtered', '清洗删除'],
      [counts.invalid, 'invalid', '不合格,见 status'],
      [counts.merged, 'merged', '重复合并'],
    ]),
    line([counts.fetched - counts.filtered - counts.invalid - counts.merged, 'clean and mapped', '清洗映射后'], '   '),
    `  Dispatch 分发   compared with idCheck`,
    ...nonZero([
      [counts.unchanged, 'unchanged', '未变化,不发送'],
      [counts.skipped, 'skipped', '跳过'],
    ]),
    line([counts.enqueued, 'enqueued', '入队'], '   '),
    `  Load 写入   ${integration.target.connection.name}, ${requests.target} requests`,
    line([counts.loaded, 'loaded', '写入成功'], '   '),
    ...nonZero([
      [counts.superseded, 'superseded', '被更新版本取代'],
      [counts.rejected, 'rejected', '目标拒绝'],
      [counts.uncertain, 'uncertain', '结果未知'],
      [counts.open, 'open', '未完成'],
    ]),
    '',
    ...run.warnings.map(({ code, count, message }) => `  ! ${code} ×${count}: ${message}`),
    ...(run.vanished > 0
      ? [`  ! vanished ${run.vanished}: loaded before, no longer in the source (nothing is deleted)`]
      : []),
    ...(run.failure ? [`  ✗ ${run.failure.code}: ${run.failure.message}`] : []),
    `  ${verdict(finished)}  ${seconds} s`,
    '',
    ...nextSteps(finished).map((step) => `  ${step}`),
    '',
  ];
  if (deadLetters > 0) lines.splice(lines.length - 2, 0, '');
  return lines.join('\n');
};

const verdict = ({ run, deadLetters }: Finished): string => {
  if (!isFinished(run))
    return '✗ Not finished: the source could not be read to its end. Nothing is lost, the next run goes on.';
  if (!holds(run.counts)) return '✗ The books do not balance.';
  const { rejected, uncertain, open } = run.counts;
  const parts = [
    ...(rejected > 0 ? [`${rejected} rejected`] : []),
    ...(uncertain > 0 ? [`${uncertain} uncertain`] : []),
    ...(open > 0 ? [`${open} open`] : []),
    ...(deadLetters > 0 ? [`${deadLetters} in the dead-letter queue`] : []),
  ];
  return parts.length === 0 ? '✓ Books balance, nothing is waiting.' : `! Books balance; ${parts.join(', ')}.`;
};

const nextSteps = ({ run, deadLetters, integration }: Finished): string[] => {
  const start = 'npm start';
  if (!isFinished(run)) return [`${start}   # again: goes on at the checkpoint`];
  if (deadLetters > 0) {
    return [
      `${start} -- dlq list                 # what waits, and why`,
      `${start} -- dlq replay --dry-run    # what a replay would send`,
    ];
  }
  const other = integration.name.endsWith('-to-crm')
    ? 'okki-product-groups-to-qingyiyun'
    : 'okki-product-groups-to-crm';
  return [
    'Try next 接下来:',
    ...(run.counts.enqueued > 0 ? [`${start}   # again: everything is unchanged, nothing is sent`] : []),
    `${start} -- --integration ${other}`,
    `${start} -- --fresh --fault target-refuse:ids=5203300118   # a record that the target refuses`,
    `${start} -- --help`,
  ];
};
