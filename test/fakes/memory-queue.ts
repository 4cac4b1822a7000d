import { MAX_BATCH_BYTES } from '../../lib/aws/sqs-queue.ts';
import { MAX_DELAY_SEC, type ReadableQueue } from '../../lib/messages/queue.ts';
import type { Clock } from '../../lib/runtime/clock.ts';

type Stored = {
  messageId: string;
  body: string;
  sentMs: number;
  /** Hidden until then: delayed before the first receive, in flight after it. */
  hiddenUntilMs: number;
  receiveCount: number;
  /** Of the last receive; older handles do nothing, as in SQS. */
  handle?: string;
};

export interface MemoryQueue extends ReadableQueue {
  /** Takes a message over as it is, as a redrive does: body, id, age and receive count stay. */
  accept(message: Omit<Stored, 'hiddenUntilMs' | 'handle'>): void;
  /** The bodies of all messages, hidden ones too, oldest first. */
  bodies(): string[];
}

// XML 1.0 (SQS, SendMessage).
const NOT_IN_SQS = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

export type Redrive = { deadLetters: MemoryQueue; maxReceiveCount: number };

/** A standard SQS queue in memory: delay, visibility, receive counts, and redrive once they are used up. */
export const memoryQueue = (clock: Clock, redrive?: Redrive): MemoryQueue => {
  let messages: Stored[] = [];
  let sent = 0;
  let receives = 0;

  const visible = (message: Stored) => message.hiddenUntilMs <= clock.nowMs();
  const redriven = (message: Stored): boolean => {
    if (!redrive || message.receiveCount < redrive.maxReceiveCount) return false;
    const { messageId, body, sentMs, receiveCount } = message;
    redrive.deadLetters.accept({ messageId, body, sentMs, receiveCount });
    return true;
  };

  return {
    accept: (message) => {
      messages.push({ ...message, hiddenUntilMs: clock.nowMs() });
    },
    bodies: () => messages.map(({ body }) => body),
    sendAll: async (outgoing) => {
      const failed: number[] = [];
      outgoing.forEach(({ body, delaySec = 0 }, index) => {
        if (Buffer.byteLength(body) > MAX_BATCH_BYTES || NOT_IN_SQS.test(body)) {
          failed.push(index);
          return;
        }
        const nowMs = clock.nowMs();
        const hiddenUntilMs = nowMs + Math.min(Math.ceil(delaySec), MAX_DELAY_SEC) * 1000;
        messages.push({ messageId: `message-${++sent}`, body, sentMs: nowMs, hiddenUntilMs, receiveCount: 0 });
      });
      return { failed, ...(failed.length > 0 && { refused: failed }) };
    },
    receive: async (max, hideSec) => {
      // SQS looks at the receive count when the message would be received once more.
      messages = messages.filter((message) => !(visible(message) && redriven(message)));
      return messages
        .filter(visible)
        .slice(0, max)
        .map((message) => {
          message.receiveCount += 1;
          message.hiddenUntilMs = clock.nowMs() + hideSec * 1000;
          message.handle = `receive-${++receives}`;
          const { messageId, handle, body, sentMs, receiveCount } = message;
          return { messageId, handle, body, sentMs, receiveCount };
        });
    },
    delete: async (handles) => {
      messages = messages.filter(({ handle }) => handle === undefined || !handles.includes(handle));
      return { failed: [] };
    },
    release: async (handles, sec) => {
      for (const message of messages) {
        const inFlight = message.handle !== undefined && handles.includes(message.handle) && !visible(message);
        if (inFlight) message.hiddenUntilMs = clock.nowMs() + sec * 1000;
      }
    },
    depth: async () => {
      const hidden = messages.filter((message) => !visible(message));
      const delayed = hidden.filter(({ receiveCount }) => receiveCount === 0).length;
      return { visible: messages.length - hidden.length, inFlight: hidden.length - delayed, delayed };
    },
  };
};
