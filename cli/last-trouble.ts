import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Enough for a few dozen lines. */
const TAIL_BYTES = 16_384;

/** What the causes of a POST that did not load are to a person. */
const words: Readonly<Record<string, string>> = {
  dns: 'host name not found',
  refused: 'connection refused',
  unreachable: 'no connection',
  timeout: 'no answer in time',
  reset: 'connection broken',
  tooLarge: 'answer too large',
  throttled: 'rate limit',
  'no-token': 'no token',
};

/**
 * Why records were last put back, in a few words, from the end of the load function's log: the queue itself does not
 * tell. Undefined where the log says nothing of it or cannot be read.
 */
export const lastTrouble = (logFile: string): string | undefined => {
  for (const line of tailOf(logFile).split('\n').reverse()) {
    const trouble = troubleIn(line);
    if (trouble !== undefined) return trouble;
  }
  return undefined;
};

const tailOf = (file: string): string => {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const { size } = fstatSync(descriptor);
      const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
      readSync(descriptor, tail, 0, tail.length, size - tail.length);
      return tail.toString('utf8');
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return '';
  }
};

const troubleIn = (line: string): string | undefined => {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof entry !== 'object' || entry === null || !('cause' in entry) || typeof entry.cause !== 'string') {
    return undefined;
  }
  if ('status' in entry && typeof entry.status === 'number') return `HTTP ${entry.status}`;
  return words[entry.cause] ?? entry.cause;
};
