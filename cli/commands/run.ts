import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import type { Selection } from '../../lib/messages/run-request.ts';
import { type ExitCode, exitCodeOf, exitCodes } from '../../lib/operate/exit-code.ts';
import { lastPutBack } from '../../lib/operate/pauses.ts';
import { type Asked, type Prepare, type RunNews, runNow } from '../../lib/operate/run-now.ts';
import { lookAtRun } from '../../lib/operate/status.ts';
import { type Side, sides } from '../../lib/runs/ends.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import { defined } from '../../lib/runtime/defined.ts';
import type { Stores } from '../../lib/stores/stores.ts';
import { dataDirOf, maxWaitOf, type StackFlags } from '../input/flags.ts';
import { idsTyped } from '../input/id-list.ts';
import { chooseIntegration } from '../input/integration-choice.ts';
import { checkStageFlags, type SandboxFlags, sandboxOptions } from '../input/sandbox-options.ts';
import { stopSignal } from '../input/stop-signal.ts';
import { startProgress } from '../screen/progress.ts';
import { type Finished, reportJson, reportText, warningLines } from '../screen/report.ts';
import { statusText } from '../screen/status.ts';
import { pauseWords, putBackWords, restWords } from '../screen/words.ts';
import { checkTarget } from '../stack/addresses.ts';
import { deployedEngine } from '../stack/deployed.ts';
import { startEmbedded } from '../stack/embedded.ts';
import { embeddedEngine } from '../stack/embedded-engine.ts';
import { sandboxedSides, strangeVariables } from '../stack/sides.ts';
import { withStores } from '../stack/with-stores.ts';
import { print, shown } from '../terminal/print.ts';
import { beginAnew } from './fresh.ts';

export type RunFlags = StackFlags &
  SandboxFlags & {
    maxWait?: string;
    integration: string;
    fresh?: boolean;
    fullRefresh?: boolean;
    /** So many records are taken on, or only those of these ids. */
    limit?: number;
    id?: string[];
    yes?: boolean;
    json?: boolean;
  };

/** What the flags ask a run to take on; undefined: all. Throws UsageError. */
export const selectionBy = ({ limit, id }: Pick<RunFlags, 'limit' | 'id'>): Selection | undefined =>
  limit === undefined && id === undefined ? undefined : { ...defined({ limit }), ...defined({ ids: idsTyped(id) }) };

/** What is asked of the engine, and what is to be written down before. */
export type Job = { asked: Asked; prepare?: (stores: Stores) => Prepare };

/** One run to its closed books, on the embedded stack or on a deployed one. */
export const runCommand = async (flags: RunFlags): Promise<ExitCode> => {
  const { fullRefresh = false, yes = false } = flags;
  const selection = selectionBy(flags);
  return runJob(flags, { asked: { fullRefresh, ...(yes && { confirmed: true }), ...defined({ selection }) } });
};

/** What a run is asked for and how it ends is the same for all that go over a source. */
export const runJob = async ({ stage, ...flags }: RunFlags, job: Job): Promise<ExitCode> => {
  if (stage === undefined) return runEmbedded({ ...flags, dataDir: dataDirOf(flags.dataDir, flags.sandbox) }, job);
  checkStageFlags(flags);
  return runDeployed({ ...flags, stage }, job);
};

