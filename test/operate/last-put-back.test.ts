import { expect, test } from 'vitest';
import { lastPutBack } from '../../lib/operate/pauses.ts';

test.each([
  ['', undefined],
  ['{"message":"loaded"}\n', undefined],
  ['{"cause":"dns"}\n', { cause: 'dns' }],
  ['{"cause":"status","status":503}\n{"message":"loaded"}\n', { cause: 'status', status: 503 }],
  ['{"cause":"dns"}\n{"cause":"refused"}\n', { cause: 'refused' }],
  // The beginning of the tail may be the end of a line, and its last line may still be written.
  ['ns"}\n{"cause":"timeout"}\n{"cause":"re', { cause: 'timeout' }],
  ['{"cause":7}\n["cause"]\nnull\n', undefined],
])('the log %j says that records were last put back for %j', (log, expected) => {
  expect(lastPutBack(log)).toEqual(expected);
});
