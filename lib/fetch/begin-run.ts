import type { RunRequest } from '../messages/run-request.ts';
import { noExtractCounts, noLoadCounts } from '../runs/books.ts';
import type { RunRecord } from '../runs/record.ts';
import { runIdOf } from '../runs/record.ts';
import type { Lease } from '../runs/store.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import type { FetchDeps, Fetching } from './fetching.ts';
import { decideStart } from './start.ts';
import { windowOf } from './window.ts';

/** The lease outlives the invocation by this, ms: Lambda ends the invocation, not we. */
const LEASE_MARGIN_MS = 5_000;

/** A run to be worked on under its lease, and the one that it takes over from. */
export type Begun = {
  run: RunRecord;
  lease: Lease;
  abandoned: RunRecord | undefined;
  /** This run, or the last one of the integration where that has failed: then it is known that the source fails. */
  before: Pick<RunRecord, 'status'>;
};
export type NotBegun = { runId: string; end: 'duplicate' | 'overlap' | 'stale'; leaseUntilMs?: number };

/** Takes the integration's lease for this request and says with which run to go on. Writes nothing but the lease. */
export const beginRun = async (
  request: RunRequest,
  { integration, window }: Fetching,
  { runs, watermarks, clock, random, log }: FetchDeps,
  remainingMs: RemainingMs,
): Promise<Begun | NotBegun> => {
  const nowMs = clock.nowMs();
  // Both at once: an invocation that stands still between them would hold a lease that ends before itself.
  const untilMs = nowMs + remainingMs() + LEASE_MARGIN_MS;
  const askedId = request.kind === 'continue' ? request.runId : runIdOf(integration, request.scheduledMs);
  const previous = await runs.lease(integration);
  const [leased, asked, watermarkMs] = await Promise.all([
    previous && runs.run(integration, previous.runId),
    runs.run(integration, askedId),
    window && watermarks?.watermark(integration),
  ]);
  const start = decideStart(request, previous, leased, asked, nowMs);
  if (start.kind !== 'start' && start.kind !== 'resume') {
    const { kind: end, runId } = start;
    log.info('run-not-started', { integration, runId, why: end });
    return { runId, end, ...(start.kind === 'overlap' ? { leaseUntilMs: start.untilMs } : {}) };
  }
  const runId = start.kind === 'resume' ? start.run.runId : start.runId;
  const lease: Lease = { integration, runId, owner: random.token(), untilMs };
  if ((await runs.takeLease(lease, previous)) === 'conflict') {
    log.info('run-not-started', { integration, runId, why: 'lease lost' });
    return { runId, end: 'overlap' };
  }
  // Clocks of two machines differ: a later run's version must still be the newer one.
  const versionMs = Math.max(nowMs, (leased?.versionMs ?? 0) + 1);
  const scheduledMs = request.kind === 'schedule' ? request.scheduledMs : nowMs;
  const fullRefresh = request.kind === 'schedule' && request.fullRefresh;
  const run: RunRecord =
    start.kind === 'resume'
      ? resumed(start.run, versionMs)
      : {
          ...newRun({ integration, runId, scheduledMs, startedMs: nowMs, versionMs, fullRefresh }),
          ...(window && { window: windowOf(window, watermarkMs, fullRefresh, nowMs) }),
        };
  const message = 'its invocation ended early; a later run took over';
  const abandoned: RunRecord | undefined =
    leased?.status === 'extracting' && leased.runId !== runId
      ? { ...leased, status: 'incomplete', failure: { code: 'abandoned', message } }
      : undefined;
  log.info(start.kind === 'resume' ? 'run-resumed' : 'run-started', { integration, runId });
  return { run, lease, abandoned, before: leased?.status === 'incomplete' ? leased : run };
};

const newRun = (
  facts: Pick<RunRecord, 'integration' | 'runId' | 'scheduledMs' | 'startedMs' | 'versionMs' | 'fullRefresh'>,
): RunRecord => ({
  ...facts,
  status: 'extracting',
  counts: { ...noExtractCounts(), ...noLoadCounts() },
  requests: { source: 0, target: 0 },
  vanished: 0,
  vanishedSample: [],
  warnings: [],
});

const resumed = ({ failure: _, ...run }: RunRecord, versionMs: number): RunRecord => ({
  ...run,
  status: 'extracting',
  versionMs,
});
