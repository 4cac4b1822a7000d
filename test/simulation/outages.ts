import type { Chance } from './chance.ts';

/** How a target is away: no connection, its gateway, words that nobody knows, too slow, or its answers are lost. */
export type Away = 'refused' | '503' | 'garbage' | 'slow' | 'lost';

/** From when until when, ms since the world's beginning, and what it does with everything meanwhile. */
export type Outage = { as: Away; fromMs: number; untilMs: number };

/** So many times slower a target is that has more to do than it can. */
export const SLOWER = 100;

/**
 * Three worlds in ten have one, and some have several of all kinds, one upon the other. All are over before the trouble
 * is. Drawn by themselves: seeds stand for the worlds that they did.
 */
export const outagesOf = ({ happens, pick, whole }: Chance, troubledMs: number): Outage[] => {
  const between = (as: Away, fromMs: number): Outage => ({ as, fromMs, untilMs: whole(fromMs, troubledMs) });
  const one = happens(0.3) ? [between(pick(['refused', '503', 'garbage']), whole(0, Math.floor(troubledMs / 2)))] : [];
  const several = happens(0.2) ? whole(1, 4) : 0;
  const more = Array.from({ length: several }, () =>
    between(pick(['refused', '503', 'garbage', 'slow', 'slow', 'lost', 'lost']), whole(0, troubledMs)),
  );
  return [...one, ...more];
};

/** The outages of a world whose trouble is shorter or longer than the one that they were drawn for: they end with it. */
export const endingWith = (outages: readonly Outage[], troubledMs: number): Outage[] =>
  outages.map((outage) => ({ ...outage, untilMs: Math.min(outage.untilMs, troubledMs) }));

/** Whether the target stays away for good. */
export const neverRecovers = (outages: readonly Outage[]): boolean =>
  outages.some(({ untilMs }) => untilMs === Number.POSITIVE_INFINITY);

/** What befalls a request so long after the world's beginning; what began last counts. */
export const outageAt = (outages: readonly Outage[], atMs: number): Away | undefined =>
  outages
    .filter(({ fromMs, untilMs }) => atMs >= fromMs && atMs < untilMs)
    .reduce<Outage | undefined>((last, one) => (last !== undefined && last.fromMs > one.fromMs ? last : one), undefined)
    ?.as;
