import type { ConnectionPause } from '../../lib/operate/pauses.ts';
import type { OpenRecord, UnsettledRecord } from '../../lib/operate/run-books.ts';
import type { RunLook } from '../../lib/operate/status.ts';
import type { LimitHits } from '../../lib/runs/limits.ts';
import { booksWords } from './books.ts';
import { restLines, warningLines } from './report.ts';
import { fittedTable, padEnd, padStart, terminalColumns } from './table.ts';
import {
  coloured,
  doneWords,
  limitWords,
  localTime,
  pauseWords,
  restWords,
  span,
  statusWord,
  takesWords,
} from './words.ts';

type Line = readonly [count: number, english: string, chinese: string];

const BAR_COLUMNS = 24;
const LABEL_COLUMNS = 18;
/** A line without its bar: four to the left, the count, the label, the longest Chinese name, and what is between. */
const BARE_COLUMNS = 4 + 9 + 2 + LABEL_COLUMNS + 2 + 14;

const barColumns = (): number =>
  Math.max(1, Math.min(BAR_COLUMNS, (terminalColumns() ?? Number.POSITIVE_INFINITY) - BARE_COLUMNS));

/** A bar is as long as the line's share of the records fetched. */
const line = ([count, english, chinese]: Line, fetched: number): string => {
  const share = fetched === 0 ? 0 : count / fetched;
  const columns = barColumns();
  const filled = count === 0 ? 0 : Math.max(1, Math.round(Math.min(1, share) * columns));
  const bar = padEnd('▇'.repeat(filled), columns);
  return `    ${padStart(String(count), 9)}  ${padEnd(english, LABEL_COLUMNS)}${bar}  ${chinese}`.trimEnd();
};

const stage = (english: string, chinese: string, what: string): string =>
  `  ${padEnd(`${english} ${chinese}`, 20)}${what}`.trimEnd();

/** Under a stage: what its rate limit and pauses cost the run. */
const limitLine = (hits: LimitHits): string => {
  const words = limitWords(hits);
  return `  ${padEnd('  limits 限流', 20)}${words === '' ? 'none hit 未触发' : coloured('yellow', words)}`;
};

const pauseLines = ({ pauses }: RunLook, side: ConnectionPause['side']): string[] =>
  pauses
    .filter((pause) => pause.side === side)
    .map((pause) => `  ${padEnd('  paused 暂停', 20)}${coloured('yellow', pauseWords(pause))}`);

/** The rests that the run has noted, and one that holds its records now although none of them was tried since. */
const restsOf = ({ run, rests }: RunLook): string[] => {
  const noted = new Set((run.rests ?? []).map(({ sinceMs }) => sinceMs));
  return [...restLines(run), ...rests.filter(({ sinceMs }) => !noted.has(sinceMs)).map(restWords)];
};

const rate = (count: number, ms: number): string => (ms > 0 ? `, ${((count * 1_000) / ms).toFixed(1)}/s` : '');

