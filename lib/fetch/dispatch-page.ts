import type { Queue } from '../messages/queue.ts';
import { addCounts, countEntries, noExtractCounts } from '../runs/books.ts';
import type { Checkpoint, RunRecord } from '../runs/record.ts';
import type { PageResult } from '../source/source.ts';
import type { Prepared } from '../transform/transform.ts';
import { type Dispatched, dispatch, type RunStamp } from './dispatch.ts';
import { type Held, MAX_HELD_BYTES, writeHeld } from './held.ts';
import { holdBack } from './places.ts';
import type { RunWork } from './run-work.ts';

/** Entries in one ledger chunk at most. */
const CHUNK_ENTRIES = 5_000;

/** What all messages of this run have in common. */
export const stampOf = (run: RunRecord, nowMs: number): RunStamp => ({
  integration: run.integration,
  runId: run.runId,
  versionMs: run.versionMs,
  nowMs,
  fullRefresh: run.fullRefresh,
});

/** Thrown when the queue did not accept messages after all retries: what was being sent is not done. */
class QueueRefusedError extends Error {
  override readonly name = 'QueueRefusedError';
  readonly code = 'queue-refused';
}

/** Sends message bodies; throws `QueueRefusedError` unless the queue accepted all of them. */
export const sendBodies = async (bodies: readonly string[], records: Queue): Promise<void> => {
  if (bodies.length === 0) return;
  const { failed } = await records.sendAll(bodies.map((body) => ({ body })));
  if (failed.length > 0) {
    throw new QueueRefusedError(`the records queue refused ${failed.length} of ${bodies.length} messages`);
  }
};

/** Sends what was dispatched; the messages come before the ledger that says so. */
export const sendDispatched = (dispatched: readonly Dispatched[], records: Queue): Promise<void> =>
  sendBodies(
    dispatched.flatMap(({ body }) => (body === undefined ? [] : [body])),
    records,
  );

/** A part of a page that fits into one ledger chunk. */
type Part = { records: Prepared[]; held: string[]; heldBytes: number };

const emptyPart = (): Part => ({ records: [], held: [], heldBytes: 0 });

/** Splits a page into parts; `holds` says which records are held back. */
const partsOf = (prepared: readonly Prepared[], holds: (one: Prepared) => one is Held): Part[] => {
  let part = emptyPart();
  const parts = [part];
  for (const one of prepared) {
    const held = holds(one) ? writeHeld(one) : undefined;
    const heldBytes = held === undefined ? 0 : Buffer.byteLength(held);
    const isFull = part.records.length + part.held.length >= CHUNK_ENTRIES;
    const fits = heldBytes <= MAX_HELD_BYTES;
    if (isFull || (fits && part.heldBytes + heldBytes > MAX_HELD_BYTES)) {
      part = emptyPart();
      parts.push(part);
    }
    if (held === undefined) part.records.push(one);
    else if (fits) part.held.push(held);
    else {
      const reason = `too large to be kept until its parent is known: ${heldBytes} bytes, ${MAX_HELD_BYTES} at most`;
      part.records.push({ outcome: 'invalid', id: one.id, reason });
    }
    if (held !== undefined && fits) part.heldBytes += heldBytes;
  }
  return parts.filter(({ records, held }) => records.length + held.length > 0);
};

const dispatchPart = (part: Part, stamp: RunStamp, { known, fetching, heldParents, leftOutButLoaded }: RunWork) =>
  part.records.map((one): Dispatched => {
    if (one.outcome !== 'ready') {
      if (fetching.tree !== undefined && known.isLoaded(one.id)) leftOutButLoaded.add(one.id);
      // A repeat of a record that is held back: that one strikes the id off when its turn comes.
      if (heldParents.has(one.id)) return { entry: { id: one.id, outcome: one.outcome, reason: one.reason } };
    }
    return dispatch(one, known, fetching.policy, stamp);
  });

/** Cleans, maps, compares and sends one page, and writes its ledger. Gives the run with its checkpoint after the page. */
export const dispatchPage = async (
  run: RunRecord,
  page: Extract<PageResult, { kind: 'page' }>,
  work: RunWork,
): Promise<RunRecord> => {
  const { snapshot, known, deps } = work;
  const before: Pick<Checkpoint, 'chunks' | 'fetched'> = run.checkpoint ?? { chunks: 0, fetched: 0 };
  const stamp = stampOf(run, deps.clock.nowMs());
  // Places count through the run: "record 501" is the first of the second page of 500.
  const { prepared, memory } = snapshot.prepare(page.records, (index) => `record ${before.fetched + index + 1}`);
  await known.prepare(prepared.flatMap((one) => ('parentId' in one ? [one.id, one.parentId] : [one.id])));
  let { chunks } = before;
  let ofPage = noExtractCounts();
  let done = 0;
  for (const part of partsOf(prepared, holdBack(prepared, work, work.fetching.tree))) {
    const dispatched = dispatchPart(part, stamp, work);
    await sendDispatched(dispatched, deps.records);
    chunks += 1;
    const entries = dispatched.map(({ entry }) => entry);
    const size = part.records.length + part.held.length;
    // After the last page nobody cleans. Keys are spread over the chunks as the records are: an item has its limit.
    const remembered = page.next === undefined ? [] : shareOf(memory, done, size, prepared.length);
    done += size;
    await deps.runs.saveChunk(run.integration, {
      runId: run.runId,
      index: chunks,
      versionMs: run.versionMs,
      entries,
      ...(part.held.length > 0 && { held: part.held }),
      memory: remembered,
    });
    ofPage = addCounts(ofPage, countEntries(entries));
  }
  const { integration, runId } = run;
  const held = page.records.length - ofPage.fetched;
  deps.log.info('page', { integration, runId, ...ofPage, ...(held > 0 && { held }), requests: page.requests });
  const fetched = before.fetched + page.records.length;
  const checkpoint: Checkpoint =
    page.next === undefined ? { page: {}, chunks, fetched, judged: 0 } : { page: page.next, chunks, fetched };
  return { ...run, counts: { ...run.counts, ...addCounts(run.counts, ofPage) }, checkpoint };
};

/** The part of `all` that goes with records `from`… of `total`. */
const shareOf = (all: readonly string[], from: number, length: number, total: number): string[] =>
  all.slice(Math.floor((all.length * from) / total), Math.floor((all.length * (from + length)) / total));
