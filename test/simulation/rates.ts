import type { Chance } from './chance.ts';

/** How often each fault happens, as probabilities per occasion; 0 in most worlds for most of them. */
export type FaultRates = {
  /** An execution environment dies at an await. */
  kill: number;
  /** An execution environment stands still at an await, up to a minute. */
  stall: number;
  /** A DynamoDB request fails without having been applied. */
  storeRefuses: number;
  /** A DynamoDB write is applied and its answer lost. */
  storeForgets: number;
  /** The same, and the SDK's own repetition then meets its first try. */
  storeRepeats: number;
  /** An item of a scan is seen as it was some seconds ago. */
  stale: number;
  sendRefused: number;
  sendForgotten: number;
  /** An entry of a batch fails inside HTTP 200. */
  entryRefused: number;
  /** A message is delivered although it is under way. */
  deliveredTwice: number;
  deleteLost: number;
  scheduledTwice: number;
  source: number;
  /** A list breaks off at a ceiling. */
  ceiling: number;
  /** Rows of a page come without a readable id, with an id of another type, or unfit for loading. */
  rows: number;
  /** The source edits its list between two pages. */
  drift: number;
  target: number;
};

/** A world in which nothing fails. */
export const noFaults: FaultRates = {
  kill: 0,
  stall: 0,
  storeRefuses: 0,
  storeForgets: 0,
  storeRepeats: 0,
  stale: 0,
  sendRefused: 0,
  sendForgotten: 0,
  entryRefused: 0,
  deliveredTwice: 0,
  deleteLost: 0,
  scheduledTwice: 0,
  source: 0,
  ceiling: 0,
  rows: 0,
  drift: 0,
  target: 0,
};

/** Each world has its own mixture of faults: some together find what all together hide. */
export const ratesOf = (chance: Chance): FaultRates => {
  const some = (low: number, high: number) => chance.pick([0, low, high]);
  return {
    kill: some(0.004, 0.02),
    stall: some(0.004, 0.02),
    storeRefuses: some(0.01, 0.1),
    storeForgets: some(0.01, 0.08),
    storeRepeats: some(0.01, 0.08),
    stale: some(0.1, 0.5),
    sendRefused: some(0.01, 0.1),
    sendForgotten: some(0.01, 0.1),
    entryRefused: some(0.02, 0.2),
    deliveredTwice: some(0.05, 0.3),
    deleteLost: some(0.02, 0.1),
    scheduledTwice: some(0.1, 0.5),
    source: some(0.05, 0.25),
    ceiling: some(0.2, 0.5),
    rows: some(0.1, 0.3),
    drift: some(0.1, 0.4),
    target: some(0.1, 0.5),
  };
};
