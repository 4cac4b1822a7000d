import type { modelClock } from './model-clock.ts';

export type Message = { id: number; body: string };

const WORKERS = 5;
const BATCH = 20;
const WINDOW_MS = 1_000;

type QueueModel = {
  clock: ReturnType<typeof modelClock>;
  chance: () => number;
  /** Chances that a message is lost, or delivered twice. */
  lost: number;
  twice: number;
  onLost: () => void;
  /** What a worker does with a batch. */
  invoke: (batch: readonly Message[]) => Promise<void>;
};

/**
 * A standard queue, late by up to 0.5 s, at times by 2.5 s, seldom by 15 s, and five pollers that each take what they
 * see, for a second or twenty messages: a block of 20 comes to the function as batches of about 4.
 */
export const modelQueue = ({ clock, chance, lost, twice, onLost, invoke }: QueueModel) => {
  const backlog: Message[] = [];
  let taken = 0;
  let messages = 0;
  const pollers = Array.from({ length: WORKERS }, () => ({ batch: [] as Message[], isBusy: false, turn: 0 }));
  type Poller = (typeof pollers)[number];

  const latenessMs = (): number => {
    const kind = chance();
    return chance() * (kind < 0.002 ? 15_000 : kind < 0.032 ? 2_500 : 500);
  };
  const show = (message: Message): void => {
    const free = pollers.filter(({ isBusy, batch }) => !isBusy && batch.length < BATCH);
    const poller = free[Math.floor(chance() * free.length)];
    if (poller === undefined) backlog.push(message);
    else give(poller, message);
  };
  const give = (poller: Poller, message: Message): void => {
    poller.batch.push(message);
    const { turn } = poller;
    if (poller.batch.length === 1) clock.at(clock.nowMs() + WINDOW_MS, () => poller.turn === turn && work(poller));
    if (poller.batch.length === BATCH) work(poller);
  };
  const work = (poller: Poller): void => {
    const { batch } = poller;
    poller.isBusy = true;
    poller.turn += 1;
    poller.batch = [];
    void invoke(batch).then(() => {
      poller.isBusy = false;
      while (taken < backlog.length && poller.batch.length < BATCH && !poller.isBusy) {
        const message = backlog[taken++];
        if (message !== undefined) give(poller, message);
      }
    });
  };
  return {
    show,
    send: (body: string, delaySec: number): void => {
      messages += 1;
      const message = { id: messages, body };
      if (chance() < lost) {
        onLost();
        return;
      }
      const atMs = clock.nowMs() + delaySec * 1_000 + latenessMs();
      clock.at(atMs, () => show(message));
      if (chance() < twice) clock.at(atMs + chance() * 30_000, () => show(message));
    },
  };
};
