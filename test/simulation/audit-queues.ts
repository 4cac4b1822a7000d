import { isJsonObject, type JsonObject, parseJson } from '../../lib/json/json.ts';
import { type RecordMessage, readMessage } from '../../lib/messages/record-message.ts';
import { fateOf } from '../../lib/runs/books.ts';
import { addTo, type Evidence, isUnsafe } from './evidence.ts';
import { type Environment, workerOf } from './lambda.ts';
import { REMAPPED_NAME } from './settings.ts';
import type { QueueName } from './sqs.ts';
import { itemOf } from './stores.ts';
import { nameIn, type Truth } from './target-server.ts';
import type { World } from './world.ts';

/** Whether the records queue holds a message of this content, or of newer content of the same record. */
const isQueued = ({ queues }: World, { id, hash, versionMs }: RecordMessage): boolean =>
  [...queues.records.messages.values()].some(({ body }) => {
    const read = readMessage(body);
    if (read.kind === 'unreadable' || read.message.id !== id) return false;
    return read.message.hash === hash || read.message.versionMs > versionMs;
  });

const isOf = (body: string, { id, hash }: RecordMessage): boolean => {
  const read = readMessage(body);
  return read.kind === 'message' && read.message.id === id && read.message.hash === hash;
};

const A_BLOCK_MS = 5 * 60_000;
const JUST_LOADED_MS = 10_000;

/** What uses up an attempt. A letter of what nobody can read may fail to be written: then its record comes again. */
const attempts: ReadonlySet<Truth> = new Set<Truth>(['failed', 'uncertain', 'unreadable', 'under-way']);

const parsedLetter = (body: string): JsonObject => {
  const letter = parseJson(body);
  return isJsonObject(letter) ? letter : {};
};

