import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { profileNames } from '../../lib/integration/fill/profile.ts';
import { parseIntegration } from '../../lib/integration/read.ts';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parsedOrUndefined,
  parseJson,
  stringifyJson,
} from '../../lib/json/json.ts';
import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import {
  type Answers,
  draftIntegration,
  type Question,
  questionsFor,
  withoutSecrets,
} from '../../lib/operate/integration-draft.ts';
import { describeFault } from '../../lib/runtime/fault.ts';
import { UsageError } from '../input/usage-error.ts';

export type InitFlags = {
  /** Files with the two pasted blocks; absent: one JSON array of both, or one after the other, on stdin. */
  source?: string;
  target?: string;
  /** Where the file goes; absent: `integrations/NAME.json`. */
  out?: string;
  /** Answers given beforehand, `key=value`. */
  set?: string[];
};

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new UsageError(`There is no readable file ${file}.`);
  }
};

const asBlock = (text: string, what: string): JsonObject => {
  let value: unknown;
  try {
    value = parseJson(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UsageError(`${what} is not JSON: ${(error as SyntaxError).message}`);
  }
  if (!isJsonObject(value)) throw new UsageError(`${what} is not a JSON object.`);
  return value;
};

/** Two objects on stdin: as one array, or one after the other. */
const blocksIn = (text: string): [JsonObject, JsonObject] => {
  const plain = text.replace(/^\uFEFF/, '').trim();
  const listed = parsedOrUndefined(plain);
  if (Array.isArray(listed) && listed.length === 2 && isJsonObject(listed[0]) && isJsonObject(listed[1])) {
    return [listed[0], listed[1]];
  }
  // The first object ends at the first brace up to which the text is JSON.
  for (let end = plain.indexOf('}') + 1; end > 0; end = plain.indexOf('}', end) + 1) {
    const first = parsedOrUndefined(plain.slice(0, end));
    if (!isJsonObject(first)) continue;
    const second = parsedOrUndefined(plain.slice(end).replace(/^\s*,/, ''));
    if (isJsonObject(second)) return [first, second];
    break;
  }
  throw new UsageError('On stdin: two JSON objects are expected, the source block and then the target block.');
};

const readStdin = async (): Promise<string> => {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
  return text;
};

const givenAnswers = (set: readonly string[]): Answers =>
  Object.fromEntries(
    set.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`--set takes key=value, not ${JSON.stringify(pair)}.`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );

/** Asks on the terminal for what is still open; without a terminal the suggestions stand. */
const ask = async (questions: readonly Question[], given: Answers): Promise<Answers> => {
  const known = new Set(questions.map(({ key }) => key));
  const stranger = Object.keys(given).find((key) => !known.has(key));
  if (stranger !== undefined) {
    throw new UsageError(`--set ${stranger}: not asked for. Asked for: ${[...known].join(', ')}.`);
  }
  const answers: Record<string, string> = { ...given };
  const open = questions.filter(({ key }) => answers[key] === undefined);
  if (!process.stdin.isTTY) {
    const missing = open.filter(({ suggestion }) => suggestion === undefined).map(({ key }) => `--set ${key}=…`);
    if (missing.length > 0) throw new UsageError(`Without a terminal these are needed: ${missing.join(' ')}`);
    for (const { key, suggestion = '' } of open) answers[key] = suggestion;
    return answers;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    for (const { key, words, suggestion } of open) {
      let answer = '';
      while (answer === '') {
        const shown = suggestion === undefined ? '' : ` [${suggestion}]`;
        answer = (await terminal.question(`${words}${shown}: `)).trim() || (suggestion ?? '');
      }
      answers[key] = answer;
    }
  } finally {
    terminal.close();
  }
  return answers;
};

const secretWords = (blocks: JsonValue[]): string[] => {
  const names: string[] = [];
  withoutSecrets(blocks, (name) => names.push(name));
  return names.length === 0
    ? []
    : [
        `    Constants that look like credentials were left out and are not sent: ${names.join(', ')}.`,
        '    Set the variables of the connection. 疑似凭据的常量未写入,请设置连接的环境变量。',
      ];
};

/**
 * Writes a new integration file from two pasted blocks. Credentials are never asked for and never written: the file
 * names the environment variables that hold them.
 */
export const initCommand = async (flags: InitFlags): Promise<ExitCode> => {
  if ((flags.source === undefined) !== (flags.target === undefined)) {
    throw new UsageError('--source and --target go together; without both the blocks are read from stdin.');
  }
  const [source, target] =
    flags.source === undefined || flags.target === undefined
      ? blocksIn(await readStdin())
      : [asBlock(readText(flags.source), flags.source), asBlock(readText(flags.target), flags.target)];
  const answers = await ask(questionsFor(source, target, profileNames), givenAnswers(flags.set ?? []));
  const file = flags.out ?? `integrations/${answers.name}.json`;
  if (existsSync(file)) throw new UsageError(`${file} is there already; it is not written over.`);
  const text = `${stringifyJson(draftIntegration(source, target, answers), 2)}\n`;
  const { faults, warnings } = parseIntegration(text, file);
  writeFileSync(file, text);
  const lines = [
    `${faults.length > 0 ? '✗' : '✓'} ${file}`,
    ...faults.map((fault) => `    fault    ${describeFault(fault)}`),
    ...warnings.map((warning) => `    warning  ${describeFault(warning)}`),
    ...secretWords([source, target]),
    '',
    'Next 接下来:',
    `  npm start -- validate ${file}`,
    `  npm start -- plan --integration ${file}`,
    '',
  ];
  process.stdout.write(lines.join('\n'));
  return faults.length > 0 ? exitCodes.usage : exitCodes.ok;
};
