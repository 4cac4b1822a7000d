import type { IdCheck, Loaded } from '../../lib/idcheck/item.ts';
import type { IdStore, WriteCondition } from '../../lib/idcheck/store.ts';
import type { Queue } from '../../lib/messages/queue.ts';
import { readMessage, writeMessage } from '../../lib/messages/record-message.ts';
import type { LedgerChunk } from '../../lib/runs/ledger.ts';
import { isUnfinished } from '../../lib/runs/record.ts';
import { isNotUnderstood } from '../../lib/target/failure.ts';
import type { Outcome } from '../../lib/target/outcome.ts';
import type { Target } from '../../lib/target/target.ts';
import type { Bug } from './bug.ts';
import { clockOf } from './lambda.ts';
import { type FaultRates, noFaults, periodsMs, type Settings } from './settings.ts';

/** Writes over whatever is there, as a write without a condition does. */
const writeAnyway = async (store: IdStore, integration: string, item: IdCheck): Promise<'written' | 'conflict'> => {
  const stored = (await store.read(integration, [item.id])).get(item.id);
  return store.write(integration, item, stored === undefined ? { absent: true } : { rev: stored.rev });
};

/** A store that changes what is written, or on which condition. */
const writing =
  (
    change: (item: IdCheck, condition: WriteCondition) => [IdCheck, WriteCondition | 'any'],
  ): NonNullable<Bug['idStore']> =>
  (store) => ({
    ...store,
    write: (integration, item, condition) => {
      const [changed, asked] = change(item, condition);
      return asked === 'any' ? writeAnyway(store, integration, changed) : store.write(integration, changed, asked);
    },
  });

/** A store that changes what is read by id. */
const reading =
  (change: (item: IdCheck) => IdCheck | undefined): NonNullable<Bug['idStore']> =>
  (store) => ({
    ...store,
    read: async (integration, ids) => {
      const found = new Map<string, IdCheck>();
      for (const [id, item] of await store.read(integration, ids)) {
        const seen = change(item);
        if (seen) found.set(id, seen);
      }
      return found;
    },
  });

/** A target whose outcomes are taken for others. */
const misjudging =
  (change: (outcome: Outcome) => Outcome): NonNullable<Bug['target']> =>
  (target) => ({
    ...target,
    post: async (records) => {
      const { outcomes, requests } = await target.post(records);
      return { outcomes: outcomes.map(change), requests };
    },
  });

/** What the run before is said to have found absent. */
async function* absentBefore(runId: string, memory: string[]): AsyncIterable<LedgerChunk> {
  yield { runId, index: 1, versionMs: 0, entries: [], memory };
}

/** A queue that says yes at once and sends a moment later, if its environment lives on. */
const sendingLater: NonNullable<Bug['deadLetters']> = (queue, world, environment) => ({
  ...queue,
  sendAll: async (messages) => {
    const { sleep } = clockOf(world, environment);
    void sleep(200)
      .then(() => queue.sendAll(messages))
      .catch(() => {});
    return { failed: [] };
  },
});

const withKeys = (target: Target, keyOf: () => string): Target => ({
  ...target,
  post: (records) => target.post(records.map((record) => ({ ...record, idempotencyKey: keyOf() }))),
});

const refusing = (): Queue => ({ sendAll: async (messages) => ({ failed: messages.map((_, index) => index) }) });

const unversioned = ({ loaded, claim, trouble, ...rest }: IdCheck): IdCheck => ({
  ...rest,
  ...(loaded && { loaded: { ...loaded, versionMs: 0 } }),
  ...(claim && { claim: { ...claim, versionMs: 0 } }),
  ...(trouble && { trouble: { ...trouble, versionMs: 0 } }),
});

/** A world in which nothing fails but what is named. */
const failing = (settings: Settings, rates: Partial<FaultRates>): Settings => ({
  ...settings,
  rates: { ...noFaults, ...rates },
});

