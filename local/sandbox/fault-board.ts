import type { Fault } from './fault.ts';
import type { Endpoint, FaultName, FaultParams } from './fault-table.ts';

/** A fault and what came of it so far. */
export type FaultCount = { fault: string; occasions: number; happened: number };

/** Where a fault may happen: the endpoint, the ids that the request or record carries, the page it asks for. */
export type Occasion = { on: Endpoint; ids?: readonly string[]; page?: number };

/** The faults in force. Counters only, no chance: the same requests in the same order meet the same faults. */
export type FaultBoard = {
  /** Counts an occasion of this fault; its parameters if it happens now. */
  happens<N extends FaultName>(name: N, occasion: Occasion): FaultParams<N> | undefined;
  /** Puts other faults in place of all these, counters at zero. */
  replace(faults: readonly Fault[]): void;
  counts(): FaultCount[];
};

type Entry = { fault: Fault; occasions: number; happened: number };

const applies = (fault: Fault, { on, ids = [], page }: Occasion): boolean =>
  fault.on.includes(on) &&
  (fault.ids === undefined || fault.ids.some((id) => ids.includes(id))) &&
  (fault.name !== 'page-repeated' || fault.params.page === page);

/** Occasion numbers start at 1: the first `after` pass, then every `every`th counts, `times` at most. */
const isDue = ({ fault, occasions, happened }: Entry): boolean =>
  occasions > fault.after &&
  (occasions - fault.after) % fault.every === 0 &&
  (fault.times === undefined || happened < fault.times);

/** A board that holds these faults. */
export const faultBoard = (faults: readonly Fault[]): FaultBoard => {
  const start = (all: readonly Fault[]): Entry[] => all.map((fault) => ({ fault, occasions: 0, happened: 0 }));
  let entries = start(faults);

  return {
    happens: <N extends FaultName>(name: N, occasion: Occasion): FaultParams<N> | undefined => {
      let first: Entry | undefined;
      for (const entry of entries) {
        if (entry.fault.name !== name || !applies(entry.fault, occasion)) continue;
        entry.occasions += 1;
        if (first === undefined && isDue(entry)) first = entry;
      }
      if (first === undefined) return undefined;
      first.happened += 1;
      return first.fault.params as FaultParams<N>;
    },
    replace: (all) => {
      entries = start(all);
    },
    counts: () => entries.map(({ fault, occasions, happened }) => ({ fault: fault.text, occasions, happened })),
  };
};
