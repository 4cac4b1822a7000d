import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Conversion } from '../../lib/integration/compile/body-plan.ts';
import { ExactNumber, type JsonValue } from '../../lib/json/json.ts';
import { convert } from '../../lib/transform/convert.ts';

const big = 812252963824298001n;

describe('a value of the declared type or in its plain form passes', () => {
  test.each<[Conversion, JsonValue, JsonValue]>([
    [{ to: 'integer' }, 1, 1],
    [{ to: 'integer' }, 0, 0],
    [{ to: 'integer' }, -5, -5],
    [{ to: 'integer' }, big, big],
    [{ to: 'integer' }, '5203300076', 5203300076],
    [{ to: 'integer' }, '007', 7],
    [{ to: 'integer' }, '-3', -3],
    [{ to: 'integer' }, '9007199254740991', 9007199254740991],
    [{ to: 'integer' }, ' 1', 1],
    [{ to: 'integer' }, '\u3000\uFF11\uFF12\u3000', 12],
    [{ to: 'integer' }, '\uFF0D3', -3],
    [{ to: 'integer' }, '12.', 12],
    [{ to: 'number' }, '\uFF11\uFF0E\uFF15', 1.5],
    [{ to: 'number' }, ' 3. ', 3],
    [{ to: 'datetime' }, 1700000000, '2023-11-15 06:13:20'],
    [{ to: 'datetime' }, '1700000000000', '2023-11-15 06:13:20'],
    [{ to: 'datetime' }, '2024-02-03', '2024-02-03 00:00:00'],
    [{ to: 'datetime' }, '2024-02-03T04:05:06Z', '2024-02-03 12:05:06'],
    [{ to: 'datetime' }, '2024年2月3日 4:05', '2024-02-03 04:05:00'],
    [{ to: 'datetime' }, null, null],
    [{ to: 'integer', prefix: 'group' }, 'group1', 1],
    [{ to: 'integer', prefix: 'group' }, '12', 12],
    [{ to: 'integer', prefix: 'group' }, 12, 12],
    [{ to: 'integer', prefix: '1' }, '15', 15],
    [{ to: 'number' }, 1.5, 1.5],
    [{ to: 'number' }, '1.50', 1.5],
    [{ to: 'number' }, '-0.25', -0.25],
    [{ to: 'number' }, big, big],
    [{ to: 'number' }, '12345678.0000000000', 12345678],
    [{ to: 'number' }, '1234567890.12340000000', 1234567890.1234],
    [{ to: 'number' }, '0.1234567890123456', 0.1234567890123456],
    [{ to: 'number' }, '123456789012345678.55', new ExactNumber('123456789012345678.55')],
    [{ to: 'number' }, new ExactNumber('123456789012345678.55'), new ExactNumber('123456789012345678.55')],
    [{ to: 'string' }, new ExactNumber('123456789012345678.55'), '123456789012345678.55'],
    [{ to: 'string' }, new ExactNumber('1e400'), '1e400'],
    [{ to: 'string' }, 5, '5'],
    [{ to: 'string' }, big, '812252963824298001'],
    [{ to: 'string' }, false, 'false'],
    [{ to: 'string' }, '产品A', '产品A'],
    [{ to: 'boolean' }, '1', true],
    [{ to: 'boolean' }, 0, false],
    [{ to: 'boolean' }, 'false', false],
    [{ to: 'object' }, { a: 1 }, { a: 1 }],
    [{ to: 'array' }, [1], [1]],
  ])('%o: %o becomes %o', (conversion, value, expected) => {
    expect(convert(value, conversion)).toEqual({ value: expected });
  });
});

describe('what does not match the rule is refused, not guessed', () => {
  test.each<[Conversion, JsonValue, string]>([
    [{ to: 'integer' }, 'group1', '"group1" is no integer: plain digits'],
    [{ to: 'integer', prefix: 'group' }, 'Group1', '"Group1" is no integer: plain digits, or digits after "group"'],
    [{ to: 'integer', prefix: 'group' }, 'group', 'is no integer'],
    [{ to: 'integer', prefix: 'group' }, 'group-1', 'is no integer'],
    [{ to: 'integer', prefix: 'group' }, 'group1a', 'is no integer'],
    [{ to: 'integer' }, '', 'is no integer'],
    [{ to: 'integer' }, '1.0', 'is no integer'],
    [{ to: 'integer' }, '.', 'is no integer'],
    [{ to: 'integer' }, '1 2', 'is no integer'],
    [{ to: 'integer', prefix: 'group' }, 'group\uFF11', 'is no integer'],
    [{ to: 'number' }, '1,000', 'is no number'],
    [{ to: 'datetime' }, '2024-02-30', '"2024-02-30" is no time'],
    [{ to: 'datetime' }, 'soon', 'is no time'],
    [{ to: 'datetime' }, 1e15, 'is no time'],
    [{ to: 'integer' }, '0x10', 'is no integer'],
    [{ to: 'integer' }, 1.5, 'is no integer'],
    [{ to: 'integer' }, true, 'is no integer'],
    [{ to: 'integer' }, [1], 'a list is no integer'],
    [{ to: 'integer' }, 1e21, 'past 2^53'],
    [{ to: 'integer' }, '9007199254740992', 'past 2^53'],
    [{ to: 'integer', prefix: 'group' }, 'group9007199254740993', 'past 2^53'],
    [{ to: 'number' }, '1e3', 'is no number'],
    [{ to: 'number' }, '9007199254740993.0', 'past 2^53'],
    [{ to: 'number' }, new ExactNumber('1e400'), '1e400 is no number of double precision'],
    [{ to: 'number' }, new ExactNumber('1e-401'), 'is no number of double precision'],
    [{ to: 'integer' }, new ExactNumber('1e400'), '1e400 is past 2^53'],
    [{ to: 'integer' }, new ExactNumber('123456789012345678.55'), 'is no integer'],
    [{ to: 'boolean' }, new ExactNumber('1e400'), 'is no true or false'],
    [{ to: 'object' }, new ExactNumber('1e400'), 'is no object'],
    [{ to: 'number' }, '9007199254740993', 'past 2^53'],
    [{ to: 'string' }, { a: 1 }, 'an object is no text'],
    [{ to: 'boolean' }, 'yes', 'is no true or false'],
    [{ to: 'object' }, [1], 'a list is no object'],
    [{ to: 'array' }, 'a', 'is no list'],
  ])('%o: %o', (conversion, value, reason) => {
    expect(convert(value, conversion)).toEqual({ reason: expect.stringContaining(reason) });
  });

  test('a long value is shortened in the reason', () => {
    const converted = convert('x'.repeat(500), { to: 'integer' });
    expect('reason' in converted && converted.reason.length).toBeLessThan(100);
  });
});

test('minus zero becomes zero', () => {
  expect(convert(-0, { to: 'integer' })).toEqual({ value: 0 });
  expect(convert('-0', { to: 'integer' })).toEqual({ value: 0 });
});

test('every integer that a double holds exactly survives as text, none past 2^53 does', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }), (integer) => {
      const converted = convert(integer.toString(), { to: 'integer' });
      if ('value' in converted) expect(BigInt(converted.value as number)).toBe(integer);
      else expect(integer < -(2n ** 53n) + 1n || integer > 2n ** 53n - 1n).toBe(true);
    }),
  );
});
