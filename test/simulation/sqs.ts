import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { sqsQueue } from '../../lib/aws/sqs-queue.ts';
import { isJsonObject, parsedOrUndefined } from '../../lib/json/json.ts';
import type { ReadableQueue } from '../../lib/messages/queue.ts';
import { clockOf } from './clocks.ts';
import type { Environment } from './lambda.ts';
import type { Settings } from './settings.ts';
import { type Fate, request } from './wire.ts';
import { seenBy, type World } from './world.ts';

export type QueueName = 'records' | 'dead-letters' | 'runs';

export type StoredMessage = {
  messageId: string;
  body: string;
  /** Whose it is, as it says itself. */
  integration: string;
  sentMs: number;
  /** Hidden until then: delayed before the first receive, under way after it. */
  hiddenUntilMs: number;
  receiveCount: number;
  handle: string;
};

/** Whose a message is, letters and requests for runs included; '' where it does not say. */
export const integrationIn = (body: string): string => {
  const value = parsedOrUndefined(body);
  return isJsonObject(value) ? String(value.integration ?? '') : '';
};

/** A standard queue: at least once, in no order, with redrive once the receives are used up. */
export type SimulatedQueue = {
  name: QueueName;
  messages: Map<string, StoredMessage>;
  send(body: string, delayMs: number): void;
  receive(max: number, hideMs: number): StoredMessage[];
  /** Any handle will do, an earlier receive's too: SQS promises neither that it does nor that it does not. */
  delete(handle: string): StoredMessage | undefined;
  /** When the next message can be received, ms; undefined: none is there. */
  nextMs(): number | undefined;
  /** Messages may be there: whoever polls looks. */
  changed: () => void;
};

type Surroundings = Pick<World, 'chance' | 'scheduler' | 'weather' | 'reach' | 'all'>;

type Redrive = { maxReceiveCount: number; accept(message: StoredMessage): void };

const simulatedQueue = (world: Surroundings, name: QueueName, redrive?: Redrive): SimulatedQueue => {
  const { chance, scheduler } = world;
  const messages = new Map<string, StoredMessage>();
  const handles = new Map<string, string>();
  let sent = 0;
  let receives = 0;
  return {
    name,
    messages,
    changed: () => {},
    send: (body, delayMs) => {
      const messageId = `${name}-${++sent}`;
      const sentMs = scheduler.nowMs();
      messages.set(messageId, {
        messageId,
        body,
        integration: integrationIn(body),
        sentMs,
        hiddenUntilMs: sentMs + delayMs,
        receiveCount: 0,
        handle: '',
      });
    },
    receive: (max, hideMs) => {
      const nowMs = scheduler.nowMs();
      const visible = chance.shuffled([...messages.values()].filter(({ hiddenUntilMs }) => hiddenUntilMs <= nowMs));
      const received: StoredMessage[] = [];
      for (const message of visible) {
        if (received.length === max) break;
        if (redrive && message.receiveCount >= redrive.maxReceiveCount) {
          messages.delete(message.messageId);
          redrive.accept(message);
          continue;
        }
        message.receiveCount += 1;
        message.handle = `${message.messageId}/${++receives}`;
        handles.set(message.handle, message.messageId);
        // At least once: sometimes a copy of the message is shown on although another is being worked on.
        const hiddenMs = chance.happens(world.weather.rates.deliveredTwice) ? chance.whole(0, 30_000) : hideMs;
        message.hiddenUntilMs = nowMs + hiddenMs;
        received.push({ ...message });
      }
      return received;
    },
    delete: (handle) => {
      const messageId = handles.get(handle);
      const message = messageId === undefined ? undefined : messages.get(messageId);
      if (message === undefined || chance.happens(world.weather.rates.deleteLost)) return undefined;
      messages.delete(message.messageId);
      return message;
    },
    nextMs: () => {
      let nextMs: number | undefined;
      for (const { hiddenUntilMs } of messages.values()) nextMs = Math.min(nextMs ?? hiddenUntilMs, hiddenUntilMs);
      return nextMs;
    },
  };
};

