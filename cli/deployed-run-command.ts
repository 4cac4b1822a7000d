import { setTimeout as sleep } from 'node:timers/promises';
import type { Integration } from '../lib/integration/schema/schema.ts';
import { listLetters } from '../lib/messages/dead-letter-queue.ts';
import { writeRunRequest } from '../lib/messages/run-request.ts';
import { holds } from '../lib/runs/books.ts';
import { reconcile } from '../lib/runs/reconcile.ts';
import { reconcilingOf } from '../lib/runs/reconciling.ts';
import type { RunRecord } from '../lib/runs/record.ts';
import { runIdOf } from '../lib/runs/record.ts';
import { systemClock as clock } from '../lib/runtime/clock.ts';
import { closingBooks } from './closing-books.ts';
import { SERVICE_DIR } from './embedded.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { chooseIntegration } from './integration-choice.ts';
import { isExtracted, reportJson } from './report.ts';
import { runExitCode, statusText } from './status-text.ts';
import { messagesIn, type Stores } from './stores.ts';
import { type StackFlags, withStores } from './with-stores.ts';

export type DeployedRunFlags = StackFlags & {
  stage: string;
  integration: string;
  fullRefresh?: boolean;
  json?: boolean;
};

/** A message on the runs queue is taken within seconds; where nobody takes it, something is wrong over there. */
const START_WITHIN_MS = 90_000;
const POLL_MS = 2_000;
/** Books are drawn up from the whole of idCheck: less and less often while a run goes on. */
const BOOKS_FIRST_MS = 5_000;
const BOOKS_LAST_MS = 60_000;

/** A deployed run that could not be started or followed. */
export class RunNotStartedError extends Error {
  override readonly name = 'RunNotStartedError';
  readonly code = 'RUN_NOT_STARTED';
}

/**
 * Asks a deployed stack for a run through its runs queue, follows it until its books are closed, and prints them.
 * An earlier run that was left unfinished is gone on with instead, as a schedule would. Throws RunNotStartedError.
 */
export const deployedRunCommand = async (flags: DeployedRunFlags): Promise<ExitCode> => {
  const startedMs = Date.now();
  const { integration } = chooseIntegration(flags.integration, SERVICE_DIR);
  return withStores(flags, async (stores) => {
    const run = await followRun(await requestRun(integration, flags, stores), integration, stores);
    const letters = await listLetters(stores.deadLetters, { integration: integration.name });
    const durationMs = Date.now() - startedMs;
    const seen = {
      run,
      integration,
      unsettled: run.unsettled ?? { open: [], rejected: [], uncertain: [] },
      items: new Map(),
      isUnderWay: false,
      queued: messagesIn(await stores.records.depth()),
      nowMs: Date.now(),
    };
    const finished = { run, integration, deadLetters: letters.length, stranded: 0, durationMs, flags };
    process.stdout.write(flags.json ? `${reportJson(finished)}\n` : statusText(seen));
    if (!isExtracted(run)) return exitCodes.runFailed;
    return letters.length > 0 || !holds(run.counts) ? exitCodes.unfinishedRecords : runExitCode(run);
  });
};

const say = (line: string) => process.stderr.write(`${line}\n`);

/** Sends the request and waits until a run of the integration has started. */
const requestRun = async (
  { name }: Integration,
  { stage, fullRefresh }: DeployedRunFlags,
  { runs, runRequests }: Stores,
): Promise<RunRecord> => {
  const sentMs = clock.nowMs();
  const wantedId = runIdOf(name, sentMs);
  const before = await runs.lease(name);
  const request = {
    kind: 'schedule',
    integration: name,
    scheduledMs: sentMs,
    fullRefresh: fullRefresh ?? false,
  } as const;
  const { failed } = await runRequests.sendAll([{ body: writeRunRequest(request) }]);
  if (failed.length > 0) throw new RunNotStartedError('The runs queue did not accept the request.');
  say(`Asked ${stage} for a run of ${name}.`);
  while (clock.nowMs() - sentMs < START_WITHIN_MS) {
    const wanted = await runs.run(name, wantedId);
    if (wanted !== undefined) return wanted;
    const lease = await runs.lease(name);
    const isTaken = lease !== undefined && (lease.owner !== before?.owner || lease.untilMs > clock.nowMs());
    const other = isTaken ? await runs.run(name, lease.runId) : undefined;
    if (other !== undefined && other.runId !== wantedId) {
      say(`The run ${other.runId} is under way; following that one.`);
      return other;
    }
    await sleep(POLL_MS);
  }
  const waitedSec = Math.round(START_WITHIN_MS / 1000);
  throw new RunNotStartedError(
    `No run started within ${waitedSec} s. Look at the log of ${stage}'s fetch function, and at its alarms.`,
  );
};

/** Waits for the snapshot's end, then draws up the books until they are closed. */
const followRun = async (begun: RunRecord, integration: Integration, stores: Stores): Promise<RunRecord> => {
  const closing = closingBooks(stores);
  let run = begun;
  let booksEveryMs = BOOKS_FIRST_MS;
  for (;;) {
    const { counts, requests, status } = run;
    say(`  ${status}: ${counts.fetched} fetched in ${requests.source} requests, ${counts.enqueued} to load`);
    if (status === 'balanced' || status === 'unbalanced' || status === 'incomplete') return run;
    await sleep(status === 'loading' ? booksEveryMs : POLL_MS);
    if (status === 'loading') {
      await reconcile(reconcilingOf(integration), closing);
      booksEveryMs = Math.min(BOOKS_LAST_MS, booksEveryMs * 2);
    }
    run = (await stores.runs.run(run.integration, run.runId)) ?? run;
  }
};
