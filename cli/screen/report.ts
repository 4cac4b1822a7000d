import type { Integration } from '../../lib/integration/schema/schema.ts';
import type { RunEnd } from '../../lib/operate/run-now.ts';
import { type Side, sides } from '../../lib/runs/ends.ts';
import { type LimitHits, limitsOf } from '../../lib/runs/limits.ts';
import { hasFailed, isUnfinished, type RunRecord, runFailureOf } from '../../lib/runs/record.ts';
import { DEFAULT_DATA_DIR } from '../input/flags.ts';
import { DEFAULT_INTEGRATION } from '../input/integration-choice.ts';
import { booksJson, booksWords, waitingWords } from './books.ts';
import { padEnd, padStart } from './table.ts';
import { limitWords, pastRestWords, pauseWords, restWords } from './words.ts';

export type Finished = RunEnd & {
  integration: Integration;
  durationMs: number;
  /** The ends that the sandbox stood in for. */
  sandboxedSides: readonly Side[];
  /** As they were given, for the commands that are proposed. */
  flags: { integration: string; dataDir: string; sandbox?: Side };
};

/** The one object that `--json` prints; its keys are stable. */
export const reportJson = ({
  run,
  deadLetters,
  durationMs,
  pause,
  rest,
  notGiven,
  ...books
}: RunEnd & Pick<Finished, 'durationMs'>): string =>
  JSON.stringify({
    runId: run.runId,
    integration: run.integration,
    status: run.status,
    counts: run.counts,
    vanished: run.vanished,
    deadLetters,
    ...booksJson(books),
    requests: run.requests,
    durationMs,
    ...(pause && { pause }),
    ...(rest && { rest }),
    // What was left out waits, and is counted there.
    ...(run.selection && { selection: run.selection }),
    ...(run.adoption && { adopted: run.adoption.adopted, known: run.adoption.known }),
    ...((run.selection || run.adoption) && { leftOut: run.leftOut ?? 0, notGiven: notGiven ?? [] }),
  });

type Line = readonly [count: number, english: string, chinese: string];

const LABEL_WIDTH = 28;
const STAGE_WIDTH = 22;
const line = ([count, english, chinese]: Line): string =>
  `   ${padStart(String(count), 8)}  ${padEnd(english, LABEL_WIDTH)}${chinese}`;
const nonZero = (lines: readonly Line[]): string[] => lines.filter(([count]) => count > 0).map(line);
const stage = (name: string, what: string): string => `  ${padEnd(name, STAGE_WIDTH)}${what}`.trimEnd();

/** A limit that spaces a few requests is no news; `status` shows it all the same. */
const WORTH_A_LINE_MS = 1_000;

/** Under a stage: what its rate limit and pauses cost the run, where that is worth a line. */
const limitLines = (hits: LimitHits): string[] => {
  const isNews = hits.heldMs >= WORTH_A_LINE_MS || hits.throttled + hits.putOff > 0;
  return isNews ? [stage('  limits 限流', limitWords(hits))] : [];
};

/** What a person reads at the end of a run: stages, counts, time, and what to try next. */
export const reportText = (finished: Finished): string => {
  const { run, integration, durationMs } = finished;
  const { counts, requests } = run;
  const limits = limitsOf(run);
  return [
    '',
    `Run ${run.runId}`,
    '',
    stage('Extract 抓取', `${integration.source.connection.name}, ${requests.source} requests`),
    ...limitLines(limits.source),
    line([counts.fetched, 'fetched', '抓取']),
    stage('Transform 清洗映射', ''),
    ...nonZero([
      [counts.filtered, 'filtered', '清洗删除'],
      [counts.invalid, 'invalid', '不合格'],
      [counts.merged, 'merged', '重复合并'],
    ]),
    line([counts.fetched - counts.filtered - counts.invalid - counts.merged, 'clean and mapped', '清洗映射后']),
    stage('Dispatch 分发', 'compared with idCheck'),
    ...nonZero([
      [counts.unchanged, 'unchanged', '未变化,不发送'],
      [run.adoption?.adopted ?? 0, '  taken over', '其中接管'],
      [counts.skipped, 'skipped', '跳过'],
      [counts.waiting, 'waiting', '等待'],
    ]),
    line([counts.enqueued, 'enqueued', '入队']),
    stage('Load 写入', `${integration.target.connection.name}, ${requests.target} requests`),
    ...limitLines(limits.target),
    ...restLines(run).map((words) => stage('  rests 停发', words)),
    // Fates are counted once the snapshot is complete.
    ...(isUnfinished(run) ? [] : [line([counts.loaded, 'loaded', '写入成功'])]),
    ...nonZero([
      [counts.superseded, 'superseded', '被更新版本取代'],
      [counts.rejected, 'rejected', '目标拒绝'],
      [counts.uncertain, 'uncertain', '结果未知'],
      [counts.open, 'open', '未完成'],
    ]),
    '',
    ...warningLines(run).map((warning) => `  ${warning}`),
    `  ${verdict(finished)}  ${(durationMs / 1000).toFixed(1)} s`,
    '',
    ...nextSteps(finished).map((step) => `  ${step}`),
    '',
  ].join('\n');
};

/** What the source showed that an operator should know, and why the run could not finish. */
export const warningLines = (run: RunRecord): string[] => [
  ...(hasFailed(run) ? [] : (run.invalidRows ?? [])).map(({ id, reason }) => `! invalid 不合格  ${id}: ${reason}`),
  ...run.warnings.map(({ code, count, message }) => `! ${code} ×${count}: ${message}`),
  ...(run.vanished > 0
    ? [`! vanished ${run.vanished}: loaded before, no longer in the source 源中已消失  ${sample(run)}${deleted(run)}`]
    : []),
  ...(run.failure ? [`✗ ${run.failure.code}: ${run.failure.message}`] : []),
];

