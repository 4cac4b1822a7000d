import { describe, expect, it } from 'vitest';
import { askedWaitMs, isThrottled, MAX_RETRY_AFTER_MS } from '../../lib/connection/reactions.ts';

const NOW_MS = Date.parse('2026-11-28T12:00:00Z');
const inAMinuteSec = String(NOW_MS / 1000 + 60);

describe('throttling in other words', () => {
  it.each([
    [429, {}, true],
    [403, {}, false],
    [403, { 'retry-after': '1' }, true],
    [403, { 'x-ratelimit-remaining': '0' }, true],
    [403, { 'ratelimit-remaining': '0' }, true],
    [403, { 'ratelimit-remaining': '00' }, true],
    [403, { 'x-ratelimit-remaining': '12' }, false],
    [401, { 'retry-after': '1' }, false],
    [200, { 'x-ratelimit-remaining': '0' }, false],
  ])('%d with %j: %s', (status, headers, expected) => {
    expect(isThrottled({ status, headers })).toBe(expected);
  });

  it.each(['x-ratelimit', 'x-rate-limit', 'ratelimit'])('is read under the prefix %s', (prefix) => {
    const headers = { [`${prefix}-remaining`]: '0', [`${prefix}-reset`]: '9' };
    expect(isThrottled({ status: 403, headers })).toBe(true);
    expect(askedWaitMs(headers, NOW_MS)).toBe(9_000);
  });

  it.each([
    ['no word', {}, undefined],
    [
      'Retry-After before all else',
      { 'retry-after': '5', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9' },
      5_000,
    ],
    ['seconds until the reset', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9' }, 9_000],
    ['the moment of the reset', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inAMinuteSec }, 60_000],
    [
      'the moment of the reset in ms',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': `${inAMinuteSec}000` },
      60_000,
    ],
    ['a moment that has passed', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1000000000' }, 0],
    ['a moment far away', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '900000000' }, MAX_RETRY_AFTER_MS],
    [
      'a reset of an interval that is not used up',
      { 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': '9' },
      undefined,
    ],
    ['no number', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': 'soon' }, undefined],
  ])('waits by %s', (_, headers, waitMs) => {
    expect(askedWaitMs(headers, NOW_MS)).toBe(waitMs);
  });
});
