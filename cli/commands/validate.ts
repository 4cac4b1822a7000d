import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyReading } from '../../lib/integration/check/keys.ts';
import { checkFiles, type FileChecked } from '../../lib/operate/check-files.ts';
import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import { describeFault } from '../../lib/runtime/fault.ts';
import { SHIPPED_DIR } from '../input/integration-choice.ts';
import { UsageError } from '../input/usage-error.ts';
import { table } from '../screen/table.ts';
import { print, shown } from '../terminal/print.ts';

const filesAt = (path: string): string[] => {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new UsageError(`There is no file or folder ${path}.`);
  if (!stat.isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(path, name));
};

const words: Readonly<Record<KeyReading['as'], string>> = {
  honoured: '✓ honoured 执行',
  noted: '· noted 仅说明',
  ignored: '– ignored 忽略',
  refused: '✗ refused 拒绝',
  unknown: '? unknown 未知',
  unused: '· unused 未使用',
};

const MAX_CELL_COLUMNS = 110;

const blockText = (keys: readonly KeyReading[], side: KeyReading['side']): string => {
  const rows = keys
    .filter((one) => one.side === side)
    .map(({ key, as, why, position: { line, column } }) => [key, words[as], `${line}:${column}`, why]);
  if (rows.length === 0) return '';
  const text = table([`${side}.metadata`, 'reading 处理', 'line 行', 'what or why 说明'], rows, MAX_CELL_COLUMNS);
  return `\n${text.replace(/^/gm, '    ')}\n`;
};

const fileText = ({ file, faults, warnings, keys }: FileChecked): string => {
  const lines = [
    `${faults.length > 0 ? '✗' : '✓'} ${file}`,
    ...faults.map((fault) => `    fault    ${describeFault(fault)}`),
    ...warnings.map((warning) => `    warning  ${describeFault(warning)}`),
  ];
  return `${lines.join('\n')}\n${blockText(keys, 'source')}${blockText(keys, 'target')}\n`;
};

/** Checks files one by one: every fault and warning with its place, and how each key of the pasted blocks is read. */
export const validateCommand = async (paths: readonly string[], flags: { json?: boolean }): Promise<ExitCode> => {
  const files = (paths.length > 0 ? paths : [SHIPPED_DIR]).flatMap(filesAt);
  const { byFile, ...all } = checkFiles(files.map((file) => ({ file, content: readFileSync(file) })));
  print(flags.json ? `${JSON.stringify(all)}\n` : byFile.map((one) => fileText(shown(one))).join(''));
  return all.faults.length > 0 ? exitCodes.usage : exitCodes.ok;
};
