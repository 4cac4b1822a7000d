import type { Bug } from './bug.ts';
import { type Functions, functionsOf } from './functions.ts';
import { editGroups } from './groups.ts';
import { act } from './hands.ts';
import { invoke, workerOf } from './lambda.ts';
import { moveTarget, sayTheSame } from './moving.ts';
import { neverRecovers } from './outages.ts';
import type { Settings } from './settings.ts';
import type { QueueName, StoredMessage } from './sqs.ts';
import { isQuiet, judge, whyNotQuiet } from './verdict.ts';
import {
  calmDown,
  deploy,
  type Note,
  newWorld,
  seenBy,
  type Violation,
  type World,
  type WorldOptions,
} from './world.ts';

const RECONCILE_MS = 10 * 60_000;
const DISPATCH_MS = 5 * 60_000;
const DAY_MS = 86_400_000;
/** Where one target never recovers, the others' records do not wait for it. */
const IN_TIME_MS = 3 * 3_600_000;
/** Visibility of the records queue and of the runs queue (serverless.yml). */
const HIDDEN_MS: Record<QueueName, number> = { records: 361_000, runs: 1_800_000, 'dead-letters': 60_000 };
/** Lambda repeats an asynchronous invocation that failed twice, after one and two minutes. */
const ASYNC_RETRIES_MS = [60_000, 120_000];

/** The event source mapping of one queue. */
const poll = (world: World, queueName: 'records' | 'runs', functions: Functions): (() => void) => {
  const { scheduler, chance, settings, queues, audit, bug } = world;
  const queue = queues[queueName];
  const isLoad = queueName === 'records';
  const target = isLoad ? functions.load : functions.fetch;
  const concurrency = isLoad ? settings.loadConcurrency : 2;
  let busy = 0;
  let nextLookMs = Number.POSITIVE_INFINITY;

  const lookAt = (atMs: number): void => {
    if (atMs >= nextLookMs) return;
    nextLookMs = atMs;
    scheduler.after(atMs - scheduler.nowMs(), () => {
      if (nextLookMs !== atMs) return;
      nextLookMs = Number.POSITIVE_INFINITY;
      look();
    });
  };
  const lookLater = (): void => {
    const nextMs = queue.nextMs();
    if (nextMs !== undefined && busy < concurrency) lookAt(Math.max(nextMs, scheduler.nowMs()) + chance.whole(1, 400));
  };
  const look = (): void => {
    if (busy >= concurrency) return;
    const batch = queue.receive(isLoad ? settings.loadBatchSize : 1, HIDDEN_MS[queueName]);
    if (batch.length > 0) {
      busy += 1;
      const event = isLoad ? batch : { Records: batch.map(({ body }) => ({ body })) };
      const remove = (messages: readonly StoredMessage[], worker: string) => {
        for (const { handle } of messages) {
          const deleted = queue.delete(handle);
          if (isLoad && deleted) seenBy(world, deleted.integration).audit.acknowledged(worker, deleted.body);
        }
      };
      if (bug.acknowledgesAtOnce) remove(batch, '');
      invoke(world, target, event, (end, environment) => {
        busy -= 1;
        if (end.kind === 'returned' && !bug.acknowledgesAtOnce) {
          const failed = isLoad ? (end.value as string[]) : [];
          audit.givenBack(environment, failed.length);
          const done = batch.filter(({ messageId }) => !failed.includes(messageId));
          remove(done, workerOf(environment));
        }
        lookLater();
      });
    }
    lookLater();
  };
  return lookLater;
};

const LIMIT = 2;

/** What is asked of the n-th run of the troubled time; the first is an ordinary one. */
const partialAsked = (
  { partialRuns }: Settings,
  n: number,
): { selection?: { limit: number }; adoption?: Record<string, never> } => {
  // The same again and again: no other request goes on with such a run.
  if (partialRuns === 'limited' && n > 0) return { selection: { limit: LIMIT } };
  return partialRuns === 'adopting' && n === 1 ? { adoption: {} } : {};
};

/** EventBridge's schedule of one integration: at least once, and repeated by Lambda when the invocation fails. */
const schedule = (world: World, functions: Functions): void => {
  const { scheduler, chance, settings } = world;
  const fire = (event: unknown, retries: readonly number[]): void =>
    invoke(world, functions.fetch, event, (end) => {
      const [retryMs, ...more] = retries;
      if (end.kind !== 'returned' && retryMs !== undefined) scheduler.after(retryMs, () => fire(event, more));
    });
  const tick = (): void => {
    const isTroubled = scheduler.nowMs() < world.weather.calmFromMs;
    const partial = isTroubled ? partialAsked(settings, world.ticksMs.size) : {};
    world.ticksMs.add(scheduler.nowMs());
    if (partial.selection) world.audit.limited(scheduler.nowMs(), partial.selection.limit);
    const event = {
      kind: 'schedule',
      integration: settings.integration.name,
      scheduledTime: new Date(scheduler.nowMs()).toISOString(),
      confirmed: settings.remapped !== undefined && world.hasConsent,
      fullRefresh: isTroubled && chance.happens(settings.fullRefreshes),
      ...partial,
    };
    scheduler.after(chance.whole(0, 2_000), () => fire(event, ASYNC_RETRIES_MS));
    if (chance.happens(world.weather.rates.scheduledTwice)) {
      scheduler.after(chance.pick([0, 1, 90]) * 1000, () => fire(event, ASYNC_RETRIES_MS));
    }
    scheduler.after(settings.periodMs, tick);
  };
  tick();
};

