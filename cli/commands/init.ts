import { existsSync, writeFileSync } from 'node:fs';
import { profileNames } from '../../lib/integration/fill/profile.ts';
import { parseIntegration } from '../../lib/integration/read.ts';
import { isJsonObject, type JsonObject, parseJson, stringifyJson } from '../../lib/json/json.ts';
import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import {
  type Answers,
  blocksIn,
  draftIntegration,
  type Question,
  type QuestionKey,
  questionKeys,
  questionsFor,
} from '../../lib/operate/integration-draft.ts';
import { describeFault } from '../../lib/runtime/fault.ts';
import { PASTE_END, readPaste, terminalLines } from '../input/terminal-lines.ts';
import { UsageError } from '../input/usage-error.ts';
import { readUserText, userText } from '../input/user-text.ts';
import { print } from '../terminal/print.ts';

export type InitFlags = {
  /** Files with the two pasted blocks; absent: one JSON array of both, or one after the other, on stdin. */
  source?: string;
  target?: string;
  /** Where the file goes; absent: `integrations/NAME.json`. */
  out?: string;
  /** Answers given beforehand, `key=value`. */
  set?: string[];
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

const readStdin = async (): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return userText(Buffer.concat(chunks), 'What stands on stdin');
};

const isQuestionKey = (key: string): key is QuestionKey => questionKeys.some((known) => known === key);

/** The answers that were given beforehand, to what is asked. Throws UsageError. */
const givenAnswers = (set: readonly string[], questions: readonly Question[]): Answers => {
  const asked = new Set<string>(questions.map(({ key }) => key));
  const answers: Partial<Record<QuestionKey, string>> = {};
  for (const pair of set) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`--set takes key=value, not ${JSON.stringify(pair)}.`);
    const key = pair.slice(0, at);
    if (!isQuestionKey(key) || !asked.has(key)) {
      throw new UsageError(`--set ${key}: not asked for. Asked for: ${[...asked].join(', ')}.`);
    }
    answers[key] = pair.slice(at + 1);
  }
  return answers;
};

const questionWords: Readonly<Record<QuestionKey, string>> = {
  name: 'Name of the integration 集成名',
  title: 'Title for people 标题',
  schedule: 'Schedule 调度',
  sourceName: 'Connection name of the source 源连接名',
  sourceProfile: `Profile of the source (${profileNames.join(', ')}, or a file) 源画像`,
  sourceScope: 'Modules asked for (OAuth scope) 授权范围',
  sourceId: "Path of the record's primary key 主键字段",
  sourceForm: 'Form that is queried (FormId) 查询的业务对象表单 Id',
  targetForm: 'Form that is written (formid) 写入的业务对象表单 Id',
  windowInitial: 'First changes from (Beijing) 首次增量起点',
  targetName: 'Connection name of the target 目标连接名',
  targetProfile: `Profile of the target (${profileNames.join(', ')}, or a file) 目标画像`,
  targetPath: 'Path of the request to the target 目标请求路径',
  onUncertain: 'After an unknown outcome: resend (the target knows the id again) or park (a person decides) 结果未知时',
};

/** What the suggestions give where nobody can be asked. Throws UsageError for what has none. */
const suggestedAnswers = (open: readonly Question[], given: Answers): Answers => {
  const missing = open.filter(({ suggestion }) => suggestion === undefined).map(({ key }) => `--set ${key}=…`);
  if (missing.length > 0) throw new UsageError(`Without a terminal these are needed: ${missing.join(' ')}`);
  return { ...given, ...Object.fromEntries(open.map(({ key, suggestion = '' }) => [key, suggestion])) };
};

/** Asks on the terminal for what is still open; without a terminal the suggestions stand. Throws UsageError. */
const ask = async (questions: readonly Question[], given: Answers): Promise<Answers> => {
  const open = questions.filter(({ key }) => given[key] === undefined);
  if (!process.stdin.isTTY) return suggestedAnswers(open, given);
  const answers: Partial<Record<QuestionKey, string>> = { ...given };
  const lines = terminalLines();
  try {
    for (const { key, suggestion } of open) {
      let answer = '';
      while (answer === '') {
        const shown = suggestion === undefined ? '' : ` [${suggestion}]`;
        const line = await lines.next(`${questionWords[key]}${shown}: `);
        if (line === undefined) throw new UsageError('\nNothing was written. 未写入。');
        answer = line.trim() || (suggestion ?? '');
      }
      answers[key] = answer;
    }
  } finally {
    lines.close();
  }
  return answers;
};

/** What is pasted on the terminal, or all of stdin where there is none. */
const readBlocks = async (): Promise<string> => {
  if (!process.stdin.isTTY) return readStdin();
  print(
    `Paste the source block, then the target block; a line with a single ${PASTE_END} ends the paste.\n请依次粘贴源平台和目标平台的元数据,以单独一行 ${PASTE_END} 结束。\n`,
    process.stderr,
  );
  const lines = terminalLines();
  try {
    return await readPaste(lines);
  } finally {
    lines.close();
  }
};

const secretWords = (leftOut: readonly string[]): string[] =>
  leftOut.length === 0
    ? []
    : [
        `    Constants that look like credentials were left out and are not sent: ${leftOut.join(', ')}.`,
        '    Set the variables of the connection. 疑似凭据的常量未写入,请设置连接的环境变量。',
      ];

/** The two blocks that were pasted. Throws UsageError. */
const pastedBlocks = async (flags: InitFlags): Promise<[JsonObject, JsonObject]> => {
  if (flags.source !== undefined && flags.target !== undefined) {
    return [asBlock(readUserText(flags.source), flags.source), asBlock(readUserText(flags.target), flags.target)];
  }
  if (flags.source !== undefined || flags.target !== undefined) {
    throw new UsageError('--source and --target go together; without both the blocks are read from stdin.');
  }
  const blocks = blocksIn(await readBlocks());
  if (blocks !== undefined) return blocks;
  throw new UsageError(
    'Two JSON objects are expected, the source block and then the target block. 需要源和目标两个 JSON 对象。',
  );
};

/**
 * Writes a new integration file from two pasted blocks. Credentials are never asked for and never written: the file
 * names the environment variables that hold them.
 */
export const initCommand = async (flags: InitFlags): Promise<ExitCode> => {
  const [source, target] = await pastedBlocks(flags);
  const questions = questionsFor(source, target);
  const answers = await ask(questions, givenAnswers(flags.set ?? [], questions));
  const file = flags.out ?? `integrations/${answers.name}.json`;
  if (existsSync(file)) throw new UsageError(`${file} is there already; it is not written over.`);
  const draft = draftIntegration(source, target, answers);
  const text = `${stringifyJson(draft.file, 2)}\n`;
  const { faults, warnings } = parseIntegration(text, file);
  writeFileSync(file, text);
  const lines = [
    `${faults.length > 0 ? '✗' : '✓'} ${file}`,
    ...faults.map((fault) => `    fault    ${describeFault(fault)}`),
    ...warnings.map((warning) => `    warning  ${describeFault(warning)}`),
    ...secretWords(draft.leftOut),
    '',
    'Next 接下来:',
    `  npm start -- validate ${file}`,
    `  npm start -- plan --integration ${file}`,
    '',
  ];
  print(lines.join('\n'));
  return faults.length > 0 ? exitCodes.usage : exitCodes.ok;
};
