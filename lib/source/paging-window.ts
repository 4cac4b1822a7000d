import type { SourcePlan } from '../integration/compile/source-plan.ts';
import type { RequestContext } from '../integration/dialect/variables.ts';
import type { Page } from './answer.ts';
import { nextStep } from './paging.ts';
import { type Progress, startOf } from './paging-state.ts';
import type { Step } from './paging-step.ts';

/**
 * A list of changes that stops at a ceiling is read in smaller windows of time, each of them from its first page:
 *
 *     the run's window   |-------------------------------|   stops after exactly 1,000 rows
 *     its first half     |---------------|                   1,000 again
 *     …                  |-------|                           640: the end of this part
 *     then the rest             |------------------------|   and so on, split where it stops at the ceiling
 *
 * What was read before is read again and merged. Parts overlap by a second, since sources count their ends differently.
 */
const OVERLAP_MS = 1_000;
/** A part as short as this is not split: times are written in seconds. */
const SHORTEST_MS = 4_000;

/** What is asked for at `progress`: the run's window, or the part of it that is being read. Pure. */
export const contextAt = ({ fromMs, toMs }: Progress, run: RequestContext): RequestContext => ({
  ...run,
  lastSyncMs: fromMs ?? run.lastSyncMs,
  nowMs: toMs ?? run.nowMs,
});

const startOfPart = ({ paging }: SourcePlan, from: Progress, fromMs: number, toMs: number): Progress => ({
  ...startOf(paging),
  ...((from.linked === true || from.cursor !== undefined) && { linked: true }),
  fromMs: Math.floor(fromMs),
  toMs: Math.floor(toMs),
});

/** A step within a part of the window stays in that part. */
const within = ({ fromMs, toMs, linked }: Progress, next: Progress): Progress =>
  fromMs === undefined || toMs === undefined ? next : { ...next, fromMs, toMs, ...(linked && { linked }) };

/**
 * The next step of a reading, over the parts of its window where it has to be split. Pure. `hasLinked`: as for
 * `nextStep`.
 */
export const stepInWindow = (
  plan: SourcePlan,
  asked: Progress,
  page: Page,
  run: RequestContext,
  hasLinked: boolean,
): Step => {
  const step = nextStep(plan.paging, plan.id, asked, page, hasLinked);
  const { lastSyncMs: fromMs, nowMs: toMs } = contextAt(asked, run);
  switch (step.kind) {
    case 'again':
      return { ...step, at: within(asked, step.at) };
    case 'take': {
      if (step.next !== undefined) return { ...step, next: within(asked, step.next) };
      return toMs < run.nowMs
        ? { ...step, next: startOfPart(plan, asked, Math.max(fromMs, toMs - OVERLAP_MS), run.nowMs) }
        : step;
    }
    case 'end':
      return toMs < run.nowMs
        ? { ...step, kind: 'again', at: startOfPart(plan, asked, Math.max(fromMs, toMs - OVERLAP_MS), run.nowMs) }
        : step;
    case 'failed': {
      if (step.code !== 'ceiling' || !plan.hasWindow || toMs - fromMs < SHORTEST_MS) return step;
      const message = 'the list of a window stopped at a ceiling: the window is split and read again in parts';
      const next = startOfPart(plan, asked, fromMs, fromMs + (toMs - fromMs) / 2);
      return { kind: 'take', next, warnings: [...step.warnings, { code: 'window-split', message }] };
    }
    default:
      return step satisfies never;
  }
};
