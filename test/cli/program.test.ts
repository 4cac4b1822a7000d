import { type Command, CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { explain } from '../../cli/explain.ts';
import { program } from '../../cli/program.ts';

/** What commander says on stderr before it throws. */
const said: string[] = [];
const listen = (command: Command): void => {
  command.configureOutput({ writeErr: (words) => void said.push(words) });
  command.commands.forEach(listen);
};
listen(program);

test.each([
  ['run', '--jsn'],
  ['run', '--limit', '0'],
  ['run', '--limit', 'abc'],
  ['plan', '--limit', '0'],
  ['runs', '--limit', '0'],
  ['record', '1', '--runs', '0'],
  ['dlq', 'list', '--limit', '0'],
  ['dlq', 'list', '--reason', 'no-such-reason'],
  ['dlq', 'replay', '--rate', '0'],
  ['dlq', 'replay', '--rate', 'fast'],
])('%s %s %s %s: what means nothing is bad usage, and is named', async (...words) => {
  said.length = 0;
  const error = await program.parseAsync(words, { from: 'user' }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CommanderError);
  expect(explain(error).exit).toBe(2);
  expect(said.join('')).toContain(words.find((word) => word.startsWith('--')));
});
