import { describe, expect, it, test } from 'vitest';
import { concludeVanished } from '../../lib/fetch/vanished.ts';
import { loadingRun } from '../runs/run-record.ts';

const invalidRows = { maxShare: 0.5, isTolerant: false };
const post = { invalidRows, deletion: { maxShare: 0.2, bodyOf: () => ({ body: {} }) } };
const report = { invalidRows };

const reading = { counts: { ...loadingRun.counts, fetched: 10 }, warnings: [] };
const warned = (code: string) => ({ ...reading, warnings: [{ code, count: 1, message: '' }] });

const codesOf = ({ warnings }: ReturnType<typeof concludeVanished>) => warnings.map(({ code }) => code);

describe('ids that were loaded before and are absent', () => {
  it('are reported, and deleted only where the file says so', () => {
    const reported = { vanished: 3, isSure: false, deletes: false, warnings: [] };
    expect(concludeVanished(3, 10, reading, report)).toEqual(reported);
    expect(concludeVanished(2, 10, reading, post)).toEqual({ vanished: 2, isSure: true, deletes: true, warnings: [] });
  });

  it('are not deleted where their share exceeds the guard; the reading counts all the same', () => {
    const concluded = concludeVanished(3, 10, reading, post);
    expect(concluded).toMatchObject({ vanished: 3, isSure: true, deletes: false });
    expect(codesOf(concluded)).toEqual(['vanished-guard']);
  });

  it('are reported and not deleted where ids came again on a later page', () => {
    const moved = { ...reading, doubts: { unreadIds: 0, repeatedIds: 1 } };
    expect(concludeVanished(1, 10, moved, post)).toMatchObject({ vanished: 1, isSure: false, deletes: false });
    expect(codesOf(concludeVanished(1, 10, moved, post))).toEqual(['vanished-moved']);
    expect(concludeVanished(1, 10, moved, report)).toMatchObject({ vanished: 1, warnings: [] });
  });

  test.each([
    ['its total changed', warned('total-changed')],
    ['its total was not met', warned('total-mismatch')],
    ['its pages overlap', warned('pages-overlap')],
    ['its end is unsure', warned('end-unsure')],
    ['a row has no id that can be read', { ...reading, doubts: { unreadIds: 1, repeatedIds: 0 } }],
    ['most rows are invalid', { ...reading, counts: { ...reading.counts, invalid: 6 } }],
    ['less than half of the rows came', { ...reading, shrunkFrom: 30 }],
  ])('say nothing where the reading is in doubt: %s', (_, doubtful) => {
    for (const rule of [post, report]) {
      const concluded = concludeVanished(1, 10, doubtful, rule);
      expect(concluded).toMatchObject({ vanished: 0, isSure: false, deletes: false });
      expect(codesOf(concluded)).toEqual(['vanished-unclear']);
    }
  });

  it('are no matter where there are none', () => {
    expect(codesOf(concludeVanished(0, 0, warned('total-changed'), post))).toEqual([]);
  });
});
