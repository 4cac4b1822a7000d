import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conditionFaults, conditionLogics, judge, readCondition } from '../../../lib/integration/dialect/condition.ts';
import { ExactNumber, type JsonObject, type JsonValue } from '../../../lib/json/json.ts';

const big = 812252963824298001n;

const item = (field: string, logic: string, value?: JsonValue, strictMode?: boolean): JsonObject => ({
  field,
  logic,
  ...(value === undefined ? {} : { value }),
  ...(strictMode === undefined ? {} : { strictMode }),
});

const passes = (condition: JsonValue, record: JsonObject, beatFlat: string[] = []): boolean => {
  expect(conditionFaults(condition)).toEqual([]);
  return 'record' in judge(readCondition(condition, beatFlat), record);
};

describe('an operator', () => {
  test.each<[JsonValue | undefined, string, JsonValue | undefined, boolean]>([
    ['1', 'eq', '1', true],
    [1, 'eq', '1', true],
    ['1', 'eq', 1, true],
    [1.5, 'eq', '1.50', true],
    [new ExactNumber('123456789012345678.55'), 'eq', '123456789012345678.5500', true],
    [new ExactNumber('123456789012345678.55'), 'gt', '123456789012345678.54', true],
    [new ExactNumber('1e400'), 'gt', 5, true],
    [new ExactNumber('-1e400'), 'lt', 5, true],
    [new ExactNumber('1e-401'), 'gt', 0, true],
    [1e21, 'gt', 5, true],
    ['01', 'eq', '1', false],
    ['1', 'eq', '1.0', false],
    [big, 'eq', '812252963824298001', true],
    [big, 'eq', '812252963824298000', false],
    [true, 'eq', 'true', true],
    ['Done', 'eq', 'done', false],
    [undefined, 'eq', '', true],
    [null, 'eq', '', true],
    [0, 'eq', '', false],
    [undefined, 'eq', '0', false],
    ['a', 'neq', 'b', true],
    [1, 'neq', '1', false],
    [undefined, 'neq', 'b', true],
    [10, 'gt', '9', true],
    ['10', 'gt', '9', true],
    ['9', 'gt', '9', false],
    [big, 'gt', '812252963824298000', true],
    [undefined, 'gt', '0', false],
    ['2024-02-03', 'gt', '2024-02-02', true],
    [9, 'egt', 9, true],
    [-1, 'lt', 0, true],
    [undefined, 'lt', 0, false],
    ['\uFF11', 'elt', '1', true],
    ['9', 'lt', '10', true],
    ['abc', 'like', 'b', true],
    ['abc', 'like', 'B', false],
    ['abc', 'like', 'a%', true],
    ['abc', 'like', 'b%', false],
    ['a.c', 'like', 'a.c', true],
    ['abc', 'like', 'a.c', false],
    ['abcabd', 'like', 'ab%bd', true],
    ['abc', 'like', 'ab%bc', false],
    ['a\nb', 'like', 'a%b', true],
    [123, 'like', '2', true],
    [undefined, 'like', 'a', false],
    [undefined, 'notlike', 'a', true],
    ['abc', 'notlike', 'b', false],
    [5, 'between', '1,5', true],
    ['6', 'between', '1, 5', false],
    [5, 'between', [1, 5], true],
    [undefined, 'between', '1,5', false],
    [0, 'notnull', undefined, true],
    ['', 'notnull', undefined, false],
    [null, 'isnull', undefined, true],
    [undefined, 'isnull', undefined, true],
    [[], 'isnull', undefined, false],
    [false, 'isnull', undefined, false],
    ['2024-02-03 04:05:06', 'gt', 'timestamp:2024-02-03 04:05:05', true],
    [1_706_904_306, 'eq', 'timestamp:2024-02-03 04:05:06', true],
    ['1706904306000', 'between', 'timestamp:2024-02-03,2024-02-04', true],
    ['2024/2/3', 'egt', 'timestamp:2024-02-03', true],
    ['soon', 'lt', 'timestamp:2024-02-03', false],
    [{}, 'eq', 'x', false],
  ])('%s %s %s: %s', (found, logic, value, holds) => {
    const record = found === undefined ? {} : { a: found };
    expect(passes([[item('a', logic, value)]], record)).toBe(holds);
  });

  test('eq and neq, like and notlike, isnull and notnull are each other’s opposite', () => {
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
    const pairs = [
      ['eq', 'neq'],
      ['like', 'notlike'],
      ['isnull', 'notnull'],
    ] as const;
    fc.assert(
      fc.property(scalar, fc.string({ minLength: 1 }), fc.constantFrom(...pairs), (found, value, [one, other]) => {
        const holds = (logic: string) => 'record' in judge(readCondition([[item('a', logic, value)]]), { a: found });
        expect(holds(one)).toBe(!holds(other));
      }),
    );
  });

  test('like finds what a regular expression would find, trying all ways', () => {
    const letters = (more: string) =>
      fc.array(fc.constantFrom(...`ab${more}`), { maxLength: 12 }).map((all) => all.join(''));
    fc.assert(
      fc.property(letters(''), letters('%'), (text, wanted) => {
        fc.pre(wanted !== '');
        const tries = wanted.includes('%') ? `^${wanted.replaceAll('%', '.*')}$` : wanted;
        expect(passes([[item('a', 'like', wanted)]], { a: text || 'b' })).toBe(new RegExp(tries).test(text || 'b'));
      }),
    );
  });

  // Each would take hours where the time grew faster than the text.
  test.each([
    ['a'.repeat(1_000_000), 'like', `${'%a'.repeat(1_000)}%b%`],
    ['ab'.repeat(1_000_000), 'like', `${'%ab'.repeat(1_000)}%c`],
    ['1'.repeat(10_000_000), 'gt', '1'],
    [`0.${'1'.repeat(10_000_000)}`, 'between', '0,1'],
    [' '.repeat(1_000_000), 'eq', 'timestamp:2024-02-03'],
  ])('a long value is compared in time that grows with its length', (found, logic, value) => {
    expect(typeof passes([[item('a', logic, value)]], { a: found })).toBe('boolean');
  });

  test('the order of numbers is exact, whatever their size', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
        expect(passes([[item('a', 'lt', String(b))]], { a })).toBe(a < b);
        expect(passes([[item('a', 'eq', String(b))]], { a })).toBe(a === b);
      }),
    );
  });
});

