import type { Command, Option } from 'commander';
import type { Env } from '../../lib/connection/secrets.ts';
import { UsageError } from './usage-error.ts';

/**
 * Options of ours that npm has, too (`npm config ls -l`). Its own configuration may set them, so they prove nothing and
 * are never taken for given.
 */
const ALSO_NPM = ['yes', 'json', 'all', 'force'];
/** As above; but what was meant to be looked at only must not be done. */
const DRY_RUN = '--dry-run';
/** Set by whoever builds native modules for Electron: counts only for the command that has it. */
const ALSO_BUILD_TOOLS = ['target'];

const variableOf = ({ long }: Option): string => `npm_config_${(long ?? '').slice(2).replaceAll('-', '_')}`;
const nameOf = ({ long }: Option): string => (long ?? '').slice(2);

const allCommands = (command: Command): Command[] => [command, ...command.commands.flatMap(allCommands)];

/** The command that the words name, and the words that are not its name. */
const commandMeant = (
  program: Command,
  words: readonly string[],
): { command: Command; path: string[]; rest: string[] } => {
  let command = program;
  const path: string[] = [];
  const rest: string[] = [];
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined || word.startsWith('-')) rest.push(word);
    else {
      command = next;
      path.push(word);
    }
  }
  const run = program.commands.find((one) => one.name() === 'run');
  return { command: command === program && run !== undefined ? run : command, path, rest };
};

/**
 * Refuses options that were typed without `--` before them: npm takes them for its own and leaves them in `npm_config_*`
 * variables, and the program would do something else than was meant. Throws UsageError with the command as it should be
 * typed. `sending` names the commands that send or delete.
 */
export const checkNpmOptions = (
  program: Command,
  words: readonly string[],
  env: Env,
  sending: ReadonlySet<string>,
): void => {
  const { command, path, rest } = commandMeant(program, words);
  const swallowed = allCommands(program)
    .flatMap(({ options }) => options)
    .filter((option, index, all) => all.findIndex(({ long }) => long === option.long) === index)
    .filter((option) => (env[variableOf(option)] ?? '') !== '')
    .filter((option) => {
      const name = nameOf(option);
      if (ALSO_NPM.includes(name)) return false;
      if (option.long === DRY_RUN) return sending.has(path.join(' ') || 'run') && !words.includes(DRY_RUN);
      return !ALSO_BUILD_TOOLS.includes(name) || command.options.some(({ long }) => long === option.long);
    });
  if (swallowed.length === 0) return;
  // npm leaves the value of `--stage prod` among the words, and keeps that of `--stage=prod`.
  const left = swallowed
    .filter(({ required }) => required)
    .flatMap((option) => keptIn(env[variableOf(option)] ?? '').filter((value) => value === 'true')).length;
  const own = rest.slice(0, Math.min(command.registeredArguments.length, Math.max(0, rest.length - left)));
  const values = rest.slice(own.length);
  const options = swallowed.flatMap((option) => optionWords(option, env[variableOf(option)] ?? '', values));
  const hasDryRun = command.options.some(({ long }) => long === DRY_RUN);
  const typed =
    options.includes(DRY_RUN) && !hasDryRun
      ? ['plan', ...options.filter((word) => word !== DRY_RUN)]
      : [...path, ...own, ...values, ...options];
  const names = swallowed.map(({ long }) => long).join(', ');
  throw new UsageError(
    `npm kept ${names} for itself: what belongs to okki-sync comes after "--". Nothing was done. 选项要写在 -- 之后。Type 请输入:\n  npm start -- ${typed.map(quoted).join(' ')}`,
  );
};

/** npm joins what was given several times. */
const keptIn = (kept: string): string[] => kept.split('\n\n');

/** An option as it is typed; takes its value from the words where npm left it there. */
const optionWords = (option: Option, kept: string, words: string[]): string[] =>
  keptIn(kept).flatMap((value) => {
    const name = option.long ?? '';
    if (!option.required && !option.optional) return [name];
    if (value !== 'true') return [name, value];
    return [name, words.shift() ?? option.flags.replace(/^.*?(?=<)/, '')];
  });

const quoted = (word: string): string =>
  /^[\w@%+=:,./<>|-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