/** Watches what queues are given, what is acknowledged, and what becomes a dead letter. */
export const auditQueues = (world: World, evidence: Evidence) => {
  const { scheduler, settings } = world;
  const { posts, owners, doubtedMs, accepted, queued, fetched, parents, letters, replayedMs, closed, replayedBy } =
    evidence;
  const { maxAttempts } = settings.integration.target.retry;

  /** Whether a record really ended as its letter says. */
  const isEarned = (reason: unknown, id: string, hash: string): boolean => {
    const sent = posts.get(id) ?? [];
    switch (reason) {
      case 'rejected':
        return sent.some(({ truth, hash: of }) => of === hash && (truth === 'rejected' || truth === 'applied-before'));
      case 'uncertain':
        return doubtedMs.has(id) || itemOf(world.idTable, id)?.claim !== undefined || sent.some(isUnsafe);
      case 'exhausted':
        return sent.filter(({ truth }) => truth !== undefined && attempts.has(truth)).length >= maxAttempts;
      default:
        return false;
    }
  };

  const letterAccepted = (environment: Environment, body: string): void => {
    const { id, deadLetter, message } = parsedLetter(body);
    const hash = isJsonObject(message) ? String(message.hash) : '';
    world.note(environment.name, 'buries', String(id), String(deadLetter));
    letters.add(`${id} ${hash}`);
    if (!isEarned(deadLetter, String(id), hash)) {
      world.broken('only what failed for real becomes a dead letter', `id ${id}, ${deadLetter}`);
    }
  };

  /** Run → the records that it overwrites under another mapping. */
  const overwritten = new Map<string, Set<string>>();
  const checkWeighed = ({ id, runId, hash }: RecordMessage): void => {
    const startedMs = evidence.runs.get(runId)?.startedMs ?? 0;
    const loaded = itemOf(world.idTable, id)?.loaded;
    // What was loaded a moment before may not have been seen yet.
    if (world.hasConsent || loaded === undefined || loaded.atMs > startedMs - JUST_LOADED_MS) return;
    // A full refresh sends again what stands under this mapping already.
    if (loaded.hash === hash) return;
    const ids = (overwritten.get(runId) ?? new Set()).add(id);
    overwritten.set(runId, ids);
    // What a run sent just before it died, and did not write down, is not seen: a page at the most.
    const ofAPage = settings.paging === 'single' ? settings.groups : settings.pageSize;
    if (ids.size > ofAPage)
      world.broken('what a changed mapping overwrites waits until somebody says yes', `${runId}, id ${id}`);
  };

  const recordAccepted = (environment: Environment, message: RecordMessage): void => {
    const { id, hash, runId, body, parentId } = message;
    world.note(environment.name, 'sends', id, nameIn(body), runId);
    if (environment.name.startsWith('dispatch')) checkTakenOver(message);
    accepted.add(`${runId} ${id} ${hash}`);
    queued.add(`${runId} ${id} ${hash}`);
    const record = `${id} ${hash}`;
    parents.set(record, (parents.get(record) ?? new Set()).add(parentId ?? ''));
    if (environment.name.startsWith('fetch')) checkBacklog(message);
    if (environment.name.startsWith('fetch') && REMAPPED_NAME in body) checkWeighed(message);
    if (!environment.name.startsWith('replay')) return;
    addTo(replayedMs, id, scheduler.nowMs());
    const worker = workerOf(environment);
    replayedBy.set(worker, (replayedBy.get(worker) ?? new Set()).add(id));
  };

  /** Whether the ledger of a run, up to where it counts, says that this content is to be loaded. */
  const isWritten = (runId: string, id: string, hash: string): boolean => {
    const run = evidence.runs.get(runId);
    const counted = run?.checkpoint?.chunks ?? run?.chunks ?? 0;
    return Array.from({ length: counted }, (_, place) => evidence.chunks.get(`${runId} ${place + 1}`))
      .flatMap((chunk) => chunk?.entries ?? [])
      .some((entry) => entry.id === id && entry.hash === hash && entry.outcome === 'enqueued');
  };

  /** What an earlier run has written down as sent, and what is on its way, is not sent again by the next. */
  const checkBacklog = (message: RecordMessage): void => {
    const { id, hash, runId, refresh } = message;
    const last = fetched.get(id);
    fetched.set(id, { runId, hash, atMs: scheduler.nowMs() });
    const isRepeat = last !== undefined && last.runId !== runId && last.hash === hash && refresh !== true;
    if (!isRepeat || settings.clocks !== 'right' || itemOf(world.idTable, id) !== undefined) return;
    const began = evidence.beganMs.get(runId) ?? 0;
    const wasOnItsWay = [...world.queues.records.messages.values()].some(
      ({ body, sentMs }) => sentMs < began && isOf(body, message),
    );
    if (isWritten(last.runId, id, hash) && wasOnItsWay)
      world.broken('what is on its way is not sent again by the next run', `id ${id}, ${runId}`);
  };

  /** A block may be on its way while a run takes its records over; of a run that broke off before its ledger nobody knows. */
  const checkTakenOver = ({ id, hash, runId }: RecordMessage): void => {
    const last = fetched.get(id);
    const isOver = last !== undefined && last.runId !== runId && last.hash !== hash;
    // A dispatcher that breaks off repeats its block.
    if (queued.has(`${runId} ${id} ${hash}`)) return;
    if (isOver && isWritten(runId, id, hash) && scheduler.nowMs() - last.atMs > A_BLOCK_MS)
      world.broken('what a later run has taken over is not sent any more', `id ${id}, ${runId}`);
  };

  return {
    messageAccepted: (environment: Environment, queue: QueueName, body: string): void => {
      if (queue === 'dead-letters') letterAccepted(environment, body);
      if (queue !== 'records') return;
      const read = readMessage(body);
      if (read.kind === 'message') recordAccepted(environment, read.message);
      else world.broken('every message can be read', read.why);
    },

    letterDeleted: (environment: Environment, body: string): void => {
      const { id } = parsedLetter(body);
      if (environment.name.startsWith('operator')) {
        closed.add(String(id));
        world.reach('letter closed by hand');
        return;
      }
      if (replayedBy.get(workerOf(environment))?.has(String(id))) return;
      world.broken('a dead letter is deleted only after its message was accepted', `id ${id}`);
    },

    /** A worker said of a message that it is dealt with, and the message is gone. */
    acknowledged: (worker: string, body: string): void => {
      const read = readMessage(body);
      if (read.kind === 'unreadable') return;
      const { id, hash, versionMs, runId, parentId, firstSentMs } = read.message;
      const item = itemOf(world.idTable, id);
      const isUnderWay = item?.claim !== undefined && owners.get(item.claim.owner) !== worker;
      const hasOutcome = fateOf(item, { id, hash, versionMs }, settings.policy) !== 'open';
      // Its parent never came: the next run decides anew.
      const waitedMs = settings.clocks === 'right' ? scheduler.nowMs() - firstSentMs : Number.POSITIVE_INFINITY;
      if (parentId !== undefined && waitedMs > settings.tuning.load.maxParentWaitMs) return;
      // It was put off for too long: the next run sends its record anew.
      if (world.aged.has(`${runId} ${id}`)) return;
      if (isUnderWay || hasOutcome || item?.trouble?.hash === hash || isQueued(world, read.message)) return;
      world.broken(
        'a message is acknowledged only when its record has an outcome, or a copy',
        `id ${id}, run ${runId}`,
      );
    },

    /** An invocation failed so many of its deliveries. */
    givenBack: (environment: Environment, count: number): void => {
      if (count === 0 || environment.sendFaults > 0) return;
      world.broken('waiting is not failing: no delivery is failed while the queues answer', environment.name);
    },
  };
};
