import { setTimeout as sleep } from 'node:timers/promises';
import { listLetters } from '../lib/messages/dead-letter-queue.ts';
import { MAX_REPLAYS, type Replayed, type ReplayRequest, replay } from '../lib/replay/replay.ts';
import { systemClock } from '../lib/runtime/clock.ts';
import { defined } from '../lib/runtime/defined.ts';
import { silentLog } from '../lib/runtime/log.ts';
import { filterOf, type LetterFlags } from './dlq-flags.ts';
import { type Embedded, SERVICE_DIR, startEmbedded } from './embedded.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-code.ts';
import { chooseIntegration } from './integration-choice.ts';
import { readFaults, readGroups } from './sandbox-options.ts';
import { table } from './table.ts';
import { withStores } from './with-stores.ts';

export type ReplayFlags = LetterFlags & {
  rate?: number;
  force?: boolean;
  dryRun?: boolean;
  groups?: string;
  fault?: string[];
};

/** `backInQueue`: letters that were sent again and have come back. `deadLetters`: those that wait in the end. */
type ReplayResult = Replayed & { dryRun: boolean; backInQueue: number; deadLetters: number };

/**
 * Sends letters to be loaded again. On the embedded stack it waits until they are and says what became of them; on a
 * deployed one the stack's own functions do the loading. Exit 1 while letters wait.
 */
export const replayCommand = async (flags: ReplayFlags): Promise<ExitCode> => {
  const result = flags.stage === undefined ? await replayEmbedded(flags) : await replayDeployed(flags);
  process.stdout.write(flags.json ? `${JSON.stringify(result)}\n` : replayText(result, flags.stage));
  return result.deadLetters > 0 ? exitCodes.unfinishedRecords : exitCodes.ok;
};

const requestOf = (flags: ReplayFlags, integration: string | undefined): ReplayRequest => ({
  ...filterOf(flags, integration),
  ...defined({ ratePerSec: flags.rate }),
  ...(flags.force && { force: true }),
  ...(flags.dryRun && { dryRun: true }),
});

const replayDeployed = async (flags: ReplayFlags): Promise<ReplayResult> => {
  const integration =
    flags.integration === undefined ? undefined : chooseIntegration(flags.integration, SERVICE_DIR).integration.name;
  return withStores(flags, async ({ deadLetters, records }) => {
    const replayed = await replay(requestOf(flags, integration), {
      deadLetters,
      records,
      clock: systemClock,
      log: silentLog,
    });
    const waiting = await listLetters(deadLetters, integration === undefined ? {} : { integration });
    return { ...replayed, dryRun: flags.dryRun ?? false, backInQueue: 0, deadLetters: waiting.length };
  });
};

const POLL_MS = 100;

const replayEmbedded = async (flags: ReplayFlags): Promise<ReplayResult> => {
  const result: ReplayResult = {
    replayed: [],
    notReplayable: 0,
    heldBack: 0,
    others: 0,
    dryRun: flags.dryRun ?? false,
    backInQueue: 0,
    deadLetters: 0,
  };
  const { names, unreadable } = await integrationsWithLetters(flags);
  result.notReplayable += unreadable;
  for (const nameOrPath of names) {
    const left = flags.limit === undefined ? undefined : flags.limit - result.replayed.length;
    if (left === 0) break;
    const one = await replayIntegration(nameOrPath, { ...flags, ...defined({ limit: left }) });
    result.replayed.push(...one.replayed);
    result.notReplayable += one.notReplayable;
    result.heldBack += one.heldBack;
    result.backInQueue += one.backInQueue;
  }
  const waiting = await withStores(flags, ({ deadLetters }) => listLetters(deadLetters));
  const isOurs = flags.integration === undefined ? () => true : integrationFilter(flags.integration);
  result.deadLetters = waiting.filter(isOurs).length;
  result.others = waiting.length - result.deadLetters;
  return result;
};

const integrationFilter = (nameOrPath: string) => {
  const { name } = chooseIntegration(nameOrPath, SERVICE_DIR).integration;
  return (letter: { integration?: string }) => letter.integration === name;
};

/**
 * The integration that is named, or all that letters wait for: each is replayed with its own target. And the letters
 * that are meant of which nobody can say whose they are.
 */
