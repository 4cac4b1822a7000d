import type { RunWarning } from '../runs/record.ts';
import { doubtfulCodes } from '../source/paging-step.ts';

/** What follows from ids that were loaded before and are absent now. */
export type Conclusion = {
  /** How many have vanished: 0 where nothing follows from an absence. */
  vanished: number;
  /** Whether the deletion endpoint is told. */
  deletes: boolean;
  warnings: RunWarning[];
};

/**
 * Concludes from `absent` ids, out of `loadedCount` that had been loaded. Only a snapshot without doubt shows what
 * vanished, and where a larger share than `maxShare` did, something is wrong with the source rather than with the
 * records: nothing is deleted. Pure.
 */
export const concludeVanished = (
  absent: number,
  loadedCount: number,
  warnings: readonly RunWarning[],
  { action, maxShare }: { action: 'report' | 'post'; maxShare: number },
): Conclusion => {
  if (absent === 0) return { vanished: 0, deletes: false, warnings: [] };
  const doubt = warnings.find(({ code }) => doubtfulCodes.has(code));
  if (doubt !== undefined) {
    const message = `${absent} ids are absent, but the snapshot may lack records (${doubt.code}): nothing follows`;
    return { vanished: 0, deletes: false, warnings: [{ code: 'vanished-unclear', count: 1, message }] };
  }
  if (action === 'report') return { vanished: absent, deletes: false, warnings: [] };
  if (absent > maxShare * loadedCount) {
    const share = `${absent} of ${loadedCount} ids vanished, more than the share of ${maxShare}`;
    const message = `${share}: nothing is deleted. Raise vanished.maxShare for one run if this is right`;
    return { vanished: absent, deletes: false, warnings: [{ code: 'vanished-guard', count: 1, message }] };
  }
  return { vanished: absent, deletes: true, warnings: [] };
};
