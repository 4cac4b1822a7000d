import { type Address, isSandbox } from '../connection/api/connection.ts';
import { stateOf } from '../idcheck/item.ts';
import { defined } from '../runtime/defined.ts';

/** The two ends of an integration. */
export const sides = ['source', 'target'] as const;
export type Side = (typeof sides)[number];

/** An address that state belongs to. `formerly`: ids of addresses of which somebody said that they are the same system. */
export type KnownEnd = Address & { formerly?: string[] };

/** What was decided of an integration, and whose state is kept of it: one item, written only when something of it changes. */
export type Ends = {
  /** Grows by one with every write. */
  rev: number;
  /** Which state is the present one: grows where somebody begins anew. What carries an older one has been replaced. */
  generation: number;
  /** Absent: state of an earlier version, or none yet; the next run takes the address that it meets. */
  source?: KnownEnd;
  target?: KnownEnd;
  /** Other addresses that a run has met, and of which nobody has decided yet. */
  met?: Partial<Record<Side, Address>>;
  /** Since then schedules start no runs, ms since the epoch: a person has paused the integration. */
  pausedSinceMs?: number;
  /** Since then the source is another system, ms since the epoch: what was loaded before says nothing of what it has. */
  sourceSinceMs?: number;
};

/** The addresses that an integration has now; absent: not known here, and taken for the stored one. */
export type OwnEnds = Partial<Record<Side, Address>>;

export const noEnds = (): Ends => ({ rev: 0, generation: 0 });

/** Whether an end is another one than the one that the state belongs to. Pure. */
export const hasMoved = (ends: Ends, own: OwnEnds, side: Side): boolean => {
  const known = ends[side];
  const now = own[side];
  return known !== undefined && now !== undefined && known.id !== now.id;
};

/**
 * The item as a run leaves it that met these addresses: one that was not known is taken, another one is kept for whoever
 * decides. The same object where nothing changes. Pure.
 */
export const metBy = (ends: Ends, own: OwnEnds): Ends => {
  const { met: _, ...rest } = ends;
  const moved = sides.flatMap((side): [Side, Address][] => {
    const now = own[side];
    return now !== undefined && hasMoved(ends, own, side) ? [[side, now]] : [];
  });
  const next: Ends = {
    ...rest,
    ...(ends.source === undefined && own.source !== undefined && { source: own.source }),
    ...(ends.target === undefined && own.target !== undefined && { target: own.target }),
    ...(moved.length > 0 && { met: Object.fromEntries(moved) }),
  };
  const idsOf = ({ source, target, met }: Ends) =>
    [source, target, met?.source, met?.target].map((end) => end?.id ?? '').join(' ');
  return idsOf(next) === idsOf(ends) ? ends : { ...next, rev: ends.rev + 1 };
};

/** Whose a record message or a dead letter is: that of the present target, of one nobody has decided on, or of one before. */
export type Belonging = 'ours' | 'undecided' | 'replaced';

/** What tells whose a message is; absent in messages of earlier versions, which are of the first generation. */
export type TargetMark = { target?: string; generation?: number };

/** Whose a message is, where the target is `now` (absent: not known here). Pure. */
export const belongingOf = (
  { target, generation = 0 }: TargetMark,
  ends: Ends,
  now: Address | undefined,
): Belonging => {
  if (generation < ends.generation) return 'replaced';
  const known = ends.target;
  const isKnown = target === undefined || known === undefined || [known.id, ...(known.formerly ?? [])].includes(target);
  const isHere = now === undefined ? ends.met?.target === undefined : !hasMoved(ends, { target: now }, 'target');
  return generation === ends.generation && isKnown && isHere ? 'ours' : 'undecided';
};

/** What somebody says of an end that has moved: the same system at another address, or another system. */
export type EndVerdict = 'same' | 'new';

