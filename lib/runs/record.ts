import type { RestCause } from '../connection/limit/health.ts';
import type { AdoptionAsked, Selection } from '../messages/run-request.ts';
import type { RunLimits } from './limits.ts';

/** How extraction counted one run's records. Every fetched record is in exactly one of the others. */
export type ExtractCounts = {
  fetched: number;
  filtered: number;
  invalid: number;
  merged: number;
  unchanged: number;
  skipped: number;
  /** Not in the target and not taken on by this run. */
  waiting: number;
  enqueued: number;
};

/** What became of the enqueued records, by the evidence of idCheck. */
export type LoadCounts = { loaded: number; superseded: number; rejected: number; uncertain: number; open: number };

/**
 * - `extracting`: pages are being read; a crashed one is resumed at its checkpoint.
 * - `incomplete`: the source failed for good; the next invocation resumes at the checkpoint.
 * - `loading`: everything is enqueued; records are being loaded.
 * - `balanced`: closed; both sums of the books hold and nothing is open.
 * - `unbalanced`: the books do not hold, or records are still open after the deadline.
 * - `failed`: closed; what was read cannot be trusted as a whole. Valid rows are loaded, and it is not resumed.
 */
export type RunStatus = 'extracting' | 'incomplete' | 'loading' | 'balanced' | 'unbalanced' | 'failed';

/** Why a run that was read to its end has failed all the same. */
export type RunFailure = 'rows-invalid' | 'mapping-changed' | 'target-moved';

const runFailures: readonly RunFailure[] = ['rows-invalid', 'mapping-changed', 'target-moved'];

/** Why a run has failed, or will have when its books are closed; undefined: it has not. */
export const runFailureOf = ({ failure }: Pick<RunRecord, 'failure'>): RunFailure | undefined =>
  runFailures.find((code) => code === failure?.code);

/** Whether a run has failed, or will have when its books are closed. */
export const hasFailed = (run: Pick<RunRecord, 'status' | 'failure'>): boolean =>
  run.status === 'failed' || runFailureOf(run) !== undefined;

/** The fields of an answer: dotted path → the kinds of its values, in the order of their letters: `null text`. */
export type Fields = Readonly<Record<string, string>>;

/** What is known of every run. */
type RunFacts = {
  runId: string;
  integration: string;
  scheduledMs: number;
  startedMs: number;
  /** The version that its messages carry (a resumed run's newer ones); never below an earlier run's. */
  versionMs: number;
  fullRefresh: boolean;
  counts: ExtractCounts & LoadCounts;
  requests: { source: number; target: number };
  /** How rate limits and pauses held the run up; absent: not at all. */
  limits?: RunLimits;
  /** When its target was down, or not understood, and nothing was sent; oldest first, absent: never. */
  rests?: RunRest[];
  /** Ids loaded before and absent from this complete snapshot. */
  vanished: number;
  vanishedSample: string[];
  /** Of the vanished ids: deletions that were sent, and what became of them; absent: none was sent. */
  deletions?: DeletionCounts;
  /** What an incremental list was asked for; absent: the whole list. */
  window?: Window;
  /** So many runs in a row asked for the same window, since rows of it are invalid; present: the watermark stays. */
  windowHeld?: number;
  /** Chunks of invalid rows as the source sent them, kept in case the window moves on without them. */
  keptChunks?: number;
  /** Events worth an operator's eye: token renewed, page repeated, total changed. Code → how often and the last words. */
  warnings: RunWarning[];
  /** What made the reading doubtful, beside warnings; absent: nothing did. */
  doubts?: Doubts;
  /** Chunks of ids that a reading without doubt found absent, for the next one. */
  absences?: number;
  /** Fewer rows came than the share of this many that `source.minShare` asks for. */
  shrunkFrom?: number;
  /** Somebody said yes to what would stop the run, or keep it from concluding. */
  confirmed?: boolean;
  /** What the run takes on; absent: all that is to be loaded. */
  selection?: Selection;
  /** The run sends nothing: what the source gives is written down as loaded. */
  adoption?: Adoption;
  /** Earlier runs with entries that nobody had settled when this one was read: what of it waits, waits for theirs. */
  waitsFor?: string[];
  /** So many such entries there were: they are loaded before its own. */
  ahead?: number;
  /** How long loading takes by the target's limit, from the end of reading on, what is ahead included, ms; absent: no limit. */
  loadMs?: number;
  /** Of what waits: so many records the run left out because of what was asked of it. */
  leftOut?: number;
  /** Of the ids that were asked for those that the source does not give; absent: none. */
  notGiven?: NotGiven;
  /** Fingerprint of the mapping under which the target's records stand after this run; absent in runs of earlier commits. */
  mapping?: string;
  /** The mapping under which an earlier try of this run has sent records; it began anew under another. */
  mappingBefore?: string;
  /** Which state of the integration it compares with and loads into; absent: the first one. */
  generation?: number;
  /** The addresses of its ends, as short hashes; absent in runs of earlier commits. */
  ends?: { source?: string; target?: string };
  /** Since when the source is another system than before, ms since the epoch; absent: since ever. */
  sourceSinceMs?: number;
  /** The source is another one than the state is of, and nobody has said yet whether it is the same. */
  sourceMoved?: true;
  /** Where the mapping has changed: what a reading that sends nothing found. */
  weighing?: Weighing;
  /** The first invalid rows; absent: none is. */
  invalidRows?: InvalidRow[];
  /** The file says that invalid rows are only reported (`source.invalid`). */
  toleratesInvalid?: boolean;
  /** The fields of the answers, where `autoFillResponse` asks to learn them: path → kinds. */
  fields?: Fields;
  /** A page of this run or of one before it carried a cursor or a link to the next page. */
  hasLinked?: true;
  /** Why the run could not finish, or its books could not be drawn up. */
  failure?: { code: string; message: string };
};