const runEmbedded = async (flags: Omit<RunFlags, 'stage'>, { asked, prepare }: Job): Promise<ExitCode> => {
  const startedMs = Date.now();
  const { integration, paths, warnings } = chooseIntegration(flags.integration);
  const maxWaitMs = maxWaitOf(flags.maxWait);
  const loadLog = join(flags.dataDir, 'logs', 'load.log');
  const progress = startProgress(process.stderr, () => putBackWords(lastPutBack(tailOf(loadLog))));
  for (const words of strangeVariables(integration, process.env)) progress.say(words);
  const run = { integration, paths, needs: sides, ...(await sandboxOptions(flags)) };
  const stop = stopSignal();
  const isReal = !sandboxedSides(integration, process.env, run).includes('target');
  const embedded = await startEmbedded({
    dataDir: flags.dataDir,
    // Where a real target is at the end of it, somebody is asked first.
    fresh: (flags.fresh ?? false) && (!isReal || (flags.yes ?? false)),
    run,
    onEvent: progress.onEvent,
  });
  try {
    progress.say(`${integration.title}  (${integration.name})`);
    for (const warning of warnings) progress.say(`! ${warning}`);
    if (embedded.sandbox) {
      progress.say(standInWords(embedded.sandboxedSides, embedded.sandbox.url, integration, flags));
    }
    if (flags.fresh) await beginAnew(integration, embedded, flags);
    await checkTarget(integration, { ...run, named: flags.integration }, embedded.stores);
    const onNews = (news: RunNews) => {
      if (news.kind === 'seen') progress.onSeen(news);
      if (news.kind === 'rests') progress.say(`  ${restWords(news.rest)}`);
      if (news.kind === 'finishing') progress.say(finishingWords(news.runId));
      if (news.kind === 'paused') progress.say(`  ${pauseWords(news.pause)}`);
    };
    const engine = embeddedEngine(embedded, integration.name);
    const end = await stop.unlessStopped(
      runNow(integration, asked, engine, {
        clock,
        onNews,
        isStopped: stop.isStopped,
        maxWaitMs,
        ...defined({ prepare: prepare?.(embedded.stores) }),
      }),
    );
    progress.end();
    if (end === 'stopped') {
      progress.say('Stopping: what is on its way to the target is waited for, 10 s at most. Again to stop at once.');
      await embedded.close();
      progress.say('Stopped. What was loaded is known; the next run goes on with the rest.');
      return exitCodes.runFailed;
    }
    const { sandboxedSides } = embedded;
    const finished: Finished = { ...end, integration, durationMs: Date.now() - startedMs, sandboxedSides, flags };
    if (flags.json) for (const line of warningLines(shown(finished.run))) progress.say(line);
    print(flags.json ? `${reportJson(finished)}\n` : reportText(shown(finished)));
    return exitCodeOf(end);
  } finally {
    progress.end();
    await embedded.close();
    stop.release();
  }
};

const standInWords = (
  sandboxed: readonly Side[],
  url: string,
  integration: Integration,
  { sandbox, dataDir }: SandboxFlags & { dataDir: string },
): string => {
  const stoodInFor = sandboxed.map((side) => integration[side].connection.name).join(' and ');
  return sandbox === undefined
    ? `No address is set for ${stoodInFor}: the built-in sandbox at ${url} stands in.`
    : `The built-in sandbox at ${url} stands in for ${stoodInFor}, as --sandbox says; state is kept in ${dataDir}. 沙箱代替 ${sandbox === 'source' ? '源' : '目标'}。`;
};

/** Enough for a few dozen lines. */
const TAIL_BYTES = 16_384;

/** The end of a file; empty where it cannot be read. */
const tailOf = (file: string): string => {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const { size } = fstatSync(descriptor);
      const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
      readSync(descriptor, tail, 0, tail.length, size - tail.length);
      return tail.toString('utf8');
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return '';
  }
};

/**
 * Asks a deployed stack for a run, follows it until its books are closed, and prints them. An earlier run that was left
 * unfinished is gone on with instead, as a schedule would. Throws RunNotStartedError.
 */
const runDeployed = async (flags: RunFlags & { stage: string }, { asked, prepare }: Job): Promise<ExitCode> => {
  const startedMs = Date.now();
  const { integration } = chooseIntegration(flags.integration);
  return withStores(flags, async (stores) => {
    const onNews = (news: RunNews) => {
      print(`${newsLine(news, flags.stage, integration.name)}\n`, process.stderr);
    };
    const engine = deployedEngine(flags.stage, stores, integration);
    const end = await runNow(integration, asked, engine, {
      clock,
      onNews,
      isStopped: () => false,
      maxWaitMs: Number.POSITIVE_INFINITY,
      ...defined({ prepare: prepare?.(stores) }),
    });
    const durationMs = Date.now() - startedMs;
    if (flags.json) for (const line of warningLines(shown(end.run))) print(`${line}\n`, process.stderr);
    print(
      flags.json
        ? `${reportJson({ ...end, durationMs })}\n`
        : statusText(
            shown({
              ...(await lookAtRun(end.run, integration, { ...stores, clock })),
              deadLetters: end.deadLetters,
            }),
          ),
    );
    return exitCodeOf(end);
  });
};

const finishingWords = (runId: string): string =>
  `The run ${runId} was stopped while it was loading: what it has queued is loaded first. 先写完上次运行的积压。`;

const newsLine = (news: RunNews, stage: string, integration: string): string => {
  switch (news.kind) {
    case 'asked':
      return `Asked ${stage} for a run of ${integration}.`;
    case 'paused':
      return `  ${pauseWords(news.pause)}`;
    case 'rests':
      return `  ${restWords(news.rest)}`;
    case 'finishing':
      return finishingWords(news.runId);
    case 'joined':
      return `The run ${news.runId} is under way; following that one.`;
    case 'seen': {
      const { status, counts, requests } = news.run;
      return `  ${status}: ${counts.fetched} fetched in ${requests.source} requests, ${counts.enqueued} to load`;
    }
    default:
      return news satisfies never;
  }
};
