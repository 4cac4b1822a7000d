import { describe, expect, it } from 'vitest';
import { windowOf } from '../../lib/fetch/start.ts';

const setting = { overlapMinutes: 10, initial: '2026-01-01 08:00:00' };
const INITIAL_MS = Date.UTC(2026, 0, 1);
const NOW_MS = Date.UTC(2026, 5, 1);

describe('the window of a run', () => {
  it('begins at the initial time, which is Beijing time, as long as nothing was loaded', () => {
    expect(windowOf(setting, undefined, false, NOW_MS)).toEqual({ fromMs: INITIAL_MS, toMs: NOW_MS });
    expect(windowOf({ ...setting, initial: '2026-01-01' }, undefined, false, NOW_MS).fromMs).toBe(
      INITIAL_MS - 8 * 3_600_000,
    );
  });

  it('begins where the last one ended, less the overlap', () => {
    const lastMs = NOW_MS - 3_600_000;
    expect(windowOf(setting, lastMs, false, NOW_MS)).toEqual({ fromMs: lastMs - 600_000, toMs: NOW_MS });
  });

  it('never begins before the initial time', () => {
    expect(windowOf(setting, INITIAL_MS + 60_000, false, NOW_MS).fromMs).toBe(INITIAL_MS);
  });

  it('begins at the beginning again for a full refresh', () => {
    expect(windowOf(setting, NOW_MS - 1, true, NOW_MS).fromMs).toBe(INITIAL_MS);
  });
});
