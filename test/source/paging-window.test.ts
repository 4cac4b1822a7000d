import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PagingPlan } from '../../lib/integration/compile/paging-plan.ts';
import type { SourcePlan } from '../../lib/integration/compile/source-plan.ts';
import { sourcePlanOf } from '../../lib/integration/compile/source-plan.ts';
import type { RequestContext } from '../../lib/integration/dialect/variables.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { contextAt, stepInWindow } from '../../lib/source/paging.ts';
import { type Progress, pageAt, readProgress, startOf } from '../../lib/source/progress.ts';
import type { PageState } from '../../lib/source/source.ts';
import { integrationWith } from '../integration/sample.ts';
import { byOffset, byPage, single } from './settings.ts';

const CEILING = 1_000;
const NOW_MS = 1_700_000_000_000;
const DAY_MS = 86_400_000;
const run: RequestContext = { lastSyncMs: NOW_MS - 30 * DAY_MS, nowMs: NOW_MS };

const planWith = (paging: PagingPlan, hasWindow = true): SourcePlan => ({
  ...sourcePlanOf(integrationWith('okki-product-groups-to-crm')),
  paging,
  hasWindow,
});

/** Which ends of its window a source counts in. */
type Ends = { from: boolean; to: boolean };

/** Reads a list of changes of a source that never gives more than 1,000 rows of a window. */
const readWindow = (plan: SourcePlan, changedMs: readonly number[], ends: Ends) => {
  const { paging } = plan;
  const read = new Set<number>();
  const warnings: string[] = [];
  let requests = 0;
  let progress: Progress = startOf(paging);
  for (;;) {
    if (++requests > 5_000) throw new Error('the windows do not come to an end');
    const { lastSyncMs, nowMs } = contextAt(progress, run);
    const [from, to] = [Math.floor(lastSyncMs / 1000), Math.floor(nowMs / 1000)];
    const isIn = (ms: number) =>
      (ms / 1000 > from || (ends.from && ms / 1000 === from)) && (ms / 1000 < to || (ends.to && ms / 1000 === to));
    const all = changedMs.flatMap((ms, id) => (isIn(ms) ? [{ id }] : [])).slice(0, CEILING);
    const { page } = pageAt(paging, progress);
    const records: JsonValue[] = page === undefined ? all : all.slice(page.startRow, page.startRow + page.pageSize);
    const step = stepInWindow(plan, progress, { records }, run, false);
    warnings.push(...step.warnings.map(({ code }) => code));
    if (step.kind === 'failed') return { end: step.code, read, warnings, requests };
    if (step.kind === 'take') for (const record of records) read.add((record as { id: number }).id);
    const next = step.kind === 'again' ? step.at : step.kind === 'take' ? step.next : undefined;
    if (next === undefined) return { end: 'complete', read, warnings, requests };
    const restored = readProgress(paging, JSON.parse(JSON.stringify(next)) as PageState);
    if (restored === undefined) throw new Error(`not a state: ${JSON.stringify(next)}`);
    progress = restored;
  }
};

const spread = (count: number): number[] =>
  Array.from(
    { length: count },
    (_, index) => run.lastSyncMs + 1_000 * Math.ceil((index + 1) * ((29 * 86_400) / count)),
  );

describe('a list of changes that a source cuts off at 1,000 rows', () => {
  it.each<[PagingPlan['kind'], PagingPlan]>([
    ['single', single],
    ['pageNumber', byPage(200)],
    ['offset', byOffset(300)],
  ])('is read whole in smaller windows: %s', (_, paging) => {
    const reading = readWindow(planWith(paging), spread(4_500), { from: true, to: true });
    expect(reading).toMatchObject({ end: 'complete', read: { size: 4_500 } });
    expect(reading.warnings).toContain('window-split');
  });

  it('is read whole whichever ends of a window its source counts in', () => {
    const rowsAt = fc.array(fc.integer({ min: 1, max: 30 * 86_400 - 2 }), { minLength: 900, maxLength: 3_000 });
    fc.assert(
      fc.property(rowsAt, fc.boolean(), fc.boolean(), (seconds, from, to) => {
        const changedMs = seconds.map((second) => run.lastSyncMs + second * 1_000);
        const reading = readWindow(planWith(byPage(500)), changedMs, { from, to });
        if (reading.end === 'complete') expect(reading.read.size).toBe(changedMs.length);
        else expect(reading.end).toBe('ceiling');
      }),
      { numRuns: 40 },
    );
  });

  it('fails where so many rows changed within seconds that no window is small enough', () => {
    const atOnce = Array.from({ length: 2_500 }, () => run.lastSyncMs + 5_000_000);
    expect(readWindow(planWith(byPage(500)), atOnce, { from: true, to: true }).end).toBe('ceiling');
  });

  it('fails where it is not asked for with both ends of a window', () => {
    expect(readWindow(planWith(byPage(500), false), spread(4_500), { from: true, to: true }).end).toBe('ceiling');
  });
});

describe('whether a list is asked for with both ends of a window', () => {
  const asked = (...values: string[]) =>
    sourcePlanOf(
      integrationWith('okki-product-groups-to-crm', {
        'source.metadata.request': values.map((value, index) => ({ field: `f${index}`, value })),
        'source.window': { initial: '2020-01-01' },
      }),
    ).hasWindow;

  it.each<[values: string[], hasWindow: boolean]>([
    [['{{LAST_SYNC_TIME|datetime}}', '{{CURRENT_TIME|datetime}}'], true],
    [['{{LAST_SYNC_TIME}}'], false],
    [['{{LAST_SYNC_TIME}}', '{{CURRENT_TIME}}', '{{DAYS_AGO_3}}'], false],
  ])('%j: %s', (values, hasWindow) => {
    expect(asked(...values)).toBe(hasWindow);
  });
});
