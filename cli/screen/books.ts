import type { BooksState, RunBooks } from '../../lib/operate/run-books.ts';
import { differentRows } from '../../lib/runs/books.ts';
import { type Adoption, type RunRecord, troublesByInvalid } from '../../lib/runs/record.ts';
import { countedSetAside, type SetAside, type SetAsideWhy } from '../../lib/runs/set-aside.ts';
import { coloured, failedWords } from './words.ts';

const setAsideWords: Readonly<Record<SetAsideWhy, string>> = {
  discarded: 'discarded by hand 人工丢弃',
  resolved: "loaded by a person's word 人工确认已写入",
  refused: 'refused before 曾被拒绝',
  uncertain: 'uncertain before 结果仍未知',
  parent: 'below one that is left out 上级未写入',
  toSend: 'to be sent by the next run 下次运行发送',
};

const IDS_SHOWN = 5;

/** Which records are left out, and why: `set aside 搁置: 1 discarded by hand 人工丢弃 (5203300254)`; empty where none is. */
const setAsideText = (setAside: SetAside): string => {
  const counted = countedSetAside(setAside);
  if (counted.length === 0) return '';
  const { ids } = setAside;
  const total = counted.reduce((sum, [, count]) => sum + count, 0);
  const shown = [...ids.slice(0, IDS_SHOWN), ...(total > IDS_SHOWN ? ['…'] : [])].join(', ');
  return `set aside 搁置: ${counted.map(([why, count]) => `${count} ${setAsideWords[why]}`).join(', ')} (${shown})`;
};

/** What of a run somebody is to look at, still waits, or is left out: `2 rejected, 1 open`. */
export const waitingWords = ({ run, setAside }: Pick<RunBooks, 'run' | 'setAside'>): string =>
  [...countWords(run), setAsideText(setAside)].filter((words) => words !== '').join(', ');

const countWords = (run: RunRecord): string[] =>
  [
    [troublesByInvalid(run) ? run.counts.invalid : 0, 'invalid'] as const,
    ...(['rejected', 'uncertain', 'open'] as const).map((fate) => [run.counts[fate], fate] as const),
    [run.deletions?.open ?? 0, 'deletions open'] as const,
    [run.counts.waiting - (run.leftOut ?? 0), 'waiting'] as const,
    [run.leftOut ?? 0, 'left out'] as const,
    [run.notGiven?.count ?? 0, 'not in the source'] as const,
  ]
    .flatMap(([count, words]) => (count > 0 ? [`${count} ${words}`] : []))
    .concat(run.shrunkFrom === undefined ? [] : [`${differentRows(run.counts)} of ${run.shrunkFrom} rows came`]);

/** What becomes of what is open. */
const openWords: Readonly<Record<Extract<BooksState, `open${string}`>, string>> = {
  open: 'being loaded, or waiting for their turn 写入中或排队中',
  'open-lost': 'the queue is empty, so they are lost: the next run sends them again 队列为空,已丢失,下次重发',
  'open-overdue': 'still open after the deadline; the next run sends them again 超期未完成,下次重发',
  'open-next-run': 'the next run sends them 下次运行发送',
};

/** How a run's books stand, in one line: the same in every view. `deadLetters`: of its integration; absent: not counted. */
export const booksWords = (books: RunBooks, deadLetters = 0): string => {
  const { state, run } = books;
  const letters = deadLetters > 0 ? `${deadLetters} in the dead-letter queue` : '';
  const waiting = [waitingWords(books), letters].filter((words) => words !== '').join(', ');
  switch (state) {
    case 'reading':
      return 'The source is being read. 正在抓取。';
    case 'unfinished':
      return coloured(
        'red',
        '✗ Not finished: the source could not be read to its end. Nothing is lost, the next run goes on. 未完成,下次继续。',
      );
    case 'unequal':
      return coloured('red', '✗ The books do not balance. 账目不平。');
    case 'failed':
      return coloured('red', failedWords(run));
    case 'open':
      return `… Not settled yet 尚未完结; ${waiting}: ${openWords[state]}.`;
    case 'open-next-run':
      return coloured('yellow', `! Not settled yet 尚未完结; ${waiting}: ${openWords[state]}.`);
    case 'open-lost':
    case 'open-overdue':
      return coloured('red', `✗ Not settled 未完结; ${waiting}: ${openWords[state]}.`);
    case 'waiting':
      return coloured('yellow', `! Not settled yet 尚未完结; ${waiting}.`);
    case 'uneasy':
    case 'troubled':
    case 'partial':
    case 'set-aside':
    case 'settled':
      return run.adoption ? adoptedWords(run.adoption, waiting) : closedWords(waiting);
    default:
      return state satisfies never;
  }
};

const closedWords = (waiting: string): string =>
  waiting === ''
    ? coloured('green', '✓ Books balance, nothing is waiting. 账目平衡,无待处理。')
    : coloured('yellow', `! Books balance 账目平衡; ${waiting}.`);

const adoptedWords = ({ adopted, known }: Adoption, waiting: string): string => {
  const words = `Taken over 已接管: ${adopted}, known already 已知: ${known}; nothing was sent 未发送.`;
  return waiting === '' ? coloured('green', `✓ ${words}`) : coloured('yellow', `! ${words} ${waiting}.`);
};

/** What every `--json` of a run says of its books. */
export const booksJson = ({ balanced, setAside }: Pick<RunBooks, 'balanced' | 'setAside'>) => ({
  balanced,
  ...(countedSetAside(setAside).length > 0 && { setAside }),
});
