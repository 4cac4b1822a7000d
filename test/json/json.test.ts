import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalJson,
  ExactNumber,
  isJsonObject,
  isNestedDeeperThan,
  type JsonValue,
  parsedOrUndefined,
  parseJson,
  stringifyJson,
} from '../../lib/json/json.ts';

// What parsing gives: integers past 2^53 are bigints, all others numbers; -0 is 0 in JSON text.
const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER);
const bigInteger = fc.bigInt().filter((value) => value > MAX_EXACT || value < -MAX_EXACT);
const fraction = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) =>
  // A double past 2^53 without a fraction is written as an integer where its exponent is below 21.
  Number.isInteger(value) && Math.abs(value) < 1e21 ? Math.trunc(value % 1_000_000) + 0 : value,
);
const { tree: json } = fc.letrec<{ tree: JsonValue }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fraction,
    bigInteger,
    fc.string({ unit: 'binary' }),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString')), tie('tree'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
}));

/** A number as digits without zeros at the end and a power of ten, by bigint arithmetic. */
const fractionOf = (text: string): { units: bigint; power: number } => {
  const [, sign, whole = '', fraction = '', written = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(text) ?? [];
  let units = BigInt(`${whole}${fraction}`);
  let power = Number(written) - fraction.length;
  if (units === 0n) return { units, power: 0 };
  for (; units % 10n === 0n; units /= 10n) power += 1;
  return { units: sign === '-' ? -units : units, power };
};

const isSameFraction = (said: ReturnType<typeof fractionOf>, text: string): boolean => {
  const { units, power } = fractionOf(text);
  return said.units === units && said.power === power;
};

describe('parsing and writing', () => {
  it('give back what was written, integers of any length exactly', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 2), (value, indent) => {
        expect(parseJson(stringifyJson(value, indent))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it.each<[text: string, value: JsonValue]>([
    ['9007199254740991', 9_007_199_254_740_991],
    ['9007199254740992', 9_007_199_254_740_992n],
    ['-9007199254740991', -9_007_199_254_740_991],
    ['-9007199254740993', -9_007_199_254_740_993n],
    ['812252963824297984', 812_252_963_824_297_984n],
    ['[812252963824297984,{"a":812252963824298001}]', [812_252_963_824_297_984n, { a: 812_252_963_824_298_001n }]],
    ['1234567890123456', 1_234_567_890_123_456],
    ['1e20', 1e20],
    ['12345678901234567.0', 12_345_678_901_234_567n],
    ['9007199254740993.0', 9_007_199_254_740_993n],
    ['-9007199254740994.000', -9_007_199_254_740_994n],
    ['9.007199254740993e15', 9_007_199_254_740_993n],
    ['12345678901234567e1', 123_456_789_012_345_670n],
    ['12345678.0000000000', 12_345_678],
    ['0.10000000000000000000', 0.1],
    ['19.899999999999999', 19.9],
    ['0.10000000000000001', 0.1],
    ['0.30000000000000004', 0.30000000000000004],
    // 17 digits, too, of a double that has no short text: a decimal of its own.
    ['12345678.123456789', new ExactNumber('12345678.123456789')],
    ['19.8999999999999991', new ExactNumber('19.8999999999999991')],
    ['1E+2', 100],
    ['100e-2', 1],
    ['-0', -0],
    ['0e999', 0],
    ['1.7976931348623157e308', 1.7976931348623157e308],
    ['5e-324', 5e-324],
    ['123456789012345678.55', new ExactNumber('123456789012345678.55')],
    ['-123456789012345678.5500', new ExactNumber('-123456789012345678.55')],
    ['0.12345678901234567890123', new ExactNumber('0.12345678901234567890123')],
    ['1e400', new ExactNumber('1e400')],
    ['-10.0E+399', new ExactNumber('-1e400')],
    ['0.1e-400', new ExactNumber('1e-401')],
    ['1e99999999999999999999', new ExactNumber('1e99999999999999999999')],
    ['[1e400]', [new ExactNumber('1e400')]],
    ['{"a" : 1e400}', { a: new ExactNumber('1e400') }],
    ['[1,\n1e400 ]', [1, new ExactNumber('1e400')]],
    ['{"a":[{"b":-123456789012345678.55}]}', { a: [{ b: new ExactNumber('-123456789012345678.55') }] }],
    ['"1e400"', '1e400'],
    ['0.1234567890123456', 0.1234567890123456],
    ['"9007199254740993"', '9007199254740993'],
    ['0', 0],
  ])('%s is read as what it says', (text, value) => {
    expect(parseJson(text)).toEqual(value);
    expect(typeof parseJson(text)).toBe(typeof value);
  });

  it('no number changes its value on its way, and equal numbers have one text', () => {
    const digits = fc.bigInt({ min: 0n, max: 10n ** 40n }).map(String);
    const number = fc.record({
      sign: fc.constantFrom('', '-'),
      digits,
      places: fc.nat(45),
      power: fc.integer({ min: -420, max: 420 }),
    });
    fc.assert(
      fc.property(number, fc.nat(20), ({ sign, digits: all, places, power }, zeros) => {
        const padded = all.padStart(places + 1, '0');
        const plain = `${sign}${padded.slice(0, padded.length - places)}${places === 0 ? '' : `.${padded.slice(-places)}`}`;
        const text = power === 0 ? plain : `${plain}e${power}`;
        const written = stringifyJson(parseJson(`{"a":${text}}`)).slice(5, -1);
        const said = fractionOf(text);
        // A double of few digits, written with 17, is that double.
        const isDouble =
          said.power < 0 &&
          Number.isFinite(Number(text)) &&
          Number(text) !== 0 &&
          String(fractionOf(String(Number(text))).units).replace('-', '').length <= 15 &&
          isSameFraction(said, Number(text).toPrecision(17));
        expect(fractionOf(written)).toEqual(isDouble ? fractionOf(String(Number(text))) : said);
        const longer = `${plain}${places === 0 ? '.' : ''}${'0'.repeat(zeros + 1)}e${power}`;
        if (power !== 0) expect(stringifyJson(parseJson(`[${longer}]`))).toBe(`[${written}]`);
        expect(stringifyJson(parseJson(`[${written}]`))).toBe(`[${written}]`);
      }),
      { numRuns: 2_000 },
    );
  });

  it('text that is not JSON is a SyntaxError, as with JSON.parse', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((text) => text.slice(0, -1)),
        ),
        (text) => {
          let expected: unknown;
          try {
            expected = JSON.parse(text);
          } catch {
            expect(() => parseJson(text)).toThrow(SyntaxError);
            return;
          }
          if (!/\d[\d.]{15}|e[+-]?\d{3}/i.test(text)) expect(parseJson(text)).toEqual(expected);
          else parseJson(text);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('a long list of big integers comes back exactly', () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => `{"id":${9_007_199_254_740_993n + BigInt(index)}}`);
    const parsed = parseJson(`[${rows.join()}]`);
    expect(stringifyJson(parsed)).toBe(`[${rows.join()}]`);
  });

  it('a key named __proto__ is a key like any other', () => {
    const value = parseJson('{"__proto__":{"a":1},"big":9007199254740993}');
    expect(isJsonObject(value) && Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(stringifyJson(value)).toBe('{"__proto__":{"a":1},"big":9007199254740993}');
    expect(canonicalJson(value)).toBe('{"__proto__":{"a":1},"big":9007199254740993}');
  });
});

describe('canonical text', () => {
  const shuffled = (value: JsonValue): JsonValue => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, inner]) => [key, shuffled(inner)]),
    );
  };

  it('is the same whatever the order of keys, and means the same', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
        expect(parseJson(canonicalJson(value))).toEqual(value);
      }),
    );
  });

  it('differs where the content differs', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        if (canonicalJson(a) === canonicalJson(b)) expect(a).toEqual(b);
      }),
    );
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
    expect(canonicalJson({ a: 1 })).not.toBe(canonicalJson({ a: '1' }));
  });

  it('orders keys by code unit, as RFC 8785 does', () => {
    expect(canonicalJson({ '\u{1F600}': 1, '\uFB33': 2, b: 3, a: 4, é: 5 })).toBe(
      '{"a":4,"b":3,"é":5,"\u{1F600}":1,"\uFB33":2}',
    );
  });
});

