import type { IdCheck } from '../idcheck/item.ts';
import { listLetters } from '../messages/dead-letter-queue.ts';
import { messagesIn, type ReadableQueue } from '../messages/queue.ts';
import { readMessage } from '../messages/record-message.ts';
import { type CloseDeps, discard, presentState, type Signature } from './close-letters.ts';

/** What a fresh start of an integration forgets. */
export type Forgotten = {
  /** Records known as loaded: the next run sends them again. */
  loaded: number;
  /** Dead letters that are lost. */
  letters: number;
};

const isLoaded = ({ loaded }: IdCheck): boolean => loaded !== undefined;

/** What a fresh start would forget; nothing is changed. */
export const forgottenByFresh = async (
  integration: string,
  { idStore, runs, deadLetters }: Pick<CloseDeps, 'idStore' | 'runs' | 'deadLetters'>,
): Promise<Forgotten> => {
  let loaded = 0;
  for await (const items of idStore.scan(await presentState(integration, runs)))
    loaded += items.filter(isLoaded).length;
  const isEmpty = messagesIn(await deadLetters.depth()) === 0;
  return { loaded, letters: isEmpty ? 0 : (await listLetters(deadLetters, { integration })).length };
};

export type FreshDeps = CloseDeps & { records: ReadableQueue; forget(integration: string): Promise<void> };

/**
 * Forgets what is known of one integration, its queued messages and its letters. Other integrations keep theirs. Each
 * letter is written to the audit log, which stays. No worker may be running.
 */
export const startFresh = async (integration: string, signature: Signature, deps: FreshDeps): Promise<void> => {
  await deps.forget(integration);
  await dropQueued(integration, deps.records);
  // Its items are gone: nothing holds an uncertain letter back.
  if (messagesIn(await deps.deadLetters.depth()) > 0) await discard({ integration }, signature, deps);
};

const BATCH = 10;
/** Longer than looking through the queue takes. */
const HIDE_SEC = 60;
const SHOW_AGAIN_SEC = 1;

/** Deletes the integration's messages that can be received. Messages that are put off are superseded when they come. */
const dropQueued = async (integration: string, records: ReadableQueue): Promise<void> => {
  if ((await records.depth()).visible === 0) return;
  const others: string[] = [];
  for (;;) {
    const received = await records.receive(BATCH, HIDE_SEC);
    if (received.length === 0) break;
    const isMeant = ({ body }: { body: string }): boolean => {
      const read = readMessage(body);
      return read.kind === 'message' && read.message.integration === integration;
    };
    await records.delete(received.filter(isMeant).map(({ handle }) => handle));
    others.push(...received.filter((message) => !isMeant(message)).map(({ handle }) => handle));
  }
  if (others.length > 0) await records.release(others, SHOW_AGAIN_SEC);
};
