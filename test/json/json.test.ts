import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, isJsonObject, type JsonValue, parseJson, stringifyJson } from '../../lib/json/json.ts';

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
    ['12345678901234567.0', 12_345_678_901_234_568],
    ['0.1234567890123456', 0.1234567890123456],
    ['"9007199254740993"', '9007199254740993'],
    ['0', 0],
  ])('%s is read as what it says', (text, value) => {
    expect(parseJson(text)).toEqual(value);
    expect(typeof parseJson(text)).toBe(typeof value);
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
          if (!/\d{16}/.test(text)) expect(parseJson(text)).toEqual(expected);
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
