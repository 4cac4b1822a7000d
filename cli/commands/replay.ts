import { listLetters } from '../../lib/messages/dead-letter-queue.ts';
import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import {
  integrationsWithLetters,
  type ReplayEnd,
  type ReplayPlace,
  replayAndLoad,
  replayLetters,
} from '../../lib/operate/replay-letters.ts';
import { MAX_REPLAYS, type Replayed, type ReplayRequest } from '../../lib/replay/replay.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import { defined } from '../../lib/runtime/defined.ts';
import { silentLog } from '../../lib/runtime/log.ts';
import { operatorName } from '../input/ask.ts';
import { dataDirOf, filterOf, type LetterFlags } from '../input/flags.ts';
import { type Choice, chooseIntegration, nameMeant } from '../input/integration-choice.ts';
import { checkStageFlags, type SandboxFlags, sandboxOptions } from '../input/sandbox-options.ts';
import { UsageError } from '../input/usage-error.ts';
import { doubtWords, otherTargetWords } from '../screen/letters.ts';
import { table } from '../screen/table.ts';
import { restWords } from '../screen/words.ts';
import { checkTarget } from '../stack/addresses.ts';
import { startEmbedded } from '../stack/embedded.ts';
import { loadAll } from '../stack/embedded-engine.ts';
import { strangeVariables } from '../stack/sides.ts';
import { withStores } from '../stack/with-stores.ts';
import { print, shown } from '../terminal/print.ts';

export type ReplayFlags = LetterFlags &
  SandboxFlags & { rate?: number; force?: boolean; dryRun?: boolean; why?: string; by?: string };

/**
 * Sends letters to be loaded again. On the embedded stack it waits until they are and says what became of them; on a
 * deployed one the stack's own functions do the loading. Exit 1 while letters wait, 3 where the target is down.
 */
export const replayCommand = async (flags: ReplayFlags): Promise<ExitCode> => {
  const dataDir = dataDirOf(flags.dataDir, flags.sandbox);
  const result = flags.stage === undefined ? await replayEmbedded({ ...flags, dataDir }) : await replayDeployed(flags);
  print(flags.json ? `${JSON.stringify(result)}\n` : replayText(shown(result), flags));
  if (result.rest !== undefined && result.rest.cause !== 'not-understood') return exitCodes.runFailed;
  return result.deadLetters > 0 || result.rest !== undefined ? exitCodes.unfinishedRecords : exitCodes.ok;
};

const MENDED = 'to be loaded again';

const requestOf = (flags: ReplayFlags, integration: string | undefined): ReplayRequest => ({
  ...filterOf(flags, integration),
  by: flags.by ?? operatorName(),
  why: flags.why ?? MENDED,
  ...defined({ ratePerSec: flags.rate }),
  ...(flags.force && { force: true }),
  ...(flags.dryRun && { dryRun: true }),
});

const replayDeployed = async (flags: ReplayFlags): Promise<ReplayEnd> => {
  checkStageFlags(flags);
  const request = requestOf(flags, nameMeant(flags.integration));
  return withStores(flags, (stores) => replayLetters(request, { ...stores, clock, log: silentLog }));
};

const replayEmbedded = async (flags: ReplayFlags): Promise<ReplayEnd> => {
  const { choices, unreadable } = await choicesMeant(flags);
  const places = choices.map((choice) => placeOf(choice, flags));
  const replayed = await replayAndLoad(requestOf(flags, undefined), places);
  const meant = nameMeant(flags.integration);
  const waiting = await withStores(flags, ({ deadLetters }) => listLetters(deadLetters));
  const deadLetters = meant === undefined ? waiting : waiting.filter(({ integration }) => integration === meant);
  return {
    ...replayed,
    notReplayable: replayed.notReplayable + unreadable,
    others: waiting.length - deadLetters.length,
    deadLetters: deadLetters.length,
  };
};

/** The embedded stack, started with the target of one integration. */
const placeOf = (choice: Choice, flags: ReplayFlags): ReplayPlace => ({
  integration: choice.integration.name,
  open: async (use) => {
    for (const words of strangeVariables(choice.integration, process.env)) print(`${words}\n`, process.stderr);
    const run = { ...choice, needs: ['target'] as const, ...(await sandboxOptions(flags)) };
    const embedded = await startEmbedded({ dataDir: flags.dataDir, run });
    try {
      const { stack, stores } = embedded;
      await checkTarget(choice.integration, { ...run, named: flags.integration ?? choice.integration.name }, stores);
      return await use({
        deadLetters: stores.deadLetters,
        clock,
        replay: (request) => stack.invoke('replay', { kind: 'replay', ...request }) as Promise<Replayed>,
        loadAll: () => loadAll(embedded, choice.integration),
      });
    } finally {
      await embedded.close();
    }
  },
});

/**
 * The integration that is named, or all that letters wait for; and the letters that are meant of which nobody can say
 * whose they are. Throws UsageError.
 */
const choicesMeant = async (flags: ReplayFlags): Promise<{ choices: Choice[]; unreadable: number }> => {
  if (flags.integration !== undefined) return { choices: [chooseIntegration(flags.integration)], unreadable: 0 };
  const filter = filterOf(flags, undefined);
  const { names, unreadable } = await withStores(flags, (stores) => integrationsWithLetters(filter, stores));
  return { choices: names.map(shippedChoice), unreadable };
};

const shippedChoice = (name: string): Choice => {
  try {
    return chooseIntegration(name);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`Letters of ${name} wait, which is not among the shipped files: --integration FILE`);
  }
};

const replayText = (
  { replayed, notReplayable, heldBack, mustBeResolved, otherTarget, dryRun, backInQueue, deadLetters, rest }: ReplayEnd,
  { stage, id }: Pick<ReplayFlags, 'stage' | 'id'>,
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
    ...doubtWords(mustBeResolved),
    ...otherTargetWords(otherTarget),
  ];
  if (replayed.length === 0) {
    const hint =
      id === undefined || notes.length > 0
        ? []
        : [`What was discarded is sent again by 丢弃的记录: npm start -- resend ${id}`];
    return [`Nothing to replay. 没有可重放的死信。  (${deadLetters} waiting)`, ...notes, ...hint, ''].join('\n');
  }
  const rows = replayed.map((letter) => [letter.reason, letter.id ?? '-', letter.integration ?? '-']);
  const outcome =
    rest !== undefined
      ? `${replayed.length} sent again, ${backInQueue} back in the dead-letter queue; what is left waits in the queue: ${restWords(rest)}.`
      : stage === undefined
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