describe('a condition', () => {
  test('passes when all items of one alternative hold', () => {
    const condition = [[item('a', 'eq', '1'), item('b', 'gt', 5)], [item('c', 'notnull')]];
    expect(passes(condition, { a: 1, b: 6 })).toBe(true);
    expect(passes(condition, { a: 1, b: 5 })).toBe(false);
    expect(passes(condition, { c: 0 })).toBe(true);
  });

  test('tells what did not hold', () => {
    const condition = readCondition([[item('a', 'eq', '1')], [item('b.c', 'notnull')]]);
    expect(judge(condition, { a: 2 })).toEqual({ reason: 'condition: does not hold: a eq "1" or b.c notnull' });
  });

  test('of nothing passes everything', () => {
    for (const none of [undefined, null, '', []]) expect(passes(none as never, {})).toBe(true);
  });

  const order = { id: 1, lines: [{ qty: 1 }, { qty: 0 }, { qty: 3 }] };

  test('on a child array drops the children that fail, and keeps the record', () => {
    const judged = judge(readCondition([[item('lines.qty', 'gt', 0)]]), order);
    expect(judged).toEqual({ record: { id: 1, lines: [{ qty: 1 }, { qty: 3 }] } });
    expect(order.lines).toHaveLength(3);
  });

  test('in strictMode drops the record where one child fails', () => {
    expect(passes([[item('lines.qty', 'gt', 0, true)]], order)).toBe(false);
    expect(passes([[item('lines.qty', 'egt', 0, true)]], order)).toBe(true);
    expect(passes([[item('lines.qty', 'gt', 0, true)]], { id: 1, lines: [] })).toBe(true);
  });

  test('keeps the children of every alternative that holds', () => {
    const condition = readCondition([
      [item('id', 'eq', 1), item('lines.qty', 'eq', 1)],
      [item('id', 'eq', 1), item('lines.qty', 'eq', 3)],
      [item('id', 'eq', 2), item('lines.qty', 'eq', 0)],
    ]);
    expect(judge(condition, order)).toEqual({ record: { id: 1, lines: [{ qty: 1 }, { qty: 3 }] } });
  });

  test('addresses flattened children by their old name', () => {
    expect(passes([[item('lines.qty', 'gt', 0)]], { lines_qty: 1 }, ['lines'])).toBe(true);
    expect(passes([[item('lines.qty', 'gt', 0)]], { lines_qty: 0 }, ['lines'])).toBe(false);
  });

  test.each<[JsonValue, (string | number)[]]>([
    ['a eq 1', []],
    [[item('a', 'eq', 1)], [0]],
    [[[]], [0]],
    [[['a']], [0, 0]],
    [[[{ logic: 'eq' }]], [0, 0, 'field']],
    [[[item('a', 'in', '1,2')]], [0, 0, 'logic']],
    [[[item('a', 'constructor', '1')]], [0, 0, 'logic']],
    [[[item('a', 'eq', [1])]], [0, 0, 'value']],
    [[[item('a', 'gt')]], [0, 0, 'value']],
    [[[item('a', 'between', '1')]], [0, 0, 'value']],
    [[[item('a', 'between', '1,2,3')]], [0, 0, 'value']],
    [[[item('a', 'like', '')]], [0, 0, 'value']],
    [[[item('a', 'eq', '{{b}}')]], [0, 0, 'value']],
    [[[item('a', 'gt', 'timestamp:{DAYS_AGO_3}')]], [0, 0, 'value']],
    [[[item('a', 'gt', '_mongoQuery x')]], [0, 0, 'value']],
    [[[item('a', 'gt', 'timestamp:soon')]], [0, 0, 'value']],
    [[[item('timestamp:a', 'between', '2024-01-01,later')]], [0, 0, 'value']],
    [[[item('{{a}}', 'eq', '1')]], [0, 0, 'field']],
    [[[{ ...item('a', 'eq', '1'), strictMode: 'yes' }]], [0, 0, 'strictMode']],
  ])('%j is refused at %j', (condition, path) => {
    expect(conditionFaults(condition).map((fault) => fault.path)).toEqual([path]);
  });

  test('without faults judges any record, and never throws', () => {
    const items = fc.record({
      field: fc.constantFrom('a', 'a.b', 'list.x', 'timestamp:a'),
      logic: fc.constantFrom(...conditionLogics),
      value: fc.oneof(fc.string(), fc.integer(), fc.constantFrom('1,2', 'timestamp:2024-01-01')),
      strictMode: fc.boolean(),
    });
    const sound = items.filter((one) => conditionFaults([[one]] as never).length === 0);
    const records = fc.record({ a: fc.jsonValue({ maxDepth: 2 }), list: fc.jsonValue({ maxDepth: 3 }) });
    fc.assert(
      fc.property(fc.array(fc.array(sound, { minLength: 1 })), records, (condition, record) => {
        expect(conditionFaults(condition as never)).toEqual([]);
        const judged = judge(readCondition(condition as never), record as JsonObject);
        expect('record' in judged || judged.reason.startsWith('condition: ')).toBe(true);
      }),
    );
  });
});
