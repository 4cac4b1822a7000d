import { type RecordMessage, readMessage } from '../../lib/messages/record-message.ts';
import type { LedgerChunk } from '../../lib/runs/ledger.ts';
import { type RunRecord, runIdOf } from '../../lib/runs/record.ts';
import type { Lease } from '../../lib/runs/store.ts';
import type { Evidence } from './evidence.ts';
import { type Environment, workerOf } from './lambda.ts';
import type { Reply } from './source-faults.ts';
import type { World } from './world.ts';

const WHOLE_PAGES = 'every record of a page is in the ledger once';

/** Whether a run failed for a refusal that was none. */
const isMisread = (meant: Reply['said'], code: string): boolean =>
  (meant === 'throttled' || meant === 'token refused') && (code === 'business-error' || code === 'source-refused');

/** Whether nothing was valid, or most of ten rows and more were not. */
const isMostlyInvalid = ({ fetched, invalid }: RunRecord['counts']): boolean =>
  invalid > 0 && (invalid === fetched || (fetched >= 10 && invalid > fetched / 2));

/** Watches leases, ledgers and checkpoints. */
export const auditRuns = (world: World, evidence: Evidence) => {
  const { owners, accepted, queued, fetched, chunks, runs, refreshVersionsMs, raced, beganMs } = evidence;
  const { clocks } = world.settings;
  const broken = (runId: string, rule: string, detail: string): void => {
    // What a reading did not find stands beside its ledger.
    if (!raced.has(runId.replace(/~.*/, ''))) world.broken(rule, detail);
  };
  /** Worker → the page that its source gave last, by ids ('' for a record without one), and how much of it is written. */
  const pages = new Map<string, { ids: string[]; written: number }>();
  /** Run → who saved it last. */
  const workers = new Map<string, string>();
  /** Owners of leases that were given back. */
  const ended = new Set<string>();
  /** Chunks whose messages were looked for already. */
  const checked = new Map<string, LedgerChunk>();

  const checkCounted = (runId: string, index: number): void => {
    const key = `${runId} ${index}`;
    const chunk = chunks.get(key);
    if (chunk === undefined) {
      broken(runId, 'the checkpoint counts only chunks that are written', key);
      return;
    }
    if (checked.get(key) === chunk) return;
    checked.set(key, chunk);
    const sent = [...chunk.entries.filter(({ outcome }) => outcome === 'enqueued'), ...(chunk.deletions ?? [])];
    const lost = sent.find(({ id, hash }) => !accepted.has(`${runId} ${id} ${hash}`));
    if (lost === undefined) return;
    broken(runId, 'the checkpoint moves only after the queue accepted the messages', `${key}, id ${lost.id}`);
  };

  const messagesIn = ({ memory }: LedgerChunk): RecordMessage[] =>
    memory.flatMap((body) => {
      const read = readMessage(body);
      if (read.kind === 'message') return [read.message];
      world.broken('every message can be read', read.why);
      return [];
    });
  /** A chunk is left empty when each of its messages was sent, or a later run has its record. */
  const checkSent = (before: LedgerChunk | undefined): void => {
    for (const { runId, id, hash } of before === undefined ? [] : messagesIn(before)) {
      if (queued.has(`${runId} ${id} ${hash}`) || fetched.get(id)?.runId !== runId) continue;
      // A run that is resumed after a later one stands where it began: what that one has taken over, it sends.
      const isTaken = [...chunks].some(
        ([place, { memory }]) => place.includes('~takes ') && !place.startsWith(`${runId}~`) && memory.includes(id),
      );
      if (isTaken) continue;
      world.broken('what waits in a ledger is sent before that is forgotten', `${runId}, id ${id}`);
    }
  };

  return {
    /** A run of this time is asked for that may send so many records. */
    limited: (scheduledMs: number, limit: number): void => {
      evidence.limits.set(runIdOf(world.settings.integration.name, scheduledMs), limit);
    },

    leaseAsked: (environment: Environment, lease: Lease, previous: Lease | undefined): void => {
      owners.set(lease.owner, workerOf(environment));
      if (previous === undefined || ended.has(previous.owner)) return;
      world.reach('lease passes over');
      if (clocks !== 'right') for (const { runId } of [previous, lease]) raced.add(runId);
    },

    leaseEnded: ({ owner }: Lease): void => {
      ended.add(owner);
    },

    pageRead: (environment: Environment, ids: string[]): void => {
      pages.set(workerOf(environment), { ids, written: 0 });
    },

    chunkSaved: async (environment: Environment, chunk: LedgerChunk): Promise<void> => {
      const worker = workerOf(environment);
      const place = `${chunk.runId}, chunk ${chunk.index}`;
      const before = chunks.get(`${chunk.runId} ${chunk.index}`);
      chunks.set(`${chunk.runId} ${chunk.index}`, structuredClone(chunk));
      // What waits to be sent will be: a dispatcher leaves its chunks empty.
      if (chunk.runId.endsWith('~unsent')) {
        if (chunk.memory.length === 0) return checkSent(before);
        for (const { runId, id, hash } of messagesIn(chunk)) {
          accepted.add(`${runId} ${id} ${hash}`);
          fetched.set(id, { runId, hash, atMs: world.scheduler.nowMs() });
        }
        world.reach('records wait in a ledger');
      }
      // What a reading did not find, and what waits, stands beside its ledger.
      const isOfPage = chunk.deletions === undefined && !chunk.runId.includes('~');
      if (isOfPage && world.settings.tree === 'none') {
        // A page may take several chunks.
        const page = pages.get(worker) ?? { ids: [], written: 0 };
        const isNext = chunk.entries.every(({ id }, index) => ['', id].includes(page.ids[page.written + index] ?? '-'));
        page.written += chunk.entries.length;
        if (!isNext || page.written > page.ids.length) broken(chunk.runId, WHOLE_PAGES, place);
      }
      const lease = await world.runTable.lease(world.settings.integration.name);
      if (lease === undefined || owners.get(lease.owner) !== worker) {
        broken(chunk.runId, 'only the leaseholder writes the ledger', `${place}, by ${worker}`);
      }
    },

    runSaved: (environment: Environment, run: RunRecord): void => {
      const { runId, status, fullRefresh, versionMs, failure } = run;
      const page = pages.get(workerOf(environment));
      // What is weighed is read and not written down.
      const isWeighed = run.weighing !== undefined && page?.written === 0;
      const isWritten = page === undefined || page.written === page.ids.length;
      const isWhole = world.settings.tree !== 'none' || isWeighed || isWritten;
      if (!isWhole) broken(runId, WHOLE_PAGES, `${runId}, ${page.written} of ${page.ids.length}`);
      const meant = environment.heard;
      // Which token is the newer one is told by clocks.
      if (clocks === 'right' && status === 'incomplete' && meant && isMisread(meant, failure?.code ?? ''))
        world.broken(
          'what passes by waiting or by a new token fails no run',
          `${runId}, ${meant}, ${failure?.message}`,
        );
      const isPlacing = runs.get(runId)?.checkpoint?.judged !== undefined;
      if (isPlacing && workers.get(runId) !== workerOf(environment)) world.reach('postponed over invocations');
      workers.set(runId, workerOf(environment));
      if (status === 'balanced' && isMostlyInvalid(run.counts))
        world.broken('a run whose rows are mostly invalid has failed', `${runId}, ${JSON.stringify(run.counts)}`);
      const counted = run.checkpoint?.chunks ?? run.chunks ?? 0;
      world.note(environment.name, 'saves', runId, `${status}, ${counted} chunks`, failure?.message ?? '');
      if (!beganMs.has(runId)) beganMs.set(runId, world.scheduler.nowMs());
      if (status === 'extracting' && counted === 0) evidence.readFromMs.set(runId, world.scheduler.nowMs());
      runs.set(runId, structuredClone(run));
      const isPartial = run.selection !== undefined || run.adoption !== undefined;
      if (isPartial && run.deletions !== undefined) world.broken('a run that is no whole one deletes nothing', runId);
      if (run.adoption !== undefined && run.counts.enqueued > 0) world.broken('who takes over sends nothing', runId);
      if (fullRefresh) refreshVersionsMs.add(versionMs);
      for (let index = 1; index <= counted; index++) checkCounted(runId, index);
    },
  };
};
