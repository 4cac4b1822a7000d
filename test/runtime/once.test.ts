import { expect, it } from 'vitest';
import { once } from '../../lib/runtime/once.ts';

it('makes its value at the first call and gives the same one ever after, undefined too', () => {
  let made = 0;
  const value = once(() => ({ number: ++made }));
  expect(made).toBe(0);
  expect(value()).toBe(value());
  expect(made).toBe(1);
  const nothing = once(() => {
    made += 1;
  });
  nothing();
  nothing();
  expect(made).toBe(2);
});

it('does not remember a failure', () => {
  let calls = 0;
  const value = once(() => {
    calls += 1;
    if (calls === 1) throw new Error('not yet');
    return calls;
  });
  expect(value).toThrow('not yet');
  expect([value(), value()]).toEqual([2, 2]);
});
