import type { IdCheck } from '../idcheck/item.ts';
import type { LedgerEntry } from './ledger.ts';
import type { LoadCounts } from './record.ts';

/**
 * Why a run's record is not sent although the program has not seen it loaded:
 *
 * - `discarded`: refused, and a person gave its letter up.
 * - `resolved`: a person said that the target has it.
 * - `refused`, `uncertain`: it ended so in an earlier run, and nobody has replayed or resolved it.
 * - `parent`: the record that must be loaded first is left out itself.
 * - `toSend`: a person has said since that it is to be sent; the next run does.
 */
const setAsideWhys = ['discarded', 'resolved', 'refused', 'uncertain', 'parent', 'toSend'] as const;
export type SetAsideWhy = (typeof setAsideWhys)[number];

/** How many records of a run are left out for each reason, and the first of their ids. */
export type SetAside = Record<SetAsideWhy, number> & { ids: string[] };

export const noSetAside = (): SetAside => ({
  discarded: 0,
  resolved: 0,
  refused: 0,
  uncertain: 0,
  parent: 0,
  toSend: 0,
  ids: [],
});

/** The reasons for which records are left out, with how many each. */
export const countedSetAside = (setAside: SetAside): Array<readonly [why: SetAsideWhy, count: number]> =>
  setAsideWhys.flatMap((why) => (setAside[why] > 0 ? [[why, setAside[why]] as const] : []));

/**
 * Why an entry's record is left out by what idCheck says of it now; undefined: it is not. `fate`: what became of it where
 * the run sent it. Pure.
 */
export const setAsideBy = (
  { outcome, hash, parentId }: Pick<LedgerEntry, 'outcome' | 'hash' | 'parentId'>,
  item: IdCheck | undefined,
  fate: keyof LoadCounts | undefined,
): SetAsideWhy | undefined => {
  const { loaded, trouble } = item ?? {};
  if (fate === 'loaded') return loaded?.saidMs !== undefined && loaded.hash === hash ? 'resolved' : undefined;
  const isDiscarded = trouble?.kind === 'rejected' && trouble.hash === hash && trouble.discardedMs !== undefined;
  if (fate !== undefined) return fate === 'rejected' && isDiscarded ? 'discarded' : undefined;
  if (outcome !== 'skipped') return undefined;
  if (item?.toSend !== undefined) return 'toSend';
  if (isDiscarded) return 'discarded';
  if (trouble?.kind === 'parked') return 'uncertain';
  if (trouble?.kind === 'rejected' && trouble.hash === hash && trouble.parentId === undefined) return 'refused';
  return parentId !== undefined && loaded?.hash !== hash ? 'parent' : undefined;
};

/** Counts one record, and names it while fewer than `named` are. */
export const addSetAside = (setAside: SetAside, id: string, why: SetAsideWhy | undefined, named: number): void => {
  if (why === undefined) return;
  setAside[why] += 1;
  if (setAside.ids.length < named) setAside.ids.push(id);
};
