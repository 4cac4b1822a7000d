import type { DeadLetterReason } from '../../lib/load/dead-letter.ts';
import { type Letter, type LetterFilter, listLetters } from '../../lib/replay/letters.ts';
import type { Replayed } from '../../lib/replay/replay.ts';
import { SERVICE_DIR, startEmbedded } from './embedded.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { chooseIntegration } from './integration-choice.ts';
import { readFaults, readGroups } from './sandbox-options.ts';
import { table } from './table.ts';

export type ListFlags = { dataDir: string; reason?: DeadLetterReason; id?: string; json?: boolean };

/** Prints the dead letters, oldest first. Exit 1 while any wait. */
export const listCommand = async ({ dataDir, reason, id, json }: ListFlags): Promise<ExitCode> => {
  const embedded = await startEmbedded({ dataDir });
  try {
    const filter: LetterFilter = { ...(reason && { reason }), ...(id !== undefined && { id }) };
    const letters = await listLetters(embedded.stores.deadLetters, filter);
    process.stdout.write(json ? `${JSON.stringify({ letters: letters.map(shown) })}\n` : listText(letters));
    return letters.length > 0 ? exitCodes.unfinishedRecords : exitCodes.ok;
  } finally {
    await embedded.close();
  }
};

/** A letter without the queue's own handle. */
const shown = ({ handle: _, ...letter }: Letter) => letter;

const time = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

const listText = (letters: readonly Letter[]): string => {
  if (letters.length === 0) return 'No dead letters. 没有死信。\n';
  const rows = letters.map(({ reason, integration, id, number, failure, attempts, lastMs, body }) => [
    reason,
    id ?? '-',
    number ?? '',
    [failure?.status, failure?.excerpt ?? failure?.cause ?? body].filter((word) => word !== undefined).join(' '),
    String(attempts),
    time(lastMs),
    integration ?? '-',
  ]);
  const header = ['reason', 'id', 'number', 'words', 'attempts', 'last (UTC)', 'integration'];
  return [
    table(header, rows),
    '',
    `${letters.length} waiting. When the cause is mended 修复后重放:  npm start -- dlq replay`,
    '',
  ].join('\n');
};

export type ReplayFlags = {
  dataDir: string;
  integration: string;
  reason?: DeadLetterReason;
  id?: string;
  limit?: number;
  dryRun?: boolean;
  json?: boolean;
  groups?: string;
  fault?: string[];
};

const POLL_MS = 100;

/** Sends letters to be loaded again, waits until they are, and says what became of them. */
export const replayCommand = async (flags: ReplayFlags): Promise<ExitCode> => {
  const { dataDir, reason, id, limit, dryRun, json } = flags;
  const choice = chooseIntegration(flags.integration, SERVICE_DIR);
  const groups = flags.groups === undefined ? undefined : await readGroups(flags.groups);
  const run = { ...choice, ...(groups && { groups }), faults: readFaults(flags.fault ?? []) };
  const embedded = await startEmbedded({ dataDir, run });
  try {
    const integration = choice.integration.name;
    const filter = {
      integration,
      ...(reason && { reason }),
      ...(id !== undefined && { id }),
      ...(limit !== undefined && { limit }),
    };
    const replayed = (await embedded.stack.invoke('replay', {
      kind: 'replay',
      ...filter,
      ...(dryRun && { dryRun }),
    })) as Replayed;
    if (!dryRun && replayed.replayed.length > 0) {
      embedded.stack.startEventSources();
      while (!(await embedded.stack.drained())) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      await embedded.stack.invoke('reconcile', { kind: 'reconcile' });
    }
    const waiting = await listLetters(embedded.stores.deadLetters, { integration });
    const again = new Set(waiting.map((letter) => letter.id));
    const backIds = dryRun ? [] : replayed.replayed.flatMap((letter) => (again.has(letter.id) ? [letter.id] : []));
    const result = { ...replayed, dryRun: dryRun ?? false, backInQueue: backIds.length, deadLetters: waiting.length };
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : replayText(result));
    return waiting.length > 0 ? exitCodes.unfinishedRecords : exitCodes.ok;
  } finally {
    await embedded.close();
  }
};

type ReplayResult = Replayed & { dryRun: boolean; backInQueue: number; deadLetters: number };

const replayText = ({ replayed, notReplayable, dryRun, backInQueue, deadLetters }: ReplayResult): string => {
  if (replayed.length === 0) return `Nothing to replay. 没有可重放的死信。  (${deadLetters} waiting)\n`;
  const rows = replayed.map((letter) => [letter.reason, letter.id ?? '-', letter.integration ?? '-']);
  const settled = replayed.length - backInQueue;
  return [
    table(['reason', 'id', 'integration'], rows),
    '',
    dryRun
      ? `Dry run: ${replayed.length} would be sent again. 预演,未发送。`
      : `${replayed.length} sent again: ${settled} settled, ${backInQueue} back in the dead-letter queue.`,
    ...(notReplayable > 0 ? [`${notReplayable} cannot be read and stay.`] : []),
    '',
  ].join('\n');
};