/** Deliveries of one message are under way together, and the first outlives its claim. */
const contended = (settings: Settings): Settings => failing(settings, { stall: 0.2, deliveredTwice: 0.5, target: 0.3 });

/** A world with long pauses between its runs: one that never comes to rest is soon through. */
const unhurried = (settings: Settings): Settings => ({
  ...settings,
  periodMs: periodsMs.longest,
  troubledMs: 3 * periodsMs.longest,
});

/** A world in which people replay at any moment, and all letters in the end. */
const replaying = (settings: Settings): Settings => ({ ...settings, operatorReplays: 3, replaysInTheEnd: true });

/** A world of few groups, one of which is edited `edits` times, once a run or more. */
const editing = (
  settings: Settings,
  { groups, edits, runs, periodMs }: { groups: number; edits: number; runs: number; periodMs: number },
): Settings => ({ ...settings, groups, edits, hasFavourite: true, periodMs, troubledMs: runs * periodMs });

/** The deliberate bugs, each with the seeds within which it is found: many times what it takes on average. */
export const bugs: readonly Bug[] = [
  {
    name: 'settle-without-owner',
    summary: 'a worker settles although its claim is another’s by now',
    seeds: 300,
    harsher: contended,
    idStore: writing((item, condition) => [item, 'owner' in condition ? 'any' : condition]),
  },
  {
    name: 'claim-without-condition',
    summary: 'a claim is written whatever is stored',
    seeds: 300,
    harsher: contended,
    idStore: writing((item, condition) => [item, 'owner' in condition ? condition : 'any']),
  },
  {
    name: 'claim-in-seconds',
    summary: 'the claim’s life in seconds is read as milliseconds',
    seeds: 300,
    harsher: contended,
    idStore: writing((item, condition) => {
      const { claim } = item;
      if (claim === undefined) return [item, condition];
      const untilMs = claim.sinceMs + (claim.untilMs - claim.sinceMs) / 1000;
      return [{ ...item, claim: { ...claim, untilMs } }, condition];
    }),
  },
  {
    name: 'doubt-forgotten',
    summary: 'other content is sent while a POST of unknown outcome may still be applied',
    seeds: 500,
    where: ({ policy }) => !policy.idCheck,
    harsher: (settings) => {
      const pressed = editing(settings, { groups: 2, edits: 20, runs: 20, periodMs: periodsMs.shortest });
      return { ...pressed, rates: { ...settings.rates, target: 0.8, deliveredTwice: 0.3 } };
    },
    idStore: writing(({ doubt: _, ...item }, condition) => [item, condition]),
  },
  {
    name: 'unsure-forgotten',
    summary: 'what was loaded counts as loaded after a POST of unknown outcome came to nothing',
    seeds: 500,
    where: ({ targetKind }) => targetKind === 'conflicts',
    harsher: (settings) =>
      failing(editing(settings, { groups: 1, edits: 6, runs: 6, periodMs: periodsMs.long }), { target: 0.6 }),
    idStore: writing(({ loaded, ...item }, condition) => {
      const { unsureSinceMs: _, ...sure } = loaded ?? {};
      return [loaded === undefined ? item : { ...item, loaded: sure as Loaded }, condition];
    }),
  },
  {
    name: 'version-ignored',
    summary: 'older content is taken for a change',
    seeds: 300,
    harsher: (settings) => {
      const pressed = editing(settings, { groups: 2, edits: 16, runs: 4, periodMs: periodsMs.short });
      return failing(pressed, { deliveredTwice: 0.5, target: 0.5 });
    },
    idStore: (store, ...world) => {
      // What is read is seen without its version, and written back with it.
      const read = new Map<string, IdCheck>();
      const seen = reading((item) => {
        read.set(item.id, item);
        return unversioned(item);
      })(store, ...world);
      return {
        ...seen,
        write: (integration, item, condition) => {
          const before = read.get(item.id);
          const loaded = before?.loaded;
          const versioned = loaded !== undefined && loaded.atMs === item.loaded?.atMs ? { ...item, loaded } : item;
          return store.write(integration, versioned, condition);
        },
      };
    },
  },
  {
    name: 'reads-cached-across-runs',
    summary: 'an environment remembers what it read of idCheck',
    seeds: 100,
    // A parent that is remembered as not loaded is waited for through a whole day: such a world takes too long.
    where: ({ tree }) => tree === 'none',
    idStore: (store) => {
      const cache = new Map<string, IdCheck | undefined>();
      const pages: IdCheck[][] = [];
      return {
        ...store,
        read: async (integration, ids) => {
          const missing = ids.filter((id) => !cache.has(id));
          const read = missing.length === 0 ? new Map() : await store.read(integration, missing);
          for (const id of missing) cache.set(id, read.get(id));
          return new Map(ids.flatMap((id) => (cache.get(id) ? [[id, cache.get(id) as IdCheck]] : [])));
        },
        async *scan(integration) {
          if (pages.length === 0) for await (const page of store.scan(integration)) pages.push(page);
          yield* pages;
        },
      };
    },
  },
  {
    name: 'fails-open',
    summary: 'what idCheck does not answer counts as unknown, and is sent',
    seeds: 100,
    idStore: (store): IdStore => ({
      ...store,
      read: (integration, ids) => store.read(integration, ids).catch(() => new Map()),
      write: (integration, item, condition) => store.write(integration, item, condition).catch(() => 'written'),
    }),
  },
  {
    name: 'timeout-is-failure',
    summary: 'a time-out counts as surely not applied',
    seeds: 100,
    target: misjudging((outcome) =>
      outcome.kind === 'uncertain' ? { kind: 'notApplied', failure: outcome.failure, waits: false } : outcome,
    ),
  },
  {
    name: 'error-is-success',
    summary: 'a dropped answer counts as loaded',
    seeds: 100,
    target: misjudging((outcome) => (outcome.kind === 'uncertain' ? { kind: 'loaded' } : outcome)),
  },
  {
    name: 'envelope-is-success',
    summary: 'a refusal inside a 2xx that no rule names counts as loaded',
    seeds: 300,
    harsher: (settings) => failing(settings, { target: 0.5 }),
    target: misjudging((outcome) =>
      outcome.kind === 'rejected' && outcome.failure.excerpt?.startsWith('errcode') ? { kind: 'loaded' } : outcome,
    ),
  },
  {
    name: 'cut-is-success',
    summary: 'a 2xx that cannot be read counts as loaded',
    seeds: 100,
    target: misjudging((outcome) =>
      outcome.kind === 'uncertain' && isNotUnderstood(outcome.failure) ? { kind: 'loaded' } : outcome,
    ),
  },
  {
    name: 'unread-is-sent-again',
    summary: 'a 2xx that cannot be read is sent again, as after a time-out',
    seeds: 100,
    where: ({ policy }) => policy.onUncertain === 'resend',
    target: misjudging((outcome) =>
      outcome.kind === 'uncertain' && isNotUnderstood(outcome.failure)
        ? { kind: 'uncertain', failure: { cause: 'timeout' } }
        : outcome,
    ),
  },
  {
    name: 'conflict-is-refusal',
    summary: 'a 409 to a try that is under way counts as a refusal',
    seeds: 300,
    where: ({ tellsUnderWay, policy, rates }) => tellsUnderWay && policy.onUncertain === 'resend' && rates.target > 0,
    target: misjudging((outcome) =>
      outcome.kind === 'conflict' ? { kind: 'rejected', failure: outcome.failure } : outcome,
    ),
  },
  {
    name: 'rejected-for-ever',
    summary: 'what the target refuses is sent again and again',
    seeds: 100,
    // Where a record may wait a day for its parent, a world that never rests takes too long.
    where: ({ tree }) => tree === 'none',
    harsher: unhurried,
    target: misjudging((outcome) =>
      outcome.kind === 'rejected'
        ? { kind: 'notApplied', failure: outcome.failure, waits: true, pauseMs: 600_000 }
        : outcome,
    ),
  },
  {
    name: 'waiting-counts-as-failing',
    summary: 'a 429 uses up an attempt',
    seeds: 150,
    where: ({ rates, integration }) => rates.target === 0.5 && integration.target.retry.maxAttempts === 2,
    target: misjudging((outcome) => (outcome.kind === 'notApplied' ? { ...outcome, waits: false } : outcome)),
  },
  {
    name: 'key-on-delivery',
    summary: 'the Idempotency-Key is the delivery’s, not the content’s',
    seeds: 100,
    target: (target, world) => withKeys(target, () => world.chance.token()),
  },
  {
    name: 'park-ignored',
    summary: 'an unknown outcome is sent again although the integration says park',
    seeds: 100,
    loadPolicy: (policy) => ({ ...policy, onUncertain: 'resend' }),
  },
  {
    name: 'idcheck-ignored',
    summary: 'a loaded id is overwritten although the integration says idCheck',
    seeds: 100,
    loadPolicy: (policy) => ({ ...policy, idCheck: false }),
    fetchPolicy: (policy) => ({ ...policy, idCheck: false }),
  },
  {
    name: 'acknowledges-before-settling',
    summary: 'messages are deleted before they are worked on',
    seeds: 200,
    acknowledgesAtOnce: true,
  },
  {
    name: 'defers-by-failing',
    summary: 'a delivery is put off by failing it',
    seeds: 100,
    loadRecords: refusing,
  },
  {
    name: 'copy-sent-after-acknowledging',
    summary: 'a message that is put off is deleted before its copy is in the queue',
    seeds: 200,
    loadRecords: sendingLater,
  },
  {
    name: 'settles-before-the-letter',
    summary: 'idCheck speaks of a dead letter that is not in its queue yet',
    seeds: 100,
    deadLetters: sendingLater,
  },
  {
    name: 'checkpoint-before-the-queue',
    summary: 'the checkpoint moves before the queue accepted the page',
    seeds: 100,
    fetchRecords: sendingLater,
  },
  {
    name: 'tombstones-alike',
    summary: 'the second deletion of a record looks like its first',
    seeds: 300,
    where: ({ deletes }) => deletes,
    harsher: (settings) => {
      const pressed = editing(settings, { groups: 1, edits: 12, runs: 12, periodMs: periodsMs.longest });
      return failing(pressed, { target: 0.6, deliveredTwice: 0.3 });
    },
    fetchRecords: (queue) => ({
      ...queue,
      sendAll: (messages) =>
        queue.sendAll(messages.map((one) => ({ ...one, body: one.body.replace(/"deleted@\d+"/, '"deleted@0"') }))),
    }),
    runs: (store) => ({
      ...store,
      saveChunk: (integration, chunk) =>
        store.saveChunk(integration, {
          ...chunk,
          ...(chunk.deletions && { deletions: chunk.deletions.map(({ id }) => ({ id, hash: 'deleted@0' })) }),
        }),
    }),
  },
  {
    name: 'failed-entries-not-sent-again',
    summary: 'entries that failed inside HTTP 200 are taken for sent',
    seeds: 100,
    ignoresFailedEntries: true,
  },
  {
    name: 'ledger-appended',
    summary: 'a page that is read again is added to its chunk instead of replacing it',
    seeds: 150,
    runs: (store, world) => ({
      ...store,
      saveChunk: async (integration, chunk) => {
        const key = `${chunk.runId} ${chunk.index}`;
        const before: LedgerChunk | undefined = world.audit.evidence.chunks.get(key);
        return store.saveChunk(integration, { ...chunk, entries: [...(before?.entries ?? []), ...chunk.entries] });
      },
    }),
  },
  {
    name: 'lease-ignored',
    summary: 'a run begins although another holds the lease',
    seeds: 100,
    runs: (store) => ({
      ...store,
      lease: async (integration) => {
        const lease = await store.lease(integration);
        return lease && { ...lease, untilMs: 0 };
      },
      takeLease: async (lease) => store.takeLease(lease, await store.lease(lease.integration)),
    }),
  },
  {
    name: 'run-per-delivery',
    summary: 'a run’s id comes from the clock, so that an event delivered twice starts two',
    seeds: 100,
    runRequest: (request, world) =>
      request.kind === 'schedule' ? { ...request, scheduledMs: world.scheduler.nowMs() } : request,
  },
  {
    name: 'vanished-from-a-part',
    summary: 'a source that fails is taken for the end of its list',
    seeds: 300,
    harsher: (settings) => failing({ ...settings, groups: 10, troubledMs: 8 * settings.periodMs }, { source: 0.6 }),
    source: (source) => ({
      readPage: async (...asked) => {
        const page = await source.readPage(...asked);
        const { requests, warnings } = page;
        return page.kind === 'failed' ? { kind: 'page', records: [], requests, warnings } : page;
      },
    }),
  },
  {
    name: 'deletes-at-once',
    summary: 'a record is deleted after one reading that lacked it',
    seeds: 200,
    where: ({ deletes }) => deletes,
    runs: (store, world) => ({
      ...store,
      runs: async (...asked) =>
        (await store.runs(...asked)).map((run) => (isUnfinished(run) ? run : { ...run, absences: 1 })),
      chunks: (integration, runId, upTo) =>
        runId.endsWith('~absent')
          ? absentBefore(runId, [...world.idTable.keys()])
          : store.chunks(integration, runId, upTo),
    }),
  },
  {
    name: 'short-page-ends',
    summary: 'a page shorter than it was asked for is taken for the last one',
    seeds: 20,
    where: ({ capsPages, paging }) => capsPages && paging !== 'single',
    source: (source, { settings }) => ({
      readPage: async (...asked) => {
        const page = await source.readPage(...asked);
        if (page.kind !== 'page' || page.records.length >= settings.pageSize) return page;
        const { next: _, ...last } = page;
        return last;
      },
    }),
  },
  {
    name: 'empty-id-0',
    summary: 'id 0 counts as missing',
    seeds: 100,
    transform: (transform) => ({
      begin: (earlier) => {
        const snapshot = transform.begin(earlier);
        return {
          ...snapshot,
          prepare: (...page) => {
            const { prepared, memory } = snapshot.prepare(...page);
            const without = prepared.map((one) =>
              Number(one.id) ? one : { outcome: 'invalid' as const, id: one.id, reason: 'no id' },
            );
            return { prepared: without, memory };
          },
        };
      },
    }),
  },
  {
    name: 'replay-resets',
    summary: 'a replay makes idCheck forget the id',
    seeds: 300,
    harsher: replaying,
    replayRecords: (queue, world) => ({
      ...queue,
      sendAll: async (messages) => {
        const sent = await queue.sendAll(messages);
        for (const { body } of messages) {
          const read = readMessage(body);
          if (read.kind === 'message') world.idTable.delete(read.message.id);
        }
        return sent;
      },
    }),
  },
  {
    name: 'replay-deletes-first',
    summary: 'a dead letter is deleted before its message is in the queue',
    seeds: 100,
    replayRecords: sendingLater,
  },
  {
    name: 'replay-not-marked',
    summary: 'a replayed message does not say that a person sent it',
    seeds: 300,
    harsher: replaying,
    replayRecords: (queue) => ({
      ...queue,
      sendAll: (messages) =>
        queue.sendAll(
          messages.map((message) => {
            const read = readMessage(message.body);
            if (read.kind === 'unreadable') return message;
            const { replayedMs: _, ...unmarked } = read.message;
            return { ...message, body: writeMessage(unmarked) };
          }),
        ),
    }),
  },
];
