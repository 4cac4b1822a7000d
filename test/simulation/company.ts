import type { Chance } from './chance.ts';
import { type Away, type Outage, outagesOf } from './outages.ts';
import { DELETION_PATH, type Settings, settingsOf } from './settings.ts';

const aways: readonly [Away, ...Away[]] = ['refused', '503', 'garbage', 'slow', 'lost'];

/**
 * Some targets never answer again. Not beside a tree: a record whose parent never came is sent anew once the queue that all
 * share is empty, and beside such a target after seven days only.
 */
const outagesOfAnother = (chance: Chance, { troubledMs, tree }: Settings): Outage[] => {
  const outages = outagesOf(chance, troubledMs);
  if (!chance.happens(0.5) || tree !== 'none') return outages;
  const forGood = { as: chance.pick(aways), fromMs: chance.whole(0, troubledMs), untilMs: Number.POSITIVE_INFINITY };
  return [...outages, forGood];
};

/** Such sources and mappings are a world's only ones: they take their time, or are judged by the time. */
const isForItselfAlone = ({ remapped, manners }: Pick<Settings, 'remapped' | 'manners'>): boolean =>
  remapped !== undefined || manners.hasCeiling;

const another = (chance: Chance, number: number, before: readonly [Settings, ...Settings[]]): Settings => {
  const [first] = before;
  // A record may wait a day for its parent: such a world has less to say of what comes to rest in time.
  const isUnfit = (one: typeof drawn) => isForItselfAlone(one) || (first.tree === 'none' && one.tree !== 'none');
  let drawn = settingsOf(chance, chance, first.tuning);
  while (isUnfit(drawn)) drawn = settingsOf(chance, chance, first.tuning);
  const hosts = {
    source: chance.happens(0.5) ? chance.pick(before).hosts.source : number,
    target: chance.happens(0.5) ? chance.pick(before).hosts.target : number,
  };
  // What moves is a connection: who shares it would have to decide, too.
  if (first.moves && hosts.target === 0) hosts.target = number;
  const [source, target] = [before[hosts.source], before[hosts.target]];
  const { name, ...ends } = drawn.integration;
  const path = `/integration-${number}`;
  const { vanished } = drawn.integration;
  const { rateLimit: _, ...ownTarget } = ends.target;
  const limit = (target?.integration ?? drawn.integration).target.rateLimit;
  return {
    ...drawn,
    number,
    hosts,
    integration: {
      ...drawn.integration,
      name: `${name}-${number}`,
      ...(vanished?.action === 'post' && { vanished: { ...vanished, path: `${path}${DELETION_PATH}` } }),
      source: {
        ...ends.source,
        metadata: { ...ends.source.metadata, api: `${path}/product/groups` },
        connection: source?.integration.source.connection ?? {
          ...ends.source.connection,
          name: `okki-${number}`,
          baseUrl: `http://okki-${number}.simulated`,
        },
      },
      target: {
        ...ownTarget,
        ...(limit && { rateLimit: limit }),
        path: `${path}/records`,
        connection: target?.integration.target.connection ?? {
          ...ends.target.connection,
          name: `target-${number}`,
          baseUrl: `http://target-${number}.simulated`,
        },
      },
    },
    outages: target?.outages ?? outagesOfAnother(chance, first),
    moves: false,
    // One Lambda, one schedule and one set of workers for all.
    clocks: first.clocks,
    hands: [],
    rates: first.rates,
    tuning: first.tuning,
    periodMs: first.periodMs,
    troubledMs: first.troubledMs,
  };
};

/**
 * The other integrations of a world, with a source and a target each: one to four in every tenth world. They share
 * connections with those before them, or have their own. Drawn by themselves: seeds stand for the worlds that they did.
 */
export const companyOf = (chance: Chance, first: Settings, isWanted: boolean): Settings[] => {
  const isDrawn = chance.happens(0.1);
  if (isForItselfAlone(first) || first.clocks !== 'right' || !(isDrawn || isWanted)) return [];
  const all: [Settings, ...Settings[]] = [first];
  const count = chance.pick([1, 1, 2, 4]);
  while (all.length <= count) all.push(another(chance, all.length, all));
  return all.slice(1);
};
