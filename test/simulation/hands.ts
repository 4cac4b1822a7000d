import { isJsonObject, parsedOrUndefined } from '../../lib/json/json.ts';
import { type CloseDeps, discard, resolveIds } from '../../lib/operate/close-letters.ts';
import { setPaused } from '../../lib/operate/pause.ts';
import { memoryAuditLog } from '../fakes/memory-audit-log.ts';
import type { Chance } from './chance.ts';
import type { Functions } from './functions.ts';
import { invoke } from './lambda.ts';
import { neverRecovers } from './outages.ts';
import { itemOf } from './stores.ts';
import { seenBy, type World } from './world.ts';

/** SQS moves the letters that can be seen to the queue that they came from, as they are. */
const redrive = (world: World): void => {
  const { queues, scheduler } = world;
  const { messages } = queues['dead-letters'];
  for (const { messageId, body, hiddenUntilMs } of [...messages.values()]) {
    if (hiddenUntilMs > scheduler.nowMs()) continue;
    messages.delete(messageId);
    queues.records.send(body, 0);
    world.reach('letters redriven by hand');
  }
  queues.records.changed();
};

/** Messages are lost, and letters that were on their way back. */
const purge = (world: World): void => {
  // That is noticed once the queue is empty: never beside records that wait for good, after a day beside those that wait
  // for a lost parent.
  if (world.all.some(({ settings }) => neverRecovers(settings.outages) || settings.tree !== 'none')) return;
  const { messages } = world.queues.records;
  for (const { body, integration } of messages.values()) {
    const sent = parsedOrUndefined(body);
    if (isJsonObject(sent)) seenBy(world, integration).audit.evidence.closed.add(String(sent.id));
  }
  if (messages.size > 0) world.reach('messages purged');
  messages.clear();
};

const signature = { by: 'operator', why: 'simulated' };

const pause = (world: World): void => {
  const { scheduler, chance, runTable: runs, weather } = world;
  const { name } = chance.pick([world, ...world.all]).settings.integration;
  const clock = { nowMs: scheduler.nowMs, sleep: () => Promise.reject(new Error('nobody sleeps over a word')) };
  const say = (isPaused: boolean) => {
    void setPaused(name, isPaused, signature, { runs, audit: memoryAuditLog(), clock });
    scheduler.woke();
  };
  say(true);
  scheduler.after(chance.whole(0, weather.calmFromMs - scheduler.nowMs()), () => say(false));
};

/** Somebody looks at the target for what is left to a person, once nothing can be under way, and writes it down. */
const resolve = async (world: World, deps: CloseDeps): Promise<void> => {
  const { idTable, rows, scheduler, audit, settings } = world;
  for (const id of idTable.keys()) {
    const { trouble, claim, doubt } = itemOf(idTable, id) ?? {};
    const isOver = (audit.evidence.posts.get(id) ?? []).every(({ untilMs }) => untilMs < scheduler.nowMs());
    if (trouble?.kind !== 'parked' || claim !== undefined || !isOver) continue;
    const hash = doubt?.hash ?? trouble.hash;
    const isThere = (rows.get(id) ?? []).some((row) => row.hash === hash);
    await resolveIds(settings.integration.name, [id], isThere ? 'loaded' : 'not-loaded', signature, deps);
  }
};

/** A command at a terminal, with all that can befall a process. */
const command =
  (does: (world: World, deps: CloseDeps) => Promise<unknown>): Act =>
  (world, { operator }) =>
    invoke(
      world,
      operator,
      (deps: CloseDeps) => does(world, deps),
      () => {},
    );

type Act = (world: World, functions: Functions) => void;

/** What people do beside the program: in the console of AWS, or at terminals. */
const acts = {
  'redrives letters': redrive,
  'purges records': purge,
  'purges requests': ({ queues }) => queues.runs.messages.clear(),
  pauses: pause,
  discards: command((_, deps) => discard({}, signature, deps)),
  resolves: command(resolve),
  replays: (world, { replay }) => invoke(world, replay, { kind: 'replay' }, () => {}),
} satisfies Record<string, Act>;

type Deed = keyof typeof acts;

const deeds: readonly [Deed, ...Deed[]] = [
  'redrives letters',
  'purges records',
  'purges requests',
  'pauses',
  'discards',
  'resolves',
  'replays',
];

/** Who does what, ms since the world's beginning. */
export type Hand = { atMs: number; does: Deed };

/** In one world of seven one to three times, and often two at once. Drawn by themselves, as outages are. */
export const handsOf = ({ happens, pick, whole }: Chance, troubledMs: number): Hand[] => {
  if (!happens(0.15)) return [];
  const one = (atMs: number): Hand => ({ atMs, does: pick(deeds) });
  const times = Array.from({ length: whole(1, 3) }, () => whole(0, troubledMs - 1));
  return times.flatMap((atMs) => (happens(0.6) ? [one(atMs), one(atMs)] : [one(atMs)]));
};

/** Does it, at this moment. */
export const act = (world: World, { does }: Hand, functions: Functions): void => {
  world.note('operator', does);
  acts[does](world, functions);
};
