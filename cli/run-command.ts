import { join } from 'node:path';
import type { FetchEnd } from '../lib/fetch/fetch-run.ts';
import { listLetters } from '../lib/messages/dead-letter-queue.ts';
import { holds } from '../lib/runs/books.ts';
import { runIdOf } from '../lib/runs/record.ts';
import type { RunStore } from '../lib/runs/store.ts';
import { defined } from '../lib/runtime/defined.ts';
import { type Embedded, type EmbeddedOptions, SERVICE_DIR, startEmbedded } from './embedded.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { followRun, whileReading } from './follow-run.ts';
import { chooseIntegration } from './integration-choice.ts';
import { lastTrouble } from './last-trouble.ts';
import { type Progress, startProgress } from './progress.ts';
import { type Finished, isExtracted, reportJson, reportText, warningLines } from './report.ts';
import { readFaults, readGroups } from './sandbox-options.ts';
import { stopSignal } from './stop-signal.ts';
import { messagesIn } from './stores.ts';

export type RunFlags = {
  integration: string;
  dataDir: string;
  fresh?: boolean;
  fullRefresh?: boolean;
  json?: boolean;
  groups?: string;
  fault?: string[];
};

/** One scheduled run on the embedded stack, from the schedule's event to its books. Returns the exit code. */
export const runCommand = async (flags: RunFlags): Promise<ExitCode> => {
  const startedMs = Date.now();
  const choice = chooseIntegration(flags.integration, SERVICE_DIR);
  const { integration } = choice;
  const loadLog = join(flags.dataDir, 'logs', 'load.log');
  const progress = startProgress(process.stderr, () => lastTrouble(loadLog));
  const groups = flags.groups === undefined ? undefined : await readGroups(flags.groups);
  const options: EmbeddedOptions = {
    dataDir: flags.dataDir,
    fresh: flags.fresh ?? false,
    run: { integration, paths: choice.paths, ...defined({ groups }), faults: readFaults(flags.fault ?? []) },
    onEvent: progress.onEvent,
  };
  const stop = stopSignal();
  const embedded = await startEmbedded(options);
  try {
    progress.say(`${integration.title}  (${integration.name})`);
    for (const warning of choice.warnings) progress.say(`! ${warning}`);
    if (embedded.sandbox) {
      const stoodInFor = embedded.sandboxedSides.map((side) => integration[side].connection.name).join(' and ');
      progress.say(`No address is set for ${stoodInFor}: the built-in sandbox at ${embedded.sandbox.url} stands in.`);
    }
    const followed = await stop.unlessStopped(
      startRun(embedded, integration.name, flags.fullRefresh ?? false, progress.onState).then((runId) =>
        followRun(embedded, integration, runId, { onState: progress.onState, isStopped: stop.isStopped }),
      ),
    );
    progress.end();
    if (followed === 'stopped') {
      progress.say('Stopping: what is on its way to the target is waited for, 10 s at most. Again to stop at once.');
      await embedded.close();
      progress.say(`Stopped. What was loaded is known; the next run goes on with the rest.`);
      return exitCodes.runFailed;
    }
    const finished: Finished = {
      ...followed,
      integration,
      deadLetters: await countLetters(embedded, integration.name),
      durationMs: Date.now() - startedMs,
      flags,
    };
    if (flags.json) for (const line of warningLines(finished.run)) progress.say(line);
    process.stdout.write(flags.json ? `${reportJson(finished)}\n` : reportText(finished));
    return exitCodeOf(finished);
  } finally {
    progress.end();
    await embedded.close();
    stop.release();
  }
};

/** Fires the schedule's event, as EventBridge Scheduler would now. Returns the id of the run that goes on. */
const startRun = async (
  embedded: Embedded,
  integration: string,
  fullRefresh: boolean,
  onState: Progress['onState'],
): Promise<string> => {
  const { stack, stores } = embedded;
  // The data directory is ours alone: whoever held the lease before is gone.
  const lease = await stores.runs.lease(integration);
  if (lease !== undefined && lease.untilMs > Date.now()) await stores.runs.endLease(lease, Date.now());
  stack.startEventSources();
  const scheduledTime = new Date(await freeSecond(stores.runs, integration)).toISOString();
  const event = { kind: 'schedule', integration, scheduledTime, fullRefresh };
  const [end] = await whileReading(stack.invoke('fetch', event) as Promise<FetchEnd[]>, embedded, integration, onState);
  if (end === undefined) throw new Error('functions/fetch answered without a run');
  return end.runId;
};

const SECOND_MS = 1000;

/** Run ids count seconds: a run right after a short one must not be taken for a second delivery of its event. */
const freeSecond = async (runs: RunStore, integration: string): Promise<number> => {
  let scheduledMs = Date.now();
  while ((await runs.run(integration, runIdOf(integration, scheduledMs))) !== undefined) scheduledMs += SECOND_MS;
  return scheduledMs;
};

/** Looking through an empty queue takes a long poll; the embedded one knows its depth exactly. */
const countLetters = async ({ stores: { deadLetters } }: Embedded, integration: string): Promise<number> => {
  if (messagesIn(await deadLetters.depth()) === 0) return 0;
  return (await listLetters(deadLetters, { integration })).length;
};

const exitCodeOf = ({ run, deadLetters, stranded }: Finished): ExitCode => {
  if (!isExtracted(run) || stranded > 0) return exitCodes.runFailed;
  const { rejected, uncertain, open } = run.counts;
  const waiting = rejected + uncertain + open + deadLetters;
  return waiting > 0 || !holds(run.counts) ? exitCodes.unfinishedRecords : exitCodes.ok;
};
