import { describe, expect, it } from 'vitest';
import { rateLimitOf } from '../../../lib/connection/limit/rate-limit-setting.ts';

describe('a rate limit setting', () => {
  it.each([
    ['60/60s', { requests: 60, intervalMs: 60_000 }],
    [' 10/1s ', { requests: 10, intervalMs: 1_000 }],
    ['', undefined],
    [undefined, undefined],
    ['60', 'malformed'],
    ['60/60', 'malformed'],
    ['0/1s', 'malformed'],
    ['10/0s', 'malformed'],
    ['-1/1s', 'malformed'],
    ['1.5/1s', 'malformed'],
    ['60/1m', 'malformed'],
    ['none', 'malformed'],
  ])('by environment variable %j: %j', (text, expected) => {
    expect(rateLimitOf({ env: 'LIMIT' }, { LIMIT: text })).toEqual(expected);
  });

  it('stands in the file, or nowhere', () => {
    expect(rateLimitOf({ requests: 5, intervalMs: 100 }, {})).toEqual({ requests: 5, intervalMs: 100 });
    expect(rateLimitOf(undefined, {})).toBeUndefined();
  });
});