const balancing = (world: World, functions: Functions): void => {
  const balance = (): void => {
    invoke(world, functions.reconcile, {}, () => world.scheduler.after(RECONCILE_MS, balance));
  };
  world.scheduler.after(RECONCILE_MS, balance);
  const dispatch = (): void => {
    invoke(world, functions.dispatch, {}, () => world.scheduler.after(DISPATCH_MS, dispatch));
  };
  world.scheduler.after(DISPATCH_MS, dispatch);
};

const replayAll = (world: World, functions: Functions, filter: object): void =>
  // Also what was replayed so often already that it is held back otherwise.
  invoke(world, functions.replay, { kind: 'replay', force: true, ...filter }, (end) => {
    if (end.kind !== 'returned') world.broken('a replay ends while nothing fails', end.kind);
  });

/** The reasons of letters that a replay could send. */
const replayable = ['rejected', 'uncertain', 'exhausted', 'unreadable', 'crashed'] as const;

/** Edits and replays at random moments until the trouble ends. */
const trouble = (world: World, functions: Functions): void => {
  const { scheduler, chance, settings } = world;
  const sometime = () => chance.whole(0, settings.troubledMs - 1);
  for (const one of world.all) {
    for (let edit = 0; edit < one.settings.edits; edit++) scheduler.after(sometime(), () => editGroups(one));
  }
  for (let count = 0; count < settings.operatorReplays; count++) {
    const filter = chance.pick<object>([{}, {}, { limit: 1 }, { reason: chance.pick(replayable) }]);
    scheduler.after(sometime(), () => invoke(world, functions.replay, { kind: 'replay', ...filter }, () => {}));
  }
  for (const hand of settings.hands) scheduler.after(hand.atMs, () => act(world, hand, functions));
  if (settings.moves) {
    const [movesMs = 0, saidMs = 0] = [0.3, 0.7].map((share) => Math.floor(share * settings.troubledMs));
    const soon = (ms: number, act: (world: World) => Promise<void>) =>
      scheduler.after(ms, () => {
        void act(world);
        scheduler.woke();
      });
    soon(movesMs, moveTarget);
    soon(saidMs, sayTheSame);
  }
  const { remapped } = settings;
  if (remapped !== undefined) scheduler.after(sometime(), () => deploy(world, remapped));
  scheduler.after(settings.troubledMs, () => calmDown(world));
};

export type Outcome = { seed: number; violations: Violation[]; notes: Note[]; world: World };

/** Sets everything going that acts in a world: schedules, pollers, people. */
export const begin = (world: World, functions: Functions): void => {
  for (const queue of ['records', 'runs'] as const) world.queues[queue].changed = poll(world, queue, functions);
  for (const one of world.all) schedule(one, functions);
  balancing(world, functions);
  trouble(world, functions);
};

/** Seeds from `first` on, but for those whose worlds could not show the bug: a bug is looked for where it can be. */
export function* seedsToTry(first: number, { where }: Bug): Generator<number, never> {
  for (let seed = first; ; seed++) if (where === undefined || where(newWorld(seed).settings)) yield seed;
}

/** Runs one world to its end and judges it. The same seed gives the same world, event for event. */
export const simulate = async (seed: number, options: WorldOptions = {}): Promise<Outcome> => {
  const world = newWorld(seed, options);
  const { scheduler, settings, violations, notes } = world;
  const functions = functionsOf(world);
  begin(world, functions);

  const isBroken = () => violations.length > 0;
  await scheduler.run(isBroken, world.weather.calmFromMs);
  const settle = async (): Promise<void> => {
    // A record may wait a day for its parent, or until the time has come that a clock was ahead by: 80 hours.
    const isSlow = settings.clocks !== 'right' || world.all.some((one) => one.settings.tree !== 'none');
    // What a crashed worker's message held is sent again when the queue is empty, and that one's messages are in it.
    const mayBeLost = world.all.some((one) => one.reached.has('redriven after its receives'));
    const isBesideDead = world.all.some((one) => neverRecovers(one.settings.outages));
    const isInTime = !mayBeLost && isBesideDead;
    // There the queue is never empty: what was lost is sent again when its message must have ended.
    const days = isSlow ? 4 : isBesideDead ? 2 : 1;
    const limitMs = scheduler.nowMs() + (isInTime && !isSlow ? IN_TIME_MS : days * DAY_MS);
    await scheduler.run(() => isBroken() || isQuiet(world), limitMs);
    if (isBroken()) return;
    if (!isQuiet(world)) world.broken('the world comes to rest once nothing fails', whyNotQuiet(world));
    else if (isInTime) world.reach('at rest beside a target that never recovers');
  };
  if (!isBroken()) await settle();
  if (!isBroken()) await judge(world, { isReplayed: false });
  if (!isBroken() && settings.replaysInTheEnd) {
    // What is uncertain is replayed where it is named only.
    for (const filter of [{}, { reason: 'uncertain' }]) {
      // A replay that broke off has hidden the letters that it looked at; an operator finds them a little later.
      const shownMs = [...world.queues['dead-letters'].messages.values()].map(({ hiddenUntilMs }) => hiddenUntilMs);
      await scheduler.run(isBroken, Math.max(scheduler.nowMs(), ...shownMs));
      world.weather.calmFromMs = scheduler.nowMs();
      if (isBroken()) break;
      replayAll(world, functions, filter);
      await settle();
    }
    if (!isBroken()) await judge(world, { isReplayed: true });
  }
  return { seed, violations, notes, world };
};
