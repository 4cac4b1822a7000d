import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultHelp, parseFault } from '../../../local/sandbox/fault.ts';
import { faultBoard } from '../../../local/sandbox/fault-board.ts';
import { type FaultName, faultTable } from '../../../local/sandbox/fault-table.ts';

const names = Object.keys(faultTable) as FaultName[];

describe('parseFault', () => {
  test.each(names)('%s needs no settings, and the help tells of it', (name) => {
    expect(parseFault(name)).toMatchObject({ name, every: 1, after: 0, text: name });
    expect(faultHelp).toContain(`\n  ${name}`);
  });

  test('settings are read with their types, defaults filled in', () => {
    expect(parseFault('source-429:times=2:retryAfter=1')).toEqual({
      name: 'source-429',
      params: { retryAfter: 1, form: 'seconds' },
      times: 2,
      every: 1,
      after: 0,
      on: ['groups', 'receipts'],
      text: 'source-429:times=2:retryAfter=1',
    });
    expect(parseFault('target-refuse:ids=5203300076,0:status=400:on=crm')).toMatchObject({
      ids: ['5203300076', '0'],
      params: { status: 400 },
      on: ['crm'],
    });
  });

  test('a value may hold a colon as %3A', () => {
    expect(parseFault('target-refuse:message=原因%3A 重名')).toMatchObject({ params: { message: '原因: 重名' } });
  });

  test.each([
    ['', /there is no fault ""; known: source-429/],
    ['source-428', /there is no fault "source-428"/],
    ['toString', /there is no fault "toString"/],
    ['source-429:time=2', /source-429: "time=2" is not a setting.*allowed: retryAfter=…, form=…, times=…/],
    ['source-429:times', /"times" is not a setting/],
    ['source-429:times=0', /times must be a whole number from 1, not "0"/],
    ['source-429:times=-1', /times must be a whole number/],
    ['source-429:times=1:times=2', /times is given twice/],
    ['source-429:form=both', /form must be one of seconds, date, not "both"/],
    ['source-429:ids=1', /"ids=1" is not a setting/],
    ['source-429:on=crm', /on must name groups, receipts, token, refresh, not "crm"/],
    ['target-refuse:status=99', /status must be from 200 to 599/],
    ['target-refuse:ids=', /ids names no id/],
    ['target-refuse:message=100%', /stray "%"/],
    ['row-results:times=1', /nothing can be set/],
  ])('%s is refused in words that help', (text, words) => {
    expect(() => parseFault(text)).toThrow(words);
  });
});

describe('faultBoard', () => {
  const history = (text: string, occasions: number): boolean[] => {
    const board = faultBoard([parseFault(text)]);
    return Array.from(
      { length: occasions },
      () => board.happens('target-drop', { on: 'crm', ids: ['7'] }) !== undefined,
    );
  };

  test('the selectors pick occasions by counting, and the same occasions every time', () => {
    const count = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(count, count, fc.integer({ min: 0, max: 6 }), (times, every, after) => {
        const happened = history(`target-drop:times=${times}:every=${every}:after=${after}`, 60);
        const expected = Array.from({ length: times }, (_, n) => after + every * (n + 1) - 1);
        expect(happened.flatMap((did, index) => (did ? [index] : []))).toEqual(expected);
      }),
    );
  });

  test('other ids and other endpoints are no occasions', () => {
    const board = faultBoard([parseFault('target-drop:ids=7:on=crm:times=1')]);
    expect(board.happens('target-drop', { on: 'crm', ids: ['8'] })).toBeUndefined();
    expect(board.happens('target-drop', { on: 'qingyiyun', ids: ['7'] })).toBeUndefined();
    expect(board.counts()).toEqual([{ fault: 'target-drop:ids=7:on=crm:times=1', occasions: 0, happened: 0 }]);
    expect(board.happens('target-drop', { on: 'crm', ids: ['8', '7'] })).toEqual({});
  });

  test('two faults of one name each have their own settings and counters', () => {
    const board = faultBoard(['target-refuse:ids=1:status=400', 'target-refuse:ids=2:status=413'].map(parseFault));
    expect(board.happens('target-refuse', { on: 'crm', ids: ['2'] })?.status).toBe(413);
    expect(board.happens('target-refuse', { on: 'crm', ids: ['1'] })?.status).toBe(400);
    expect(board.counts().map(({ happened }) => happened)).toEqual([1, 1]);
  });
});