/** A run that has not read its snapshot to the end. */
export type UnfinishedRun = RunFacts & {
  status: 'extracting' | 'incomplete';
  /** Where the next page starts; absent before the first page, and where the run is not to be resumed. */
  checkpoint?: Checkpoint;
  /** Ledger chunks of a run that is not to be resumed. */
  chunks?: number;
  extractedMs?: never;
  closedMs?: never;
  unsettled?: never;
};

/** A run that has sent everything; its records are being loaded, or are loaded. */
export type ExtractedRun = RunFacts & {
  status: 'loading' | 'balanced' | 'unbalanced' | 'failed';
  extractedMs: number;
  /** Ledger chunks in all. */
  chunks: number;
  /** When its books were closed; a run that did not balance is looked at again. */
  closedMs?: number;
  /** The first ids of each kind that were not settled when the books were last drawn up. */
  unsettled?: Unsettled;
  checkpoint?: never;
};

/** Whether a run has invalid rows that somebody is to look at. */
export const troublesByInvalid = ({
  counts,
  toleratesInvalid,
}: Pick<RunRecord, 'counts' | 'toleratesInvalid'>): boolean => counts.invalid > 0 && toleratesInvalid !== true;

/**
 * Whether somebody is to look at a run that is balanced all the same: rows are invalid, most of them did not come, or ids
 * were asked for that are not there.
 */
export const needsLook = (run: Pick<RunRecord, 'counts' | 'toleratesInvalid' | 'shrunkFrom' | 'notGiven'>): boolean =>
  troublesByInvalid(run) || run.shrunkFrom !== undefined || run.notGiven !== undefined;

export type RunRecord = UnfinishedRun | ExtractedRun;

/** A run keeps so many rests: a target that comes and goes must not fill its record. */
export const MAX_RESTS = 50;

/** A time in which nothing was sent over a connection but one record now and then; without `endedMs` its end is not known. */
export type RunRest = {
  connection: string;
  cause: RestCause;
  why: string;
  sinceMs: number;
  endedMs?: number;
};

/** Enqueued records that are not loaded: open (under way, waiting or lost), refused, or of unknown outcome. */
export type Unsettled = { open: string[]; rejected: string[]; uncertain: string[] };

/** `enqueued = loaded + superseded + rejected + uncertain + open`, as for records; loaded: the target deleted it. */
export type DeletionCounts = LoadCounts & { enqueued: number };

/** A span of the source's time, ms since the epoch; all of a run's invocations ask for the same. */
export type Window = { fromMs: number; toMs: number };

/** Rows whose id nobody can read, and rows whose id had come on an earlier page. */
export type Doubts = { unreadIds: number; repeatedIds: number };

/** A reading that sends nothing, and what the run would do under a changed mapping. */
export type Weighing = {
  /** Where its next page starts; absent before the first page, and when it is done. */
  checkpoint?: Checkpoint;
  isDone: boolean;
  counts: ExtractCounts;
  /** Of what it would send: how many records are loaded already. */
  overwrites: number;
};

/** `adopted`: written down as loaded; `known`: known already, and left as it was. */
export type Adoption = AdoptionAsked & { adopted: number; known: number };

/** So many ids, the first of them, and the chunks that hold all. */
export type NotGiven = { count: number; sample: string[]; chunks: number };

/** A row that is invalid: its id, or its place where it has none that can be read, and why. */
export type InvalidRow = { id: string; reason: string };

export type RunWarning = { code: string; count: number; message: string };

export type Checkpoint = {
  /** Opaque to all but the paginator that wrote it. */
  page: Record<string, string | number | boolean>;
  /** Ledger chunks written so far. */
  chunks: number;
  /** Records fetched so far, before cleaning. */
  fetched: number;
  /** All pages are read; of the records that were postponed until then, those in so many chunks are placed. */
  judged?: number;
};

/** Both lists as one: counts added up by code, with the last words of each. */
export const addWarnings = (known: readonly RunWarning[], more: readonly RunWarning[]): RunWarning[] => {
  const byCode = new Map(known.map((warning) => [warning.code, warning]));
  for (const { code, count, message } of more) {
    byCode.set(code, { code, count: (byCode.get(code)?.count ?? 0) + count, message });
  }
  return [...byCode.values()];
};

/**
 * The run's id: stable for an integration and its scheduled second, so that one event delivered twice (EventBridge
 * Scheduler delivers at least once) starts one run. Sorts by time.
 */
export const runIdOf = (integration: string, scheduledMs: number): string =>
  `${integration}-${new Date(scheduledMs).toISOString().replace(/[-:]|\.\d{3}/g, '')}`;

/** How many chunks the run's ledger has; while pages are read, those up to the checkpoint. */
export const ledgerChunks = (run: RunRecord): number =>
  isUnfinished(run) ? (run.checkpoint?.chunks ?? run.chunks ?? 0) : run.chunks;

export const isUnfinished = (run: RunRecord | undefined): run is UnfinishedRun =>
  run !== undefined && (run.status === 'extracting' || run.status === 'incomplete');