/** The queues of a world: what was received too often becomes a dead letter as it is. */
export const queuesOf = (
  world: Surroundings,
  { maxReceiveCount }: Pick<Settings, 'maxReceiveCount'>,
): Record<QueueName, SimulatedQueue> => {
  const deadLetters = simulatedQueue(world, 'dead-letters');
  const accept = (message: StoredMessage) => {
    world.all[0]?.note('sqs', 'redrives', message.messageId);
    world.reach('redriven after its receives');
    deadLetters.messages.set(message.messageId, {
      ...message,
      hiddenUntilMs: world.scheduler.nowMs(),
      receiveCount: 0,
    });
  };
  return {
    records: simulatedQueue(world, 'records', { maxReceiveCount, accept }),
    'dead-letters': deadLetters,
    runs: simulatedQueue(world, 'runs'),
  };
};

const sendFate = ({ chance, weather: { rates } }: World, environment: Environment): Fate => {
  const fate = chance.happens(rates.sendRefused)
    ? 'refused'
    : chance.happens(rates.sendForgotten)
      ? 'forgotten'
      : 'answered';
  if (fate !== 'answered') environment.sendFaults += 1;
  return fate;
};

/** What the SDK's client does, as far as `sqsQueue` asks it to. */
const clientOf = (world: World, environment: Environment, queue: SimulatedQueue): Pick<SQSClient, 'send'> => {
  const { chance } = world;
  const auditIn = (body: string) => seenBy(world, integrationIn(body)).audit;
  const send = async (command: unknown): Promise<unknown> => {
    if (command instanceof SendMessageBatchCommand) {
      const { Entries = [] } = command.input;
      return request(world, environment, sendFate(world, environment), () => {
        const Failed = [];
        for (const { Id, MessageBody = '', DelaySeconds = 0 } of Entries) {
          if (chance.happens(world.weather.rates.entryRefused)) {
            environment.sendFaults += 1;
            Failed.push({ Id, SenderFault: false, Code: 'InternalError' });
          } else {
            auditIn(MessageBody).messageAccepted(environment, queue.name, MessageBody);
            queue.send(MessageBody, DelaySeconds * 1000);
            queue.changed();
          }
        }
        return world.bug.ignoresFailedEntries ? {} : { Failed };
      });
    }
    if (command instanceof ReceiveMessageCommand) {
      const { MaxNumberOfMessages = 1, VisibilityTimeout = 0 } = command.input;
      return request(world, environment, 'answered', () => ({
        Messages: queue.receive(MaxNumberOfMessages, VisibilityTimeout * 1000).map((message) => ({
          MessageId: message.messageId,
          ReceiptHandle: message.handle,
          Body: message.body,
          Attributes: {
            SentTimestamp: String(message.sentMs),
            ApproximateReceiveCount: String(message.receiveCount),
          },
        })),
      }));
    }
    if (command instanceof GetQueueAttributesCommand) {
      return request(world, environment, 'answered', () => ({
        Attributes: {
          ApproximateNumberOfMessages: String(queue.messages.size),
          ApproximateNumberOfMessagesNotVisible: '0',
          ApproximateNumberOfMessagesDelayed: '0',
        },
      }));
    }
    if (command instanceof DeleteMessageBatchCommand) {
      const { Entries = [] } = command.input;
      return request(world, environment, sendFate(world, environment), () => {
        for (const { ReceiptHandle = '' } of Entries) {
          const message = queue.delete(ReceiptHandle);
          if (message) auditIn(message.body).letterDeleted(environment, message.body);
        }
        return {};
      });
    }
    if (command instanceof ChangeMessageVisibilityBatchCommand) {
      const { Entries = [] } = command.input;
      return request(world, environment, sendFate(world, environment), () => {
        for (const { ReceiptHandle, VisibilityTimeout = 0 } of Entries) {
          const message = [...queue.messages.values()].find(({ handle }) => handle === ReceiptHandle);
          if (message) message.hiddenUntilMs = world.scheduler.nowMs() + VisibilityTimeout * 1000;
        }
        return {};
      });
    }
    throw new TypeError('a command that the simulated queue does not know');
  };
  return { send: send as SQSClient['send'] };
};

/** The real adapter over a simulated queue, as one environment reaches it. */
export const queueOf = (world: World, environment: Environment, queue: SimulatedQueue): ReadableQueue =>
  sqsQueue(clientOf(world, environment, queue) as SQSClient, queue.name, {
    clock: clockOf(world, environment),
    random: world.chance,
  });
