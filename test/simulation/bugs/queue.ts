import type { Queue } from '../../../lib/messages/queue.ts';
import { readMessage, writeMessage } from '../../../lib/messages/record-message.ts';
import type { Bug } from '../bug.ts';
import { periodsMs } from '../settings.ts';
import { editing, failing, replaying, slow, unhurried } from './harsher.ts';
import { sendingLater } from './sending-later.ts';

const refusing = (): Queue => ({ sendAll: async (messages) => ({ failed: messages.map((_, index) => index) }) });

/** Bugs in the order of messages: sent, deleted, put off, replayed. */
export const queueBugs: readonly Bug[] = [
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
    name: 'backlog-sent-again',
    summary: 'each schedule sends again what is on its way',
    seeds: 100,
    fetchRecords: (queue) => ({ ...queue, depth: async () => ({ visible: 0, inFlight: 0, delayed: 0 }) }),
  },
  {
    name: 'waits-behind-lost',
    summary: 'a record waits for ever for an earlier message that was lost',
    seeds: 100,
    harsher: (settings) => failing(unhurried(settings), { kill: 0.05 }),
    fetchRecords: (queue) => ({ ...queue, depth: async () => ({ visible: 1, inFlight: 0, delayed: 0 }) }),
  },
  {
    name: 'tick-skips-one',
    summary: 'of each block of what waits in a ledger the last message is not sent',
    seeds: 100,
    harsher: slow,
    dispatchRecords: (queue) => ({ ...queue, sendAll: (messages) => queue.sendAll(messages.slice(0, -1)) }),
  },
  {
    name: 'takeover-forgotten',
    summary: 'what waits in a ledger is sent although a later run has newer content of its record',
    seeds: 200,
    harsher: (settings) => editing(slow(settings), { groups: 8, edits: 16, runs: 6, periodMs: periodsMs.long }),
    runs: (store) => ({
      ...store,
      saveChunk: (integration, chunk) =>
        store.saveChunk(integration, chunk.runId.endsWith('~takes') ? { ...chunk, memory: [] } : chunk),
    }),
  },
  {
    name: 'failed-entries-not-sent-again',
    summary: 'entries that failed inside HTTP 200 are taken for sent',
    seeds: 100,
    ignoresFailedEntries: true,
  },
  {
    name: 'redriven-letter-dropped',
    summary: 'a dead letter that was moved back to the records is taken for dealt with',
    seeds: 100,
    harsher: (settings) => {
      const halfMs = settings.troubledMs / 2;
      return { ...failing(settings, { target: 0.5 }), hands: [{ atMs: halfMs, does: 'redrives letters' }] };
    },
    deadLetters: (queue, { queues }) => ({
      ...queue,
      sendAll: async (messages) => {
        const isBack = (body: string) => [...queues.records.messages.values()].some((one) => one.body === body);
        const fresh = messages.filter(({ body }) => !isBack(body));
        return fresh.length === 0 ? { failed: [] } : queue.sendAll(fresh);
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
