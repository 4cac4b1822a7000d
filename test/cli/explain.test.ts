import { CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import { explain } from '../../cli/explain.ts';
import { UsageError } from '../../cli/input/usage-error.ts';
import { ItemBusyError } from '../../lib/operate/change-item.ts';
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
    expect(explained.words.endsWith(`${error.message}\n`)).toBe(true);
    expect(explained.words).not.toContain(' at ');
  });
});

test('a bug is shown whole', () => {
  const error = new TypeError('x is not a function');
  expect(explain(error)).toEqual({ words: `${error.stack}\n`, exit: 3 });
  expect(explain('thrown text')).toEqual({ words: 'thrown text\n', exit: 3 });
});

test.each([
  ['help', 0, 0],
  ['an unknown option', 1, 2],
])('commander has printed its own words: %s', (_, exitCode, exit) => {
  expect(explain(new CommanderError(exitCode, 'commander', ''))).toEqual({ words: '', exit });
});
