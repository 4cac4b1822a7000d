import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calculate, operandName, parseFormula } from '../../../lib/integration/dialect/formula.ts';
import { instantMs } from '../../../lib/integration/dialect/instant.ts';
import { applyParser, readParsers } from '../../../lib/integration/dialect/parsers.ts';
import { ExactNumber, type JsonValue } from '../../../lib/json/json.ts';
import { beijingTime } from '../../../lib/runtime/clock.ts';

describe('an instant', () => {
  test.each<[JsonValue, string | undefined]>([
    [0, '1970-01-01 08:00:00'],
    [1_700_000_000, '2023-11-15 06:13:20'],
    [1_700_000_000_000, '2023-11-15 06:13:20'],
    [1_700_000_000_000n, '2023-11-15 06:13:20'],
    ['1700000000', '2023-11-15 06:13:20'],
    ['1700000000.5', '2023-11-15 06:13:20'],
    ['\uFF11700000000', '2023-11-15 06:13:20'],
    ['2024-02-29', '2024-02-29 00:00:00'],
    ['2024/2/9 4:05', '2024-02-09 04:05:00'],
    ['2024.02.09 04:05:06', '2024-02-09 04:05:06'],
    ['2024年2月9日 04:05:06', '2024-02-09 04:05:06'],
    ['\u30002024-02-09\u3000', '2024-02-09 00:00:00'],
    ['20240209', '2024-02-09 00:00:00'],
    ['20240209040506', '2024-02-09 04:05:06'],
    ['2024-02-09T04:05:06Z', '2024-02-09 12:05:06'],
    ['2024-02-09T04:05:06.789+0800', '2024-02-09 04:05:06'],
    ['2024-02-09T04:05:06-05:00', '2024-02-09 17:05:06'],
    ['2023-02-29', undefined],
    ['2024-13-01', undefined],
    ['2024-02-09 24:00:00', undefined],
    ['0000-00-00 00:00:00', undefined],
    ['09/02/2024', undefined],
    ['soon', undefined],
    ['', undefined],
    [true, undefined],
    [null, undefined],
  ])('%s is %s in Beijing', (value, text) => {
    const ms = instantMs(value);
    expect(ms === undefined ? undefined : beijingTime(ms)).toBe(text);
  });

  test('survives the way to text and back, to the second', () => {
    const from = Date.UTC(1900, 0, 2) / 1000;
    fc.assert(
      fc.property(fc.integer({ min: from, max: Date.UTC(9999, 0, 1) / 1000 }), (seconds) => {
        expect(instantMs(beijingTime(seconds * 1000) ?? '')).toBe(seconds * 1000);
      }),
    );
  });
});

const nameless = (name: string) =>
  `the name ${name} (fields stand in {{}}; functions are round, floor, ceil, abs, min, max)`;

