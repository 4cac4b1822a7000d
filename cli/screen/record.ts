import type { IdCheck } from '../../lib/idcheck/item.ts';
import { type History, standingOf } from '../../lib/operate/record-history.ts';
import { stampOf } from '../../lib/operate/runs.ts';
import { letterWords } from './letters.ts';
import { type Fit, fittedTable, terminalColumns } from './table.ts';
import { coloured, localTime } from './words.ts';

/** What a person reads of one record in one integration. */
export const historyText = (history: History): string => {
  const { integration, id, item, runs, letters, audit } = history;
  const lines = [`${id}  ${integration}`, '', ...itemLines(item), ...standingLines(history), ''];
  const add = (title: string, header: readonly string[], rows: string[][], fit: Fit) => {
    if (rows.length > 0) lines.push(title, fittedTable(header, rows, terminalColumns(), fit), '');
  };
  add(
    'Runs that carried it 经过的运行',
    ['run', 'started', 'outcome', 'fate', 'hash', 'reason'],
    runs.map((run) => [
      stampOf({ runId: run.runId, integration }),
      localTime(run.startedMs),
      run.outcome,
      run.fate ?? '',
      (run.hash ?? '').slice(0, 8),
      run.reason ?? '',
    ]),
    { cut: ['reason'], drop: ['hash', 'started'] },
  );
  add(
    'Dead letters 死信',
    ['reason', 'last', 'attempts', 'words'],
    letters.map((letter) => [letter.reason, localTime(letter.lastMs), String(letter.attempts), letterWords(letter)]),
    { cut: ['words'], drop: ['attempts'] },
  );
  add(
    'Done by hand 人工处理',
    ['when', 'action', 'by', 'why'],
    audit.map(({ atMs, action, by, why }) => [localTime(atMs), action, by, why]),
    { cut: ['by', 'why'], drop: ['by'] },
  );
  return lines.join('\n');
};

const itemLines = (item: IdCheck | undefined): string[] => {
  if (item === undefined) return ['  idCheck knows nothing of it. idCheck 中没有。'];
  const { loaded, deleted, claim, trouble, doubt, rev } = item;
  const unsureSinceMs = loaded?.unsureSinceMs;
  return [
    ...(loaded
      ? [
          `  loaded 已写入      ${localTime(loaded.atMs)}${loaded.saidMs === undefined ? '' : ', by a person’s word 人工确认'}`,
          `      hash ${loaded.hash}, version ${localTime(loaded.versionMs)}`,
        ]
      : ['  never loaded 从未写入']),
    ...(unsureSinceMs === undefined
      ? []
      : [
          `      unsure 不确定    since ${localTime(unsureSinceMs)}: a later POST of unknown outcome may have replaced it`,
        ]),
    ...(deleted ? [`  deleted 已删除     ${localTime(deleted.atMs)}`] : []),
    ...(claim
      ? [
          `  claimed 处理中     since ${localTime(claim.sinceMs)}, until ${localTime(claim.untilMs)}`,
          `      hash ${claim.hash}`,
        ]
      : []),
    ...(trouble
      ? [
          coloured('yellow', `  ${trouble.kind} 有问题  since ${localTime(trouble.sinceMs)}: ${trouble.reason}`),
          `      hash ${trouble.hash}${trouble.parentId === undefined ? '' : `, waits for ${trouble.parentId}`}`,
          ...(trouble.letterMs === undefined ? [] : [`      letter since ${localTime(trouble.letterMs)}`]),
          ...(trouble.discardedMs === undefined
            ? []
            : [
                `      discarded by hand 人工丢弃 ${localTime(trouble.discardedMs)}; npm start -- resend ${item.id} has it sent again`,
              ]),
        ]
      : []),
    ...(doubt ? [`  in doubt 存疑      hash ${doubt.hash} until ${localTime(doubt.untilMs)}`] : []),
    `  revision 修订      ${rev}`,
  ];
};

/** Where idCheck alone does not tell how the record stands: what the runs say of it. */
const standingLines = (history: History): string[] => {
  const standing = standingOf(history);
  if (standing.as === 'settled') return [];
  const { runId, outcome, reason } = standing.run;
  const run = `run ${stampOf({ runId, integration: history.integration })}`;
  const notSettled = coloured('yellow', `  ✗ not settled 未结: ${run} enqueued it, nothing came of it yet.`);
  switch (standing.as) {
    case 'given-up':
      return ['  given up 已放弃: the next run sends it again, as a replay does now. 下次运行或重放会再发。'];
    case 'to-send':
      return ['  to be sent 待发送: a person said so; the next run sends it. 人工要求,下次运行发送。'];
    case 'claimed':
      return [`  … ${run} sent it; a worker is at it. 正在写入。`];
    case 'lost':
      return [
        notSettled,
        '    The queue is empty, so its message is lost; the next run sends it again. 队列为空:消息已丢失,下次运行重发。',
      ];
    case 'queued':
      return [notSettled, `    It waits among the ${history.queued} messages in the queue. 排队中。`];
    case 'unsent':
      return [
        `  … ${run} took it on; it waits in the ledger for its turn by the limit. 在账本中等待限流。`,
        `    ${standing.before} are sent before it. 前面还有 ${standing.before} 条。`,
      ];
    case 'left-out':
      return [
        `  never sent 从未发送: ${run} left it out (${reason === undefined ? outcome : `${outcome}: ${reason}`}).`,
      ];
    default:
      return standing satisfies never;
  }
};
