import type { RunWarning } from '../runs/record.ts';

/** Warnings counted by their code, each with the words of its last. */
export type WarningTally = { add(code: string, message: string): void; list(): RunWarning[] };

export const warningTally = (): WarningTally => {
  const tally = new Map<string, RunWarning>();
  return {
    add: (code, message) => {
      tally.set(code, { code, count: (tally.get(code)?.count ?? 0) + 1, message });
    },
    list: () => [...tally.values()],
  };
};
