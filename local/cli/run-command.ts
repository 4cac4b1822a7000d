import { listLetters } from '../../lib/replay/letters.ts';
import type { FetchEnd } from '../../lib/run/fetch-run.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { type Embedded, type EmbeddedOptions, SERVICE_DIR, startEmbedded } from './embedded.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { chooseIntegration } from './integration-choice.ts';
import { startProgress } from './progress.ts';
import { type Finished, reportJson, reportText } from './report.ts';
import { readFaults, readGroups } from './sandbox-options.ts';

export type RunFlags = {
  integration: string;
  dataDir: string;
  fresh?: boolean;
  fullRefresh?: boolean;
  json?: boolean;
  groups?: string;
  fault?: string[];
};

const POLL_MS = 100;

/** One scheduled run on the embedded stack, from the schedule's event to its books. Returns the exit code. */
export const runCommand = async (flags: RunFlags): Promise<ExitCode> => {
  const startedMs = Date.now();
  const choice = chooseIntegration(flags.integration, SERVICE_DIR);
  const { integration } = choice;
  const progress = startProgress(process.stderr);
  const groups = flags.groups === undefined ? undefined : await readGroups(flags.groups);
  const options: EmbeddedOptions = {
    dataDir: flags.dataDir,
    fresh: flags.fresh ?? false,
    run: { ...choice, ...(groups && { groups }), faults: readFaults(flags.fault ?? []) },
    onEvent: progress.onEvent,
  };
  const embedded = await startEmbedded(options);
  try {
    progress.say(`${integration.title}  (${integration.name})`);
    if (embedded.sandbox) {
      const stoodInFor = embedded.sandboxedSides.map((side) => integration[side].connection.name).join(' and ');
      progress.say(`No address is set for ${stoodInFor}: the built-in sandbox at ${embedded.sandbox.url} stands in.`);
    }
    const runId = await startRun(embedded, integration.name, flags.fullRefresh ?? false);
    const run = await followRun(embedded, integration.name, runId, progress.onRun);
    progress.end();
    const deadLetters = await listLetters(embedded.stores.deadLetters, { integration: integration.name });
    const finished: Finished = {
      run,
      integration,
      deadLetters: deadLetters.length,
      durationMs: Date.now() - startedMs,
      dataDir: flags.dataDir,
    };
    process.stdout.write(flags.json ? `${reportJson(finished)}\n` : reportText(finished));
    return exitCodeOf(finished);
  } finally {
    progress.end();
    await embedded.close();
  }
};

/** Fires the schedule's event, as EventBridge Scheduler would now. */
const startRun = async ({ stack, stores }: Embedded, integration: string, fullRefresh: boolean): Promise<string> => {
  // The data directory is ours alone: whoever held the lease before is gone.
  const lease = await stores.runs.lease(integration);
  if (lease !== undefined && lease.untilMs > Date.now()) await stores.runs.endLease(lease, Date.now());
  stack.startEventSources();
  const scheduledTime = new Date().toISOString();
  const event = { kind: 'schedule', integration, scheduledTime, fullRefresh };
  const [end] = (await stack.invoke('fetch', event)) as FetchEnd[];
  if (end === undefined) throw new Error('functions/fetch answered without a run');
  return end.runId;
};

/** Waits until the run is extracted and the queues are empty, then balances its books. */
const followRun = async (
  { stack, stores }: Embedded,
  integration: string,
  runId: string,
  onRun: (run: RunRecord) => void,
): Promise<RunRecord> => {
  for (;;) {
    const run = await stores.runs.run(integration, runId);
    if (run === undefined) throw new Error(`the run ${runId} has left no record`);
    onRun(run);
    if (await stack.drained()) {
      await stack.invoke('reconcile', { kind: 'reconcile' });
      return (await stores.runs.run(integration, runId)) ?? run;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};

const exitCodeOf = ({ run, deadLetters }: Finished): ExitCode => {
  if (run.status === 'incomplete' || run.status === 'extracting') return exitCodes.runFailed;
  const { rejected, uncertain, open } = run.counts;
  return rejected + uncertain + open + deadLetters > 0 ? exitCodes.unfinishedRecords : exitCodes.ok;
};
