import type { IdCheck } from '../../lib/idcheck/item.ts';
import { stringifyJson } from '../../lib/json/json.ts';
import type { DeadLetterReason } from '../../lib/messages/dead-letter-reasons.ts';
import type { LetterFacts, ListedLetter, ShownLetter } from '../../lib/operate/letters.ts';
import { fittedTable, terminalColumns } from './table.ts';
import { localTime } from './words.ts';

/** Status and the target's words, or what else is known of the failure. */
export const letterWords = ({ reason, failure, body }: Pick<LetterFacts, 'reason' | 'failure' | 'body'>): string => {
  const words = [failure?.status, failure?.excerpt ?? failure?.cause ?? body].filter((word) => word !== undefined);
  return words.length === 0 && reason === 'crashed' ? 'no worker ever answered for it' : words.join(' ');
};

/** How many wait for each reason: `2 rejected, 1 uncertain`. */
export const countWords = (byReason: ReadonlyMap<DeadLetterReason, number>): string =>
  [...byReason].map(([reason, count]) => `${count} ${reason}`).join(', ');

const IDS_SHOWN = 5;

const shownIds = (ids: readonly string[]): string =>
  [...ids.slice(0, IDS_SHOWN), ...(ids.length > IDS_SHOWN ? ['…'] : [])].join(', ');

/** What to do about records of which nobody knows whether the target has them; nothing where there are none. */
export const doubtWords = (ids: readonly string[]): string[] => {
  if (ids.length === 0) return [];
  return [
    `${ids.length} uncertain, which the target may have already 结果未知,请先到目标系统核对: ${shownIds(ids)}`,
    // Each by itself: one word for all of them would be a guess.
    '  npm start -- dlq resolve ID --loaded   (or --not-loaded; dlq replay --id ID sends it again)',
  ];
};

/** The letters that wait, by reason. */
export const listText = (letters: readonly ListedLetter[], byReason: ReadonlyMap<DeadLetterReason, number>): string => {
  if (letters.length === 0) return 'No dead letters. 没有死信。\n';
  const settled = letters.filter(({ loadedSince }) => loadedSince).length;
  const rows = [...byReason].flatMap(([reason]) =>
    letters
      .filter((letter) => letter.reason === reason)
      .map((letter) => [
        reason,
        letter.id ?? letter.messageId,
        letter.number ?? '',
        letterWords(letter),
        String(letter.attempts),
        localTime(letter.lastMs),
        letter.integration ?? '-',
      ]),
  );
  const fit = { cut: ['words', 'number'], cutFront: ['integration'], drop: ['attempts', 'last', 'integration'] };
  const header = ['reason', 'id', 'number', 'words', 'attempts', 'last', 'integration'];
  return [
    countWords(byReason),
    '',
    fittedTable(header, rows, terminalColumns() ?? 160, fit),
    '',
    ...(settled > 0
      ? [`${settled} loaded since by a later run: a replay only deletes them 其中 ${settled} 条已写入,重放只删除死信`]
      : []),
    'npm start -- dlq show ID shows one 查看',
    ...(letters.some(({ reason }) => reason !== 'uncertain')
      ? ['when the cause is mended 修复后重放: npm start -- dlq replay']
      : []),
    ...doubtWords(letters.flatMap(({ reason, id }) => (reason === 'uncertain' && id !== undefined ? [id] : []))),
    '',
  ].join('\n');
};

/** Says why letters of another target are not sent. */
export const otherTargetWords = (ids: readonly string[]): string[] =>
  ids.length === 0
    ? []
    : [`${ids.length} of another target stay, there to be read 属于另一个目标,不重放: ${shownIds(ids)}`];

/** What idCheck knows of the letter's record by now: what is settled is not loaded again by a replay. */
const itemWords = (item: IdCheck | undefined, hash: string | undefined): string | undefined => {
  if (item?.trouble !== undefined) return `${item.trouble.kind}: ${item.trouble.reason}`;
  if (item?.loaded === undefined) return undefined;
  const when = localTime(item.loaded.atMs);
  return item.loaded.hash === hash
    ? `loaded since ${when}: a replay only deletes the letter 已写入,重放只删除死信`
    : `other content loaded ${when} 已写入其他内容`;
};

/** All that is known of one letter, and what a replay would send. */
export const letterText = ({ letter, item }: ShownLetter): string => {
  const { reason, id, number, integration, runId, attempts, firstMs, lastMs, failure, message, body, messageId } =
    letter;
  const facts: ReadonlyArray<readonly [string, string | undefined]> = [
    ['reason 原因', reason],
    ['id', id],
    ['number 编码', number],
    ['integration 集成', integration],
    ['run 运行', runId],
    ['attempts 次数', String(attempts)],
    ['replayed 重放', message?.replays === undefined ? undefined : `${message.replays} times`],
    ['first sent 首发', localTime(firstMs)],
    ['last failure 最近', localTime(lastMs)],
    ['cause', failure && [failure.cause, failure.status].filter((word) => word !== undefined).join(' ')],
    ['answer 目标答复', failure?.excerpt],
    ['idCheck', itemWords(item, message?.hash)],
    ['would send 将发送', message && stringifyJson(message.body)],
    ['body 原文', body],
    ['message id', messageId],
  ];
  const rows = facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return `${fittedTable(['', ''], rows, undefined).trimStart()}\n\n`;
};
