import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contentHash, idempotencyKey } from '../../lib/idcheck/hash.ts';
import type { JsonValue } from '../../lib/json/json.ts';

const reversed = (value: JsonValue): JsonValue => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
};

test('the order of keys does not change the hash, at any depth', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(contentHash(reversed(value as JsonValue))).toBe(contentHash(value as JsonValue));
    }),
  );
});

test.each<[JsonValue, JsonValue]>([
  [{ a: 1 }, { a: '1' }],
  [{ a: 812252963824298001n }, { a: 812252963824298000n }],
  [{ a: null }, {}],
  [
    [1, 2],
    [2, 1],
  ],
  ['é', 'e\u0301'],
])('%o and %o are different contents', (one, other) => {
  expect(contentHash(one)).not.toBe(contentHash(other));
});

test('a hash is 22 printable characters and stays what it is: stored ones are compared with it', () => {
  expect(contentHash({ number: 1, id: '123', 编码: '产品A' })).toBe('XL16arIEn3oJDjkxiR_pcv');
});

test('an idempotency key is printable, stable, and different for each integration, id and content', () => {
  const key = idempotencyKey('a-b', '1', 'h');
  expect(key).toMatch(/^[\w-]{43}$/);
  expect(idempotencyKey('a-b', '1', 'h')).toBe(key);
  expect(idempotencyKey('a-b', '1', 'h', 0)).toBe(key);
  const others = [
    idempotencyKey('a-b', '1', 'h', 1),
    idempotencyKey('a-b', '1', 'h', 2),
    idempotencyKey('a', 'b1', 'h'),
    idempotencyKey('a-b', '1h', ''),
    idempotencyKey('a-b', '1', 'i'),
  ];
  expect(new Set([key, ...others]).size).toBe(6);
});