it.each([
  [{}, true],
  [{ a: 1 }, true],
  [[], false],
  [null, false],
  ['{}', false],
  [1n, false],
  [undefined, false],
])('%o is a JSON object: %s', (value, expected) => {
  expect(isJsonObject(value)).toBe(expected);
});

it('reads an integer of ten million digits without the time that a bigint takes', () => {
  const parsed = parseJson(`[1${'0'.repeat(10_000_000)}]`);
  expect(stringifyJson(parsed)).toBe('[1e10000000]');
});

describe('a value that is nested deeper than the stack', () => {
  const LEVELS = 200_000;
  const nested = (inner: string) => `${'{"a":['.repeat(LEVELS)}${inner}${']}'.repeat(LEVELS)}`;

  it.each(['1', '12345678901234567890', '"}]\\""'])('is read, with %s in it, and cut far below', (inner) => {
    const parsed = parseJson(`[12345678901234567890,${nested(inner)},"last"]`);
    expect(Array.isArray(parsed) && [parsed[0], parsed[2]]).toEqual([12345678901234567890n, 'last']);
    expect(isNestedDeeperThan(parsed, 900)).toBe(true);
  });

  it('is no JSON where it is none', () => {
    expect(parsedOrUndefined(`[12345678901234567890,${nested('1').slice(0, -1)}`)).toBeUndefined();
    expect(parsedOrUndefined('[12345678901234567890,'.repeat(LEVELS))).toBeUndefined();
  });

  it('is written, cut far below', () => {
    const value = JSON.parse(nested('1')) as JsonValue;
    const written = stringifyJson([1n, value, 'last']);
    expect(written.startsWith('[1,{"a":[{"a":[')).toBe(true);
    expect(written.endsWith('}],"last"]') || written.endsWith(']},"last"]')).toBe(true);
  });
});
