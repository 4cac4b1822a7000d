type Event = { atMs: number; order: number; happen: () => void };

/** Virtual time: events happen in the order of their times, and time jumps from one to the next. */
export interface Scheduler {
  nowMs(): number;
  /** Makes `happen` happen in `ms` milliseconds; what is due at one time happens in the order it was asked for. */
  after(ms: number, happen: () => void): void;
  /** To be called by whoever settles a promise in an event: the next event waits for all that follows from it. */
  woke(): void;
  /** Lets events happen until `isOver`, or until none is left before `limitMs`. */
  run(isOver: () => boolean, limitMs: number): Promise<void>;
}

/** The next immediate runs when all promise jobs are done: a barrier, not a wait. */
const allJobsDone = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const isBefore = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

export const schedulerFrom = (startMs: number): Scheduler => {
  let nowMs = startMs;
  let order = 0;
  let isAwake = false;
  const heap: Event[] = [];

  const push = (event: Event): void => {
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Event;
      if (!isBefore(event, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  };
  const pop = (): Event | undefined => {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      const below = heap[child] as Event;
      if (!isBefore(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
    return first;
  };

  return {
    nowMs: () => nowMs,
    after: (ms, happen) => push({ atMs: nowMs + Math.max(0, Math.ceil(ms)), order: order++, happen }),
    woke: () => {
      isAwake = true;
    },
    run: async (isOver, limitMs) => {
      while (!isOver()) {
        const event = pop();
        if (event === undefined) return;
        if (event.atMs > limitMs) {
          push(event);
          nowMs = limitMs;
          return;
        }
        nowMs = event.atMs;
        event.happen();
        if (!isAwake) continue;
        isAwake = false;
        await allJobsDone();
      }
    },
  };
};
