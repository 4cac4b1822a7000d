import type { IdCheck } from '../../lib/idcheck/item.ts';
import type { AuditEntry } from '../../lib/replay/audit.ts';
import { type Letter, listLetters } from '../../lib/replay/letters.ts';
import type { LedgerEntry } from '../../lib/run/ledger.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { MissingChunkError } from '../../lib/run/store.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-code.ts';
import { integrationsMeant, stampOf } from './find-run.ts';
import { fittedTable, terminalColumns } from './fitted-table.ts';
import { letterFacts, letterWords } from './letter-text.ts';
import type { Stores } from './stores.ts';
import { type StackFlags, withStores } from './with-stores.ts';
import { coloured, localTime } from './words.ts';

export type RecordFlags = StackFlags & { integration?: string; runs: number; json?: boolean };

type Carried = { runId: string; startedMs: number } & Pick<LedgerEntry, 'outcome' | 'reason' | 'hash'>;

/** Everything known of one id in one integration. */
type History = {
  integration: string;
  id: string;
  item: IdCheck | undefined;
  /** The runs whose ledger names it, newest first. */
  runs: Carried[];
  letters: Letter[];
  audit: AuditEntry[];
};

/**
 * Prints everything known of a record: its idCheck item, the recent runs that carried it, its dead letters, and what
 * people did to them. Exit 1 where it is in trouble. Throws UsageError where nothing is known of the id.
 */
export const recordCommand = async (id: string, flags: RecordFlags): Promise<ExitCode> => {
  const integrations = integrationsMeant(flags.integration);
  const histories = await withStores(flags, async (stores) => {
    const letters = await listLetters(stores.deadLetters, { id });
    const all: History[] = [];
    for (const { name } of integrations) {
      const item = (await stores.idStore.read(name, [id])).get(id);
      all.push({
        integration: name,
        id,
        item,
        runs: await runsCarrying(name, id, flags.runs, stores),
        letters: letters.filter((letter) => letter.integration === name),
        audit: await stores.audit.list(name, id),
      });
    }
    return all.filter(isKnown);
  });
  if (histories.length === 0) {
    const names = integrations.map(({ name }) => name).join(', ');
    throw new UsageError(`Nothing is known of the id ${JSON.stringify(id)} in ${names}. 没有这条记录。`);
  }
  process.stdout.write(
    flags.json ? `${JSON.stringify({ records: histories.map(forMachines) })}\n` : histories.map(historyText).join('\n'),
  );
  const isTroubled = histories.some(({ item, letters }) => item?.trouble !== undefined || letters.length > 0);
  return isTroubled ? exitCodes.unfinishedRecords : exitCodes.ok;
};

const isKnown = ({ item, runs, letters, audit }: History): boolean =>
  item !== undefined || runs.length + letters.length + audit.length > 0;

const runsCarrying = async (integration: string, id: string, limit: number, { runs }: Stores): Promise<Carried[]> => {
  const carried: Carried[] = [];
  for (const run of await runs.runs(integration, limit)) carried.push(...(await entriesOf(run, id, runs)));
  return carried;
};

const entriesOf = async (run: RunRecord, id: string, runs: Stores['runs']): Promise<Carried[]> => {
  const { runId, startedMs } = run;
  const found: Carried[] = [];
  try {
    const chunks = run.chunks ?? run.checkpoint?.chunks ?? 0;
    for await (const { entries } of runs.chunks(run.integration, runId, chunks)) {
      for (const { id: entryId, ...entry } of entries) if (entryId === id) found.push({ runId, startedMs, ...entry });
    }
  } catch (error) {
    // Expired or torn: its other chunks have been looked at.
    if (!(error instanceof MissingChunkError)) throw error;
  }
  return found;
};

const forMachines = ({ letters, item, ...history }: History) => ({
  ...history,
  item: item ?? null,
  letters: letters.map(letterFacts),
});

const historyText = ({ integration, id, item, runs, letters, audit }: History): string => {
  const lines = [`${id}  ${integration}`, '', ...itemLines(item), ''];
  const add = (title: string, header: readonly string[], rows: string[][]) => {
    if (rows.length > 0) lines.push(title, fittedTable(header, rows, terminalColumns()), '');
  };
  add(
    'Runs that carried it 经过的运行',
    ['run', 'started', 'outcome', 'hash', 'reason'],
    runs.map((run) => [
      stampOf({ runId: run.runId, integration }),
      localTime(run.startedMs),
      run.outcome,
      (run.hash ?? '').slice(0, 8),
      run.reason ?? '',
    ]),
  );
  add(
    'Dead letters 死信',
    ['reason', 'last', 'attempts', 'words'],
    letters.map((letter) => [letter.reason, localTime(letter.lastMs), String(letter.attempts), letterWords(letter)]),
  );
  add(
    'Done by hand 人工处理',
    ['when', 'action', 'by', 'why'],
    audit.map(({ atMs, action, by, why }) => [localTime(atMs), action, by, why]),
  );
  return lines.join('\n');
};

const itemLines = (item: IdCheck | undefined): string[] => {
  if (item === undefined) return ['  idCheck knows nothing of it. idCheck 中没有。'];
  const { loaded, deleted, claim, trouble, doubt, rev } = item;
  const unsureSinceMs = loaded?.unsureSinceMs;
  return [
    ...(loaded
      ? [`  loaded 已写入      ${localTime(loaded.atMs)}  hash ${loaded.hash}, version ${localTime(loaded.versionMs)}`]
      : ['  never loaded 从未写入']),
    ...(unsureSinceMs === undefined
      ? []
      : [
          `      unsure 不确定    since ${localTime(unsureSinceMs)}: a later POST of unknown outcome may have replaced it`,
        ]),
    ...(deleted ? [`  deleted 已删除     ${localTime(deleted.atMs)}`] : []),
    ...(claim
      ? [
          `  claimed 处理中     since ${localTime(claim.sinceMs)}, until ${localTime(claim.untilMs)}, hash ${claim.hash}`,
        ]
      : []),
    ...(trouble
      ? [
          coloured('yellow', `  ${trouble.kind} 有问题  since ${localTime(trouble.sinceMs)}: ${trouble.reason}`),
          `      hash ${trouble.hash}${trouble.parentId === undefined ? '' : `, waits for ${trouble.parentId}`}${trouble.letterMs === undefined ? '' : `, letter since ${localTime(trouble.letterMs)}`}`,
        ]
      : []),
    ...(doubt ? [`  in doubt 存疑      hash ${doubt.hash} until ${localTime(doubt.untilMs)}`] : []),
    `  revision 修订      ${rev}`,
  ];
};