const deleted = ({ deletions }: RunRecord): string =>
  deletions === undefined ? '' : `; ${deletions.loaded} of ${deletions.enqueued} deleted in the target 目标已删除`;

const SAMPLE = 5;
const sample = ({ vanished, vanishedSample }: RunRecord): string =>
  `(${vanishedSample.slice(0, SAMPLE).join(', ')}${vanished > SAMPLE ? ', …' : ''})`;

/** A line of the books for each rest. */
export const restLines = ({ rests = [] }: RunRecord): string[] => rests.map(pastRestWords);

const verdict = (finished: Finished): string => {
  const { pause, rest, stranded, state, deadLetters } = finished;
  if (rest) {
    const letters = deadLetters > 0 ? [`${deadLetters} in the dead-letter queue`] : [];
    const waiting = [waitingWords(finished), ...letters].filter((words) => words !== '').join(', ');
    return `✗ Not finished: ${restWords(rest)}. ${waiting}. Nothing is lost, the next run tries one record first. 未完成,下次运行先试一条。`;
  }
  if (pause) {
    return `✗ Not finished: ${pauseWords(pause)}. Nothing is lost, a run after that goes on. 未完成,之后再运行即可继续。`;
  }
  const isRead = state !== 'reading' && state !== 'unfinished';
  if (stranded > 0 && isRead && state !== 'failed' && state !== 'unequal') {
    return `✗ Not finished: functions/load failed on ${stranded} messages (its log is under logs/). Nothing is lost, the next run goes on. 未完成,下次继续。`;
  }
  // Nobody reads on.
  return booksWords(state === 'reading' ? { ...finished, state: 'unfinished' } : finished, deadLetters);
};

type Step = readonly [command: string, why: string];

const nextSteps = (finished: Finished): string[] => {
  const steps = stepsAfter(finished);
  const width = Math.max(...steps.map(([command]) => command.length)) + 3;
  return ['Try next 接下来:', ...steps.map(([command, why]) => `${padEnd(command, width)}# ${why}`)];
};

/** A group of the built-in data (its second). */
const REFUSABLE_ID = '5203300118';

const stepsAfter = (finished: Finished): Step[] => {
  const { run, deadLetters, stranded, pause, rest, integration, sandboxedSides, flags } = finished;
  const place = flags.dataDir === DEFAULT_DATA_DIR ? '' : ` --data-dir ${flags.dataDir}`;
  const which = flags.integration === DEFAULT_INTEGRATION ? '' : ` --integration ${flags.integration}`;
  const start = (words: string) => (words === '' ? 'npm start' : `npm start --${words}`);
  const sandbox = flags.sandbox === undefined ? '' : ` --sandbox ${flags.sandbox}`;
  const again = start(`${which}${sandbox}${place}`);
  if (runFailureOf(run) === 'mapping-changed') {
    return [
      [start(` plan${which}${place}`), 'what would be overwritten 查看将被覆盖的记录'],
      [start(` --yes${which}${place}`), 'overwrite it 确认覆盖'],
    ];
  }
  if (run.adoption && !isUnfinished(run)) {
    return [
      [start(` plan${which}${sandbox}${place}`), 'the proof: what is unchanged, and what a run would send 查看'],
      [start(`${which}${sandbox}${place}`), 'from now on only what changes is sent 之后只发送变化'],
    ];
  }
  if (hasFailed(run)) return [[again, 'again, when the list or the file is mended 修复后再次运行']];
  if (isUnfinished(run) || stranded > 0 || pause || rest)
    return [[again, 'again: goes on where this run stopped 继续']];
  if (deadLetters > 0) {
    return [
      [start(` dlq list${place}`), 'what waits, and why 查看死信'],
      ...(deadLetters > run.counts.uncertain
        ? [[start(` dlq replay --dry-run${which}${sandbox}${place}`), 'what a replay would send 预演重放'] as const]
        : []),
      ...(run.counts.uncertain > 0
        ? [[start(` dlq resolve --help`), 'says whether the target has what is uncertain 裁定结果未知的记录'] as const]
        : []),
    ];
  }
  if (finished.setAside.discarded > 0) {
    const [id = 'ID'] = finished.setAside.ids;
    return [
      [start(` record ${id}${which}${place}`), 'what is known of one that is set aside 查看'],
      [start(` resend ${id}${which}${place}`), 'the next run sends it again 下次运行重新发送'],
    ];
  }
  const toCrm = 'okki-product-groups-to-crm';
  const other = integration.name === toCrm ? DEFAULT_INTEGRATION : toCrm;
  const refuse = ` --fresh --fault target-refuse:ids=${REFUSABLE_ID}`;
  return [
    ...(run.leftOut ? [[again, 'all of it: what was left out is sent, too 发送其余记录'] as const] : []),
    ...(run.counts.enqueued > 0 && !run.leftOut
      ? [[again, 'again: everything is unchanged, nothing is sent 再次运行'] as const]
      : []),
    ...(sandboxedSides.length === sides.length
      ? [
          [start(` --integration ${other}${place}`), 'the other integration 另一个集成'] as const,
          [start(`${refuse}${place}`), 'a record that the target refuses 被拒绝的记录'] as const,
        ]
      : [[start(` runs${place}`), 'the recent runs 最近的运行'] as const]),
    [start(' --help'), 'all commands 全部命令'],
  ];
};
