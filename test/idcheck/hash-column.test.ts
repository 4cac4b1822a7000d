import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hashColumn } from '../../lib/idcheck/known.ts';

const hashes = fc.string({ unit: fc.constantFrom(...'ABCxyz019-_'), minLength: 22, maxLength: 22 });

it('gives every text back as it was added', () => {
  fc.assert(
    fc.property(fc.array(hashes, { maxLength: 50 }), (texts) => {
      const column = hashColumn(22);
      const places = texts.map((text) => column.add(text));
      expect(places.map((place) => column.at(place ?? Number.NaN))).toEqual(texts);
    }),
  );
});

it('holds more than one block', () => {
  const column = hashColumn(3);
  const text = (n: number) => String(n % 1_000).padStart(3, '0');
  for (let n = 0; n < 140_000; n++) column.add(text(n));
  for (const n of [0, 65_535, 65_536, 131_072, 139_999]) expect(column.at(n)).toBe(text(n));
});

it.each(['', 'short', 'a text of more than 22 characters', '二十二个字符但不是 ASCII 的一段文字啊'])(
  'refuses what does not fit: %j',
  (text) => {
    expect(hashColumn(22).add(text)).toBeUndefined();
  },
);
