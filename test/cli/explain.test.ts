import { CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import { explain } from '../../cli/explain.ts';
import { UsageError } from '../../cli/input/usage-error.ts';
import { ItemBusyError } from '../../lib/operate/close-letters.ts';
import { RunNotStartedError } from '../../lib/operate/run-now.ts';
import { ConfigurationError } from '../../lib/runtime/fault.ts';
import { SandboxPortError, StoreFileError } from '../../local/sandbox/sandbox.ts';
import {
  DataDirInUseError,
  DataDirUnreadableError,
  FunctionError,
  ServiceFileError,
} from '../../local/stack/errors.ts';

const fault = { file: 'a.json', path: 'name', expected: 'a text', found: 'nothing' };

describe('what an operator can mend is explained in words, without a stack:', () => {
  test.each<[Error, exit: number]>([
    [new UsageError('no such run'), 2],
    [new ConfigurationError([fault]), 2],
    [new DataDirInUseError('.local', 7), 2],
    [new DataDirUnreadableError('.local', 'folder', new Error('EACCES')), 2],
    [new ServiceFileError('provider', 'missing'), 2],
    [new SandboxPortError('port 1 is taken'), 2],
    [new StoreFileError('line 3 is torn'), 2],
    [new RunNotStartedError('nobody took it'), 3],
    [new ItemBusyError('being written'), 3],
    [new FunctionError('load', { errorType: 'Error', errorMessage: 'boom' }), 3],
  ])('%s', (error, exit) => {
    const explained = explain(error);
    expect(explained.exit).toBe(exit);
    expect(explained.words.endsWith(error.message)).toBe(true);
    expect(explained.words).not.toContain(' at ');
  });
});

test('a bug is shown whole', () => {
  const error = new TypeError('x is not a function');
  expect(explain(error)).toEqual({ code: 'unexpected', words: error.stack, exit: 3 });
  expect(explain('thrown text')).toEqual({ code: 'unexpected', words: 'thrown text', exit: 3 });
});

test.each([
  ['help', 0, 0],
  ['an unknown option', 1, 2],
])('commander has printed its own words: %s', (_, exitCode, exit) => {
  expect(explain(new CommanderError(exitCode, 'commander', ''))).toEqual({ code: 'commander', words: '', exit });
});

const coded = (code: string, message: string, cause?: unknown) =>
  Object.assign(new Error(message, { cause }), { code });

describe('what the machine has too little of is one sentence, and exit 3:', () => {
  test.each<[Error, code: string]>([
    [coded('ENOSPC', 'ENOSPC: no space left on device, write'), 'disk-full'],
    [coded('LEVEL_IO_ERROR', 'IO error: tables/000005.log: No space left on device'), 'disk-full'],
    [coded('ERR_SQLITE_ERROR', 'database or disk is full'), 'disk-full'],
    [new AggregateError([coded('EDQUOT', 'EDQUOT: disk quota exceeded')], 'several'), 'disk-full'],
    [
      new DataDirUnreadableError('.local', 'tables', coded('EMFILE', 'EMFILE: too many open files')),
      'too-many-open-files',
    ],
    [coded('LEVEL_IO_ERROR', 'IO error: tables/LOCK: Too many open files'), 'too-many-open-files'],
    [new Error('failed', { cause: coded('ENFILE', 'file table overflow') }), 'too-many-open-files'],
  ])('%s', (error, code) => {
    const explained = explain(error);
    expect(explained).toMatchObject({ code, exit: 3 });
    expect(explained.words).toContain('Nothing is lost');
    expect(explained.words).not.toContain('\n');
  });
});
