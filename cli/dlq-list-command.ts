import { surelyLoaded } from '../lib/idcheck/decide.ts';
import type { IdCheck } from '../lib/idcheck/item.ts';
import type { IdStore } from '../lib/idcheck/store.ts';
import { stringifyJson } from '../lib/json/json.ts';
import type { Letter } from '../lib/messages/dead-letter.ts';
import { listLetters } from '../lib/messages/dead-letter-queue.ts';
import { defined } from '../lib/runtime/defined.ts';
import { filterOf, type LetterFlags } from './dlq-flags.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-code.ts';
import { integrationsMeant } from './find-run.ts';
import { fittedTable, terminalColumns } from './fitted-table.ts';
import { countByReason, letterFacts, letterWords } from './letter-text.ts';
import type { StackFlags } from './with-stores.ts';
import { withStores } from './with-stores.ts';
import { localTime } from './words.ts';

/** Prints the dead letters grouped by reason, in each the oldest first. Exit 1 while any wait. */
export const listCommand = async (flags: LetterFlags): Promise<ExitCode> => {
  const integration = flags.integration === undefined ? undefined : integrationsMeant(flags.integration)[0]?.name;
  const filter = filterOf(flags, integration);
  const { letters, settled } = await withStores(flags, async ({ deadLetters, idStore }) => {
    const found = await listLetters(deadLetters, filter);
    return { letters: found, settled: await loadedSince(found, idStore) };
  });
  const facts = letters.map((letter) => ({
    ...letterFacts(letter),
    ...(settled.has(letter) && { loadedSince: true }),
  }));
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ byReason: Object.fromEntries(countByReason(letters)), letters: facts })}\n`
      : listText(letters, settled.size),
  );
  return letters.length > 0 ? exitCodes.unfinishedRecords : exitCodes.ok;
};

/** The letters whose content is loaded by now: a later run sent it again. */
const loadedSince = async (letters: readonly Letter[], idStore: IdStore): Promise<ReadonlySet<Letter>> => {
  const settled = new Set<Letter>();
  for (const integration of new Set(letters.map((letter) => letter.integration))) {
    if (integration === undefined) continue;
    const these = letters.filter((letter) => letter.integration === integration);
    const items = await idStore.read(
      integration,
      these.flatMap(({ id }) => id ?? []),
    );
    for (const letter of these) {
      const item = items.get(letter.id ?? '');
      const isLoaded = item !== undefined && surelyLoaded(item)?.hash === letter.message?.hash;
      if (isLoaded && item.trouble === undefined) settled.add(letter);
    }
  }
  return settled;
};

const listText = (letters: readonly Letter[], settled: number): string => {
  if (letters.length === 0) return 'No dead letters. 没有死信。\n';
  const byReason = countByReason(letters);
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
    [...byReason].map(([reason, count]) => `${count} ${reason}`).join(', '),
    '',
    fittedTable(header, rows, terminalColumns() ?? 160, fit),
    '',
    ...(settled > 0
      ? [`${settled} loaded since by a later run: a replay only deletes them 其中 ${settled} 条已写入,重放只删除死信`]
      : []),
    'npm start -- dlq show ID shows one 查看',
    'when the cause is mended 修复后重放: npm start -- dlq replay',
    '',
  ].join('\n');
};

/** Prints all of the letters of one record (or of a letter's message id). Throws UsageError where none waits. */
export const showCommand = async (
  id: string,
  flags: StackFlags & { integration?: string; json?: boolean },
): Promise<ExitCode> => {
  const integration = flags.integration === undefined ? undefined : integrationsMeant(flags.integration)[0]?.name;
  const found = await withStores(flags, async ({ deadLetters, idStore }) => {
    const letters = await listLetters(deadLetters, { id, ...defined({ integration }) });
    return Promise.all(
      letters.map(async (letter) => ({
        letter: letterFacts(letter),
        item:
          letter.integration === undefined || letter.id === undefined
            ? undefined
            : (await idStore.read(letter.integration, [letter.id])).get(letter.id),
      })),
    );
  });
  if (found.length === 0) throw new UsageError(`No dead letter waits for ${JSON.stringify(id)}. 没有这条死信。`);
  if (flags.json) {
    process.stdout.write(`${stringifyJson({ letters: found } as unknown as Record<string, never>)}\n`);
    return exitCodes.unfinishedRecords;
  }
  for (const { letter, item } of found) process.stdout.write(showText(letter, item));
  return exitCodes.unfinishedRecords;
};

type Shown = ReturnType<typeof letterFacts>;

/** What idCheck knows of the letter's record by now: what is settled is not loaded again by a replay. */
const itemWords = (item: IdCheck | undefined, hash: string | undefined): string | undefined => {
  if (item?.trouble !== undefined) return `${item.trouble.kind}: ${item.trouble.reason}`;
  if (item?.loaded === undefined) return undefined;
  const when = localTime(item.loaded.atMs);
  return item.loaded.hash === hash
    ? `loaded since ${when}: a replay only deletes the letter 已写入,重放只删除死信`
    : `other content loaded ${when} 已写入其他内容`;
};

const showText = (letter: Shown, item: IdCheck | undefined): string => {
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