const integrationsWithLetters = async (flags: ReplayFlags): Promise<{ names: string[]; unreadable: number }> => {
  if (flags.integration !== undefined) return { names: [flags.integration], unreadable: 0 };
  const letters = await withStores(flags, ({ deadLetters }) => listLetters(deadLetters, filterOf(flags, undefined)));
  const names = [...new Set(letters.flatMap(({ message }) => message?.integration ?? []))];
  for (const name of names) {
    try {
      chooseIntegration(name, SERVICE_DIR);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`Letters of ${name} wait, which is not among the shipped files: --integration FILE`);
    }
  }
  const unreadable = letters.filter(({ integration, message }) => (integration ?? message) === undefined).length;
  return { names, unreadable };
};

const replayIntegration = async (
  nameOrPath: string,
  flags: ReplayFlags,
): Promise<Replayed & { backInQueue: number }> => {
  const choice = chooseIntegration(nameOrPath, SERVICE_DIR);
  const groups = flags.groups === undefined ? undefined : await readGroups(flags.groups);
  const run = { ...choice, ...defined({ groups }), faults: readFaults(flags.fault ?? []) };
  const embedded = await startEmbedded({ dataDir: flags.dataDir, run });
  try {
    const integration = choice.integration.name;
    const event = { kind: 'replay', ...requestOf(flags, integration) };
    const replayed = (await embedded.stack.invoke('replay', event)) as Replayed;
    if (flags.dryRun || replayed.replayed.length === 0) return { ...replayed, backInQueue: 0 };
    await loadAll(embedded);
    const waiting = await listLetters(embedded.stores.deadLetters, { integration });
    const again = new Set(waiting.map(({ id }) => id));
    return { ...replayed, backInQueue: replayed.replayed.filter(({ id }) => again.has(id)).length };
  } finally {
    await embedded.close();
  }
};

/** A poller holds messages up to its batching window (1 s): only then are they those of a function that failed. */
const STRANDED_AFTER_MS = 3_000;

/** Lets the workers load what is queued, and balances the books. Messages of a function that failed are left behind. */
const loadAll = async ({ stack }: Embedded): Promise<void> => {
  stack.startEventSources();
  let busyMs = Date.now();
  for (;;) {
    const { visible, inFlight, delayed, running } = stack.backlog();
    if (visible + delayed + running > 0) busyMs = Date.now();
    if (visible + inFlight + delayed + running === 0 || Date.now() - busyMs > STRANDED_AFTER_MS) break;
    await sleep(POLL_MS);
  }
  await stack.invoke('reconcile', { kind: 'reconcile' });
};

const replayText = (
  { replayed, notReplayable, heldBack, dryRun, backInQueue, deadLetters }: ReplayResult,
  stage: string | undefined,
): string => {
  const notes = [
    ...(notReplayable > 0
      ? [
          `${notReplayable} cannot be read and stay: mend what should read them, or npm start -- dlq discard. 不可读,保留。`,
        ]
      : []),
    ...(heldBack > 0
      ? [`${heldBack} held back, refused after ${MAX_REPLAYS} replays: --force or --id sends them. 多次被拒,保留。`]
      : []),
  ];
  if (replayed.length === 0) {
    return [`Nothing to replay. 没有可重放的死信。  (${deadLetters} waiting)`, ...notes, ''].join('\n');
  }
  const rows = replayed.map((letter) => [letter.reason, letter.id ?? '-', letter.integration ?? '-']);
  const outcome =
    stage === undefined
      ? `${replayed.length} sent again: ${replayed.length - backInQueue} settled, ${backInQueue} back in the dead-letter queue.`
      : `${replayed.length} sent again; npm start -- dlq list --stage ${stage} shows what comes back.`;
  return [
    table(['reason', 'id', 'integration'], rows),
    '',
    dryRun ? `Dry run: ${replayed.length} would be sent again. 预演,未发送。` : outcome,
    ...(deadLetters > 0 && !dryRun && stage === undefined
      ? [`${deadLetters} in the dead-letter queue now 仍在死信队列: npm start -- dlq list`]
      : []),
    ...notes,
    '',
  ].join('\n');
};