/** What a person reads of one run: when, how much in each stage, what it used, and what is not settled. */
export const statusText = (seen: RunLook): string => {
  const { run, integration, isUnderWay, limits, atMs } = seen;
  const { counts, requests, startedMs, extractedMs, closedMs } = run;
  const nonZero = (lines: readonly Line[]) =>
    lines.filter(([count]) => count > 0).map((one) => line(one, counts.fetched));
  const readMs = (extractedMs ?? atMs) - startedMs;
  const loadMs = extractedMs === undefined ? 0 : (closedMs ?? atMs) - extractedMs;
  const source = integration?.source.connection.name ?? 'source';
  const target = integration?.target.connection.name ?? 'target';
  return [
    `${run.runId}  ${statusWord(seen)}${isUnderWay ? coloured('cyan', '  (running now)') : ''}`,
    ...(integration ? [integration.title] : []),
    '',
    `  ${padEnd('scheduled 计划', 20)}${localTime(run.scheduledMs)}`,
    `  ${padEnd('started 开始', 20)}${localTime(startedMs)}${takesWords(run)}`,
    `  ${padEnd('read 读完', 20)}${extractedMs === undefined ? '-' : `${localTime(extractedMs)}  after ${span(readMs)}`}`,
    `  ${padEnd('closed 结账', 20)}${closedMs === undefined ? '-' : `${localTime(closedMs)}  after ${span(closedMs - startedMs)}`}`,
    '',
    stage('Extract', '抓取', `${source}, ${requests.source} requests${rate(counts.fetched, readMs)}`),
    limitLine(limits.source),
    ...pauseLines(seen, 'source'),
    line([counts.fetched, 'fetched', '抓取'], counts.fetched),
    stage('Transform', '清洗映射', ''),
    ...nonZero([
      [counts.filtered, 'filtered', '清洗删除'],
      [counts.invalid, 'invalid', '不合格'],
      [counts.merged, 'merged', '重复合并'],
    ]),
    line(
      [counts.fetched - counts.filtered - counts.invalid - counts.merged, 'clean and mapped', '清洗映射后'],
      counts.fetched,
    ),
    stage('Dispatch', '分发', 'compared with idCheck'),
    ...nonZero([
      [counts.unchanged, 'unchanged', '未变化'],
      [run.adoption?.adopted ?? 0, '  taken over', '接管'],
      [counts.skipped, 'skipped', '跳过'],
      [counts.waiting, 'waiting', '等待'],
    ]),
    line([counts.enqueued, 'enqueued', '入队'], counts.fetched),
    stage('Load', '写入', `${target}, ${requests.target} requests${rate(counts.loaded, loadMs)}`),
    limitLine(limits.target),
    ...pauseLines(seen, 'target'),
    ...restsOf(seen).map((words) => `  ${padEnd('  rests 停发', 20)}${coloured('yellow', words)}`),
    line([counts.loaded, 'loaded', '写入成功'], counts.fetched),
    ...nonZero([
      [counts.superseded, 'superseded', '被更新版本取代'],
      [counts.rejected, 'rejected', '目标拒绝'],
      [counts.uncertain, 'uncertain', '结果未知'],
      [counts.open, 'open', '未完成'],
      [seen.unsent, '  in the ledger', '在账本中'],
    ]),
    ...(counts.open > 0 && run.loadMs !== undefined && closedMs === undefined ? [plannedLine(run)] : []),
    '',
    ...warningLines(run).map((warning) => `  ${coloured('yellow', warning)}`),
    ...unsettledLines(seen),
    `  ${booksWords(seen, seen.deadLetters)}`,
    '',
  ].join('\n');
};

/** When all is loaded, as the target's limit says. */
const plannedLine = (run: RunLook['run']): string => `  ${padEnd('planned 预计', 20)}${doneWords(run)}`;

const unsettledLines = ({ records, run }: RunLook): string[] => {
  if (records.length === 0) return [];
  const rows = records.map((one) => [one.fate, one.id, knownOf(one)]);
  const { open, rejected, uncertain } = run.counts;
  const hidden = open + rejected + uncertain - rows.length;
  return [
    ...fittedTable(['fate', 'id', 'known of it'], rows, (terminalColumns() ?? 100) - 2, { cut: ['known of it'] })
      .split('\n')
      .map((row) => `  ${row}`),
    ...(hidden > 0 ? [`  … and ${hidden} more: npm start -- status ${run.runId} --ids`] : []),
    '',
  ];
};

const openWords: Readonly<Record<OpenRecord['as'], string>> = {
  claimed: 'claimed by a worker 正在写入',
  'given-up': 'given up: the next run sends it again 已放弃,下次重发',
  'to-send': 'to be sent by the next run, a person said so 人工要求,下次运行发送',
  queued: 'waiting for its turn 排队中',
  lost: 'lost: the queue is empty 已丢失',
};

const knownWords = {
  'never-seen': 'has never seen it',
  'nothing-loaded': 'has nothing loaded of it',
  'other-content': 'knows other content',
} as const;

const wordsOfOpen = (open: OpenRecord): string =>
  'idCheck' in open ? `${openWords[open.as]}; idCheck ${knownWords[open.idCheck]}` : openWords[open.as];

const knownOf = ({ reason, open, discarded }: UnsettledRecord): string =>
  [reason, open && wordsOfOpen(open), discarded && 'discarded by hand 人工丢弃']
    .filter((words) => words !== undefined)
    .join('; ');
