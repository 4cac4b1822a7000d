import { describe, expect, it } from 'vitest';
import { deadlinesOf, readTimeBudgetMs } from '../../lib/fetch/time-budget.ts';
import { ConfigurationError } from '../../lib/runtime/fault.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';

describe('the deadlines of an invocation', () => {
  it('keep 20 s free of a long one, a quarter of a short one', () => {
    expect(deadlinesOf(1_000, 300_000, undefined, standardTuning.fetch)).toEqual({ softMs: 281_000, hardMs: 281_000 });
    expect(deadlinesOf(1_000, 8_000, undefined, standardTuning.fetch)).toEqual({ softMs: 7_000, hardMs: 7_000 });
  });

  it('come sooner with a time budget, and never later', () => {
    expect(deadlinesOf(1_000, 300_000, 2_000, standardTuning.fetch)).toEqual({ softMs: 2_500, hardMs: 281_000 });
    expect(deadlinesOf(1_000, 8_000, 900_000, standardTuning.fetch)).toEqual({ softMs: 7_000, hardMs: 7_000 });
  });
});

describe('FETCH_TIME_BUDGET_MS', () => {
  it('is read in milliseconds; unset or empty there is no budget', () => {
    expect(readTimeBudgetMs({ FETCH_TIME_BUDGET_MS: '2000' })).toBe(2_000);
    expect(readTimeBudgetMs({ FETCH_TIME_BUDGET_MS: ' ' })).toBeUndefined();
    expect(readTimeBudgetMs({})).toBeUndefined();
  });

  it.each(['0', '-1', '2s', '1.5'])('is refused as %j', (text) => {
    expect(() => readTimeBudgetMs({ FETCH_TIME_BUDGET_MS: text })).toThrow(ConfigurationError);
  });
});