describe('arithmetic', () => {
  const result = (text: string, ...values: (JsonValue | undefined)[]) => {
    const named = text.replace(/\$(\d)/g, (_, index: string) => operandName(Number(index)));
    const formula = parseFormula(named, values.length);
    if ('why' in formula) return formula.why;
    const calculated = calculate(
      formula,
      values.map((value, index) => ({ name: `f${index}`, value })),
    );
    return 'value' in calculated ? calculated.value : calculated.reason;
  };

  test.each<[string, (JsonValue | undefined)[], unknown]>([
    ['$0 * $1', ['3', 0.1], 0.3],
    ['0.1 + 0.2', [], 0.3],
    ['($0 - 86400) * 1000', [1_700_000_000], 1_699_913_600_000],
    ['-$0 + 8 % 5', [1], 2],
    ['ROUND($0 / 3, 2) + Abs(-1) AND NOT ($0 > 1)', [10], 0],
    ['2 ^ 3', [], 'the sign ^, which is XOR in SQL and a power elsewhere'],
    ['round($0 / 3, 2)', [10], 3.33],
    ['round(1.005, 2)', [], 1.01],
    ['round(-2.5)', [], -3],
    ['max($0, 5) + min(1, 2) + abs(-1) + floor(1.9) + ceil(1.1)', [3], 10],
    ['$0 > 5 ? 1 : 0', [6], 1],
    ['$0 >= 5 and not ($0 == 7)', [6], 1],
    ['$0 + 1', ['\uFF12 '], 3],
    ['$0 + 1', [true], 2],
    ['1e3 * $0', [2], 2000],
    ['$0 + 1', [undefined], 'f0 is missing'],
    ['$0 + 1', [''], 'f0 is missing'],
    ['$0 + 1', ['x'], 'f0 is no number'],
    ['$0 + 1', [[1]], 'f0 is no number'],
    ['$0 + 1', ['0x10'], 'f0 is no number'],
    ['$0 + 1', [new ExactNumber('123456789012345678.55')], 'f0 has too many digits and would not stay exact'],
    ['$0 + 1', ['123456789012345678.55'], 'f0 has too many digits and would not stay exact'],
    ['$0 + 1', [812252963824298001n], 'f0 is past 2^53 and would not stay exact'],
    ['$0 * 10', [9_007_199_254_740_991], 'comes to a number past 2^53, which would not be exact'],
    ['$0 / 0', [1], 'comes to no number'],
    ['$1', [1], nameless('operand1')],
    ['', [], 'signs that are no arithmetic'],
    ['1 +', [], 'what is no arithmetic'],
    ['$0.length', [1], nameless('length')],
    ['__proto__', [], nameless('__proto__')],
    ['toString()', [], nameless('toString')],
    ['PI', [], nameless('PI')],
    ['random()', [], nameless('random')],
    ['max', [], 'max without its brackets'],
  ])('%s of %s', (text, values, expected) => {
    expect(result(text, ...values)).toBe(expected);
  });

  test('of any text is read or refused, and its result is a number or a reason', () => {
    const token = fc.constantFrom('1', '2.5', 'operand0', '+', '-', '*', '/', '(', ')', '?', ':', '<', ',', 'max', ' ');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(token).map((all) => all.join('')),
        ),
        fc.jsonValue(),
        (text, value) => {
          const formula = parseFormula(text, 1);
          if ('why' in formula) return;
          const calculated = calculate(formula, [{ name: 'a', value: value as JsonValue }]);
          if ('value' in calculated) expect(calculated.value).toBeTypeOf('number');
          else expect(calculated.reason).not.toBe('');
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('a parser', () => {
  test.each<[string, string, JsonValue, unknown]>([
    ['StringToArray', ',', 'a, b', { value: ['a', 'b'] }],
    ['StringToArray', ';', 'a;b', { value: ['a', 'b'] }],
    ['StringToArray', ',', ' ', { value: [] }],
    ['StringToArray', ',', 7, { value: ['7'] }],
    ['StringToArray', ',', ['a'], { value: ['a'] }],
    ['StringToArray', ',', {}, { reason: 'is no text to split' }],
    ['ArrayToString', ',', ['a', 1, 812252963824298001n], { value: 'a,1,812252963824298001' }],
    ['ArrayToString', ',', 'a', { value: 'a' }],
    ['ArrayToString', ',', [{}], { reason: 'is no list of texts and numbers' }],
    ['ConvertObjectParser', 'FNUMBER', 'a', { value: { FNUMBER: 'a' } }],
    ['ConvertObjectParser', 'FNUMBER', null, { value: null }],
  ])('%s(%s) of %s', (name, params, value, parsed) => {
    const [parser] = readParsers({ name, params }) ?? [];
    expect(parser && applyParser(parser, value)).toEqual(parsed);
  });

  test.each<[JsonValue, boolean]>([
    [null, true],
    ['', true],
    [{ name: 'StringToArray' }, true],
    [[{ name: 'StringToArray', params: ',' }], true],
    [{ name: 'constructor', params: ',' }, false],
    [{ name: 'MD5' }, false],
    [{ name: 'ConvertObjectParser' }, false],
    [{ name: 'ConvertObjectParser', params: '' }, false],
    ['StringToArray', false],
  ])('%j is read: %s', (parser, isRead) => {
    expect(readParsers(parser) !== undefined).toBe(isRead);
  });
});