export type Decided =
  | { kind: 'decided'; ends: Ends; from: Address; to: Address }
  /** Nothing has moved: the state belongs to this address, or to none yet. */
  | { kind: 'nothing-moved'; at?: Address }
  /** Between the sandbox and a real system, and where the state has gone to another name, only `new` is possible. */
  | { kind: 'only-new'; from: Address; to: Address };

/**
 * The item after somebody's word on an end; `now`: its address, or absent where only a run can tell: then it is the one
 * that a run has met. Beginning anew at another target leaves all that is known under a generation that nobody reads any
 * more. Pure.
 */
export const decideEnd = (
  ends: Ends,
  side: Side,
  verdict: EndVerdict,
  now: Address | undefined,
  nowMs: number,
): Decided => {
  const from = ends[side];
  const to = now ?? ends.met?.[side];
  if (from === undefined || to === undefined || from.id === to.id) {
    const at = from ?? to;
    return { kind: 'nothing-moved', ...(at && { at }) };
  }
  const isNoSystem = renamedTo(ends) !== undefined && side === 'target';
  if (verdict === 'same' && (isNoSystem || isSandbox(from) !== isSandbox(to))) return { kind: 'only-new', from, to };
  const { met: _, ...rest } = ends;
  const { [side]: __, ...met } = ends.met ?? {};
  const decided: Ends = { ...rest, rev: ends.rev + 1, ...(Object.keys(met).length > 0 && { met }) };
  const isSame = verdict === 'same';
  const end: KnownEnd = isSame ? { ...to, formerly: [...new Set([...(from.formerly ?? []), from.id])] } : to;
  if (side === 'source') {
    return { kind: 'decided', from, to, ends: { ...decided, source: end, ...(!isSame && { sourceSinceMs: nowMs }) } };
  }
  const generation = ends.generation + (isSame ? 0 : 1);
  return { kind: 'decided', from, to, ends: { ...decided, target: end, generation } };
};

/**
 * The item when all that is known is forgotten: the next run takes the addresses that it meets. Paused it stays. Pure.
 */
export const forgottenEnds = ({ rev, generation, pausedSinceMs }: Ends): Ends => ({
  rev: rev + 1,
  generation: generation + 1,
  ...defined({ pausedSinceMs }),
});

/** The item of an integration that is paused since `sinceMs`, or goes on; the same object where it was so. Pure. */
export const pausedEnds = (ends: Ends, sinceMs: number | undefined): Ends => {
  const { pausedSinceMs, ...rest } = ends;
  if ((pausedSinceMs === undefined) === (sinceMs === undefined)) return ends;
  return { ...rest, rev: ends.rev + 1, ...defined({ pausedSinceMs: sinceMs }) };
};

/** No address has such an id: the integration goes on under another name, which stands in place of the origin. */
const RENAMED = 'renamed';

/** Under which name an integration goes on; undefined: under its own. Pure. */
export const renamedTo = ({ target }: Ends): string | undefined => (target?.id === RENAMED ? target.origin : undefined);

/**
 * The old name's item when an integration is renamed. Its target is no system, so that nothing is sent, by earlier
 * versions neither; what is still on its way is of a state that has been replaced. Pure.
 */
export const renamedEnds = ({ rev, generation }: Ends, to: string): Ends => ({
  rev: rev + 1,
  generation: generation + 1,
  target: { id: RENAMED, origin: to },
});

/** The new name's item: what was known of the old one, in a state that the new name has not used. Pure. */
export const takenOverEnds = ({ met: _, ...old }: Ends, stored: Ends = noEnds()): Ends => ({
  ...old,
  rev: stored.rev + 1,
  generation: Math.max(old.generation, stored.generation),
});

/** Under which name the watermark of a list of changes is kept: it is of one state, and in the time of one source. Pure. */
export const watermarkName = (of: { integration: string; generation?: number; sourceSinceMs?: number }): string =>
  of.sourceSinceMs === undefined ? stateOf(of) : `${stateOf(of)}~${of.sourceSinceMs}ms`;
