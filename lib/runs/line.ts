/** Messages of a run that wait in its ledger until the connection's line has room for them. */
export type Unsent = {
  runId: string;
  /** Which state of the integration they are of; absent: the first one. */
  generation?: number;
  /** Chunks of messages written so far (`unsentOf`). */
  chunks: number;
  /** The next message that is to be sent: its chunk, and its place in that from 0. */
  at: { chunk: number; place: number };
  /** How many are not sent yet. */
  left: number;
  /** When a dispatcher last sent some of them, ms since the epoch; absent: none did. */
  movedMs?: number;
  /** Chunks of the ids that the run has taken over from earlier ones (`takenOf`); absent: none. */
  takes?: number;
};

/** What of an integration waits to be sent, run after run: one item, which fetch adds to and a dispatcher takes from. */
export type Line = {
  /** Grows by one with every write. */
  rev: number;
  /** Who sends now. */
  sender?: { owner: string; untilMs: number };
  runs: Unsent[];
};

export const noLine = (): Line => ({ rev: 0, runs: [] });

/** Under which name the messages stand beside a run's ledger, in chunks of their own; sent ones are left empty. */
export const unsentOf = (runId: string): string => `${runId}~unsent`;

/** Under which name the ids stand that a run sends itself although an earlier one has them waiting. */
export const takenOf = (runId: string): string => `${runId}~takes`;

/** How many records of an integration wait to be sent. Pure. */
export const leftIn = (line: Line | undefined): number => line?.runs.reduce((sum, { left }) => sum + left, 0) ?? 0;

/** Of a run. Pure. */
export const unsentIn = (line: Line | undefined, runId: string): Unsent | undefined =>
  line?.runs.find((run) => run.runId === runId);

/** What was sent last is on its way for a quarter of an hour; for a day its run's deadline counts from then. */
const NAMED_FOR_MS = 24 * 3_600_000;

/** A line after one write: at the next revision, with a run's entry changed, or the last one of it. Pure. */
export const withRun = (line: Line, next: Unsent, nowMs: number): Line => {
  const isKnown = line.runs.some(({ runId }) => runId === next.runId);
  // What was through long ago is named no more once another run has come.
  const runs = isKnown
    ? line.runs.map((run) => (run.runId === next.runId ? next : run))
    : [...line.runs.filter(({ left, movedMs = 0 }) => left > 0 || nowMs - movedMs < NAMED_FOR_MS), next];
  return { ...line, rev: line.rev + 1, runs };
};
