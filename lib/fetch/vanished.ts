import { differentRows, noLoadCounts } from '../runs/books.ts';
import { readIds, writeIds } from '../runs/id-lists.ts';
import { addWarnings, type ExtractedRun, type RunWarning, type UnfinishedRun } from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';
import { doubtfulCodes } from '../source/paging-step.ts';
import type { FetchPlan } from './fetch-plan.ts';
import { failureOfRows } from './invalid-rows.ts';
import type { FetchWork } from './sink.ts';
import { isPartial } from './taking.ts';

/** What follows from ids that were loaded before and are absent now. */
export type Conclusion = {
  /** How many have vanished: 0 where nothing follows from an absence. */
  vanished: number;
  /** Whether the reading counts as one of the two that a deletion takes. */
  isSure: boolean;
  /** Whether the deletion endpoint may be told. */
  deletes: boolean;
  warnings: RunWarning[];
};

/** The facts of a reading that decide what follows from an absence. */
type Reading = Pick<
  UnfinishedRun,
  'counts' | 'warnings' | 'doubts' | 'shrunkFrom' | 'selection' | 'adoption' | 'sourceMoved'
>;
type Rule = Pick<FetchPlan, 'invalidRows' | 'deletion'>;

/** Why nothing follows from an absence in this reading; undefined: something does. */
const doubtOf = (
  { counts, warnings, doubts, shrunkFrom, sourceMoved }: Reading,
  { invalidRows }: Rule,
): string | undefined => {
  if (sourceMoved) return 'the source is another one (source-moved)';
  const paging = warnings.find(({ code }) => doubtfulCodes.has(code));
  if (paging !== undefined) return `the snapshot may lack records (${paging.code})`;
  const unread = doubts?.unreadIds ?? 0;
  if (unread > 0) return `${unread} ${unread === 1 ? 'row has' : 'rows have'} no id that can be read`;
  if (failureOfRows(counts, undefined, invalidRows) !== undefined) return 'too many rows are invalid';
  return shrunkFrom === undefined ? undefined : `only ${differentRows(counts)} rows came, ${shrunkFrom} before`;
};

const warning = (code: string, message: string): RunWarning[] => [{ code, count: 1, message }];

/**
 * Concludes from `absent` ids, out of `loadedCount` that had been loaded from this source. Only a reading without doubt shows what
 * vanished. Where a larger share than `maxShare` did, something is wrong with the source rather than with the records:
 * nothing is deleted. Pure.
 */
export const concludeVanished = (absent: number, loadedCount: number, reading: Reading, rule: Rule): Conclusion => {
  const nothing = { vanished: 0, isSure: false, deletes: false };
  if (absent === 0) return { ...nothing, warnings: [] };
  const doubt = doubtOf(reading, rule);
  if (doubt !== undefined) {
    const words = `${absent} ids are absent, but ${doubt}: nothing follows, and nothing is deleted`;
    return { ...nothing, warnings: warning('vanished-unclear', words) };
  }
  const { deletion } = rule;
  if (deletion === undefined) return { ...nothing, vanished: absent, warnings: [] };
  const repeated = reading.doubts?.repeatedIds ?? 0;
  if (repeated > 0) {
    const words = `${repeated} ids came again on a later page: the list moved while it was read, nothing is deleted`;
    return { ...nothing, vanished: absent, warnings: warning('vanished-moved', words) };
  }
  if (isPartial(reading)) {
    const words = `${absent} ids are absent: a run that does not take on everything deletes nothing`;
    return { vanished: absent, isSure: true, deletes: false, warnings: warning('vanished-kept', words) };
  }
  if (absent > deletion.maxShare * loadedCount) {
    const share = `${absent} of ${loadedCount} ids vanished, more than the share of ${deletion.maxShare}`;
    const message = `${share}: nothing is deleted. Raise vanished.maxShare for one run if this is right`;
    return { vanished: absent, isSure: true, deletes: false, warnings: warning('vanished-guard', message) };
  }
  return { vanished: absent, isSure: true, deletes: true, warnings: [] };
};

const VANISHED_SAMPLE = 20;

/** The ids that an earlier reading found absent; none where it was in doubt. */
const absencesOf = async (
  earlier: ExtractedRun | undefined,
  runs: Pick<RunStore, 'chunks'>,
): Promise<ReadonlySet<string>> =>
  earlier === undefined ? new Set() : readIds('absent', earlier, earlier.absences ?? 0, runs);

/**
 * Names what vanished, and says which of it is to be deleted: what the reading before this one, the last that came to
 * its end, did not find either. Done once for the run: deletions that are under way must not change the share.
 */
export const noteVanished = async (
  run: UnfinishedRun,
  absent: readonly string[],
  { pass: { ofSourceCount }, plan, sink, log }: FetchWork,
  earlier: ExtractedRun | undefined,
  runs: Pick<RunStore, 'chunks' | 'saveChunk'>,
): Promise<{ run: UnfinishedRun; toDelete: readonly string[] }> => {
  const absentBefore = async (): Promise<string[]> => {
    const before = await absencesOf(earlier, runs);
    return absent.filter((id) => before.has(id));
  };
  if (run.deletions !== undefined) return { run, toDelete: await absentBefore() };
  const { vanished, isSure, deletes, warnings } = concludeVanished(absent.length, ofSourceCount, run, plan);
  const absences = isSure ? await writeIds('absent', run, absent, runs) : 0;
  const toDelete = deletes ? await absentBefore() : [];
  if (deletes && toDelete.length < absent.length) {
    const fresh = absent.length - toDelete.length;
    const words = `${fresh} ids are absent for the first time: deleted when the next whole reading lacks them, too`;
    warnings.push({ code: 'vanished-unconfirmed', count: fresh, message: words });
  }
  const { integration, runId } = run;
  for (const { code, message } of warnings) log.warn('vanished-warning', { integration, runId, code, words: message });
  const noted: UnfinishedRun = {
    ...run,
    vanished,
    vanishedSample: vanished === 0 ? [] : absent.slice(0, VANISHED_SAMPLE),
    warnings: addWarnings(run.warnings, warnings),
    ...(absences > 0 && { absences }),
    ...(toDelete.length > 0 && { deletions: { enqueued: 0, ...noLoadCounts() } }),
  };
  if (noted.deletions !== undefined) await sink.save(noted);
  return { run: noted, toDelete };
};
