import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenReactions } from '../../lib/connection/auth/login.ts';
import { sentBeforeFailing } from '../../lib/connection/http.ts';
import { reactionToFailure, reactionToStatus } from '../../lib/connection/reactions.ts';
import { pageReactions } from '../../lib/source/page-answer.ts';
import { targetReactions } from '../../lib/target/outcome.ts';
import { everyCause, everyStatus, idleRowsOf, tableInWords } from '../fakes/every-end.ts';

const byCause = {
  dns: 'a',
  refused: 'b',
  unreachable: 'c',
  tls: 'h',
  timeout: 'd',
  reset: 'e',
  tooLarge: 'f',
  network: 'g',
};
const row = fc.tuple(fc.integer({ min: 90, max: 620 }), fc.nat(200), fc.string());

describe('a table of reactions', () => {
  it('reacts to every status by its first row that fits, else by the reaction to all others', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 8 }), (rows) => {
        const statuses = rows.map(([from, length, word]) => [from, from + length, word] as const);
        for (const status of everyStatus) {
          const first = rows.find(([from, length]) => status >= from && status - from <= length);
          const reaction = reactionToStatus({ statuses, otherStatus: 'other' }, { status, headers: {} });
          expect(reaction).toBe(first?.[2] ?? 'other');
        }
      }),
      { numRuns: 50 },
    );
  });

  it('passes a row over that needs a header which the answer does not have', () => {
    const table = {
      statuses: [
        [503, 503, 'wait', 'retry-after'],
        [500, 599, 'retry'],
      ],
      otherStatus: 'fail',
    } as const;
    expect(reactionToStatus(table, { status: 503, headers: {} })).toBe('retry');
    expect(reactionToStatus(table, { status: 503, headers: { 'retry-after': 'soon' } })).toBe('wait');
  });

  it('reacts to every cause of a failure by itself, or by whether the request was sent', () => {
    for (const cause of everyCause) {
      expect(reactionToFailure({ failures: byCause }, cause)).toBe(byCause[cause]);
      const bySending = { never: 'again', maybe: 'unknown' };
      expect(reactionToFailure({ failures: bySending }, cause)).toBe(bySending[sentBeforeFailing[cause]]);
    }
    expect(everyCause.toSorted()).toEqual(Object.keys(byCause).toSorted());
  });
});

describe('a token request', () => {
  it('is refused for good by every answer but a token and what may pass', () => {
    expect(tableInWords(tokenReactions, String)).toEqual([
      '100-199 refused',
      '200-299 read',
      '300-407 refused',
      '408 unavailable',
      '409-428 refused',
      '429 throttled',
      '430-499 refused',
      '500-999 unavailable',
      '403 with Retry-After throttled',
      '403 with nothing remaining throttled',
      ...everyCause.map((cause) => `${cause} unavailable`),
    ]);
  });
});

it('no row of a table could be left out: each decides over some end of a request', () => {
  expect(idleRowsOf(tokenReactions, String)).toEqual([]);
  expect(idleRowsOf(targetReactions, String)).toEqual([]);
  expect(idleRowsOf(pageReactions, (reaction) => JSON.stringify(reaction))).toEqual([]);
});
