import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isJsonObject, type JsonValue, parseJson } from '../json/json.ts';
import { valueAt } from '../json/path.ts';
import { ConfigurationError, describeFound, type Fault, type FaultPath, formatPath } from '../runtime/fault.ts';
import { decodeUtf8, type NotUtf8Error } from '../runtime/utf8.ts';
import { findInBlocks } from './check/blocks.ts';
import { findContradictions } from './check/contradictions.ts';
import { doubtsIn } from './check/doubts.ts';
import { type KeyReading, keyReadings } from './check/keys.ts';
import { positionAt, positionsOf } from './check/positions.ts';
import { checkShape, type Finding } from './check/shape.ts';
import { readRequests } from './dialect/request-fields.ts';
import { fillIn } from './fill/fill-in.ts';
import { type FindProfile, profilesBeside } from './fill/profile.ts';
import type { Integration } from './schema/schema.ts';

/** What a file came to: an integration if it has no faults. Warnings name what is kept, and what the run goes on without. */
export type Checked = {
  integration?: Integration;
  faults: Fault[];
  warnings: Fault[];
  /** How each key of the two pasted blocks is read, in the order of the file. */
  keys: KeyReading[];
};

/**
 * Checks the text of an integration file, or its bytes; all faults at once, in the order of the file. Never throws. A profile that
 * is no shipped one is read from beside the file.
 */
export const parseIntegration = (
  content: string | Uint8Array,
  file: string,
  findProfile: FindProfile = profilesBeside(file),
): Checked => {
  let plain: string;
  try {
    plain = typeof content === 'string' ? content.replace(/^\uFEFF/, '') : decodeUtf8(content, file);
  } catch (error) {
    return { faults: [encodingFault(error as NotUtf8Error, file)], warnings: [], keys: [] };
  }
  let raw: JsonValue;
  try {
    raw = parseJson(plain);
  } catch (error) {
    return { faults: [syntaxFault(error as SyntaxError, plain, file)], warnings: [], keys: [] };
  }
  const positions = positionsOf(plain);
  const requests = readRequests(raw);
  const filled = fillIn(raw, requests, findProfile);
  const shape = checkShape(filled.raw);
  const found: Finding[] = [
    ...('findings' in shape ? shape.findings : []),
    ...positions.repeatedKeys.map((path): Finding => ({ kind: 'fault', path, expected: 'every key once' })),
    ...filled.findings,
    ...findContradictions(filled.raw, requests),
    ...findInBlocks({ raw, filled: filled.raw, requests }),
    ...doubtsIn(raw, filled.raw, requests),
    ...nameWarning(raw, file),
  ];
  const told = (kind: Finding['kind']): Fault[] => {
    // The first word on a place is the most basic one: the others follow from it.
    const byPath = new Map<string, Fault>();
    for (const { path, expected } of found.filter((finding) => finding.kind === kind)) {
      const key = formatPath(path);
      if (byPath.has(key)) continue;
      const found = describeFound(valueAt(raw, path), path, fieldAround(raw, path));
      byPath.set(key, { file, path: key, position: positions.of(path), found, expected });
    }
    return [...byPath.values()].sort(inFileOrder);
  };
  const faults = told('fault');
  const warnings = told('warning');
  return {
    ...('integration' in shape && faults.length === 0 ? { integration: shape.integration } : {}),
    faults,
    warnings,
    keys: keyReadings(raw, filled.raw, positions, faults, warnings),
  };
};

/** The name of the request's field whose value stands at a path. */
const fieldAround = (raw: JsonValue, path: FaultPath): string | undefined => {
  const around = valueAt(raw, path.slice(0, -1));
  return isJsonObject(around) && typeof around.field === 'string' ? around.field : undefined;
};

const inFileOrder = ({ position: a }: Fault, { position: b }: Fault): number =>
  a === undefined || b === undefined ? 0 : a.line - b.line || a.column - b.column;

// V8's message names the place, except where the text ends too early.
const syntaxFault = ({ message }: SyntaxError, text: string, file: string): Fault => ({
  file,
  path: '',
  position: positionAt(text, Number(/at position (\d+)/.exec(message)?.[1] ?? text.length)),
  found: message.replace(/ at position \d+.*/s, '').replace(/, (?:\.{3})?"[\s\S]*/, ''),
  expected: 'JSON, without comments and trailing commas',
});

const nameWarning = (raw: JsonValue, file: string): Finding[] => {
  const name = (raw as { name?: unknown } | null)?.name;
  const expected = `the name of its file, ${JSON.stringify(basename(file, '.json'))}`;
  return typeof name === 'string' && name !== basename(file, '.json')
    ? [{ kind: 'warning', path: ['name'], expected }]
    : [];
};

const encodingFault = ({ line }: NotUtf8Error, file: string): Fault => ({
  ...wholeFile(file, 'a file saved as UTF-8 (请另存为 UTF-8)', `bytes that are no UTF-8, first in line ${line}`),
  position: { line, column: 1 },
});

const wholeFile = (file: string, expected: string, found: string): Fault => ({ file, path: '', expected, found });

/** The files behind a path: a folder stands for the `.json` files in it. */
const filesAt = (path: string): { files: string[]; faults: Fault[] } => {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return { files: [], faults: [wholeFile(path, 'a file or a folder', 'nothing')] };
  if (!stat.isDirectory()) return { files: [path], faults: [] };
  const files = readdirSync(path)
    .filter((name) => name.endsWith('.json') && !name.endsWith('.schema.json'))
    .sort()
    .map((name) => join(path, name));
  return {
    files,
    faults: files.length > 0 ? [] : [wholeFile(path, 'at least one integration file (.json)', 'none')],
  };
};

const checkFile = (file: string): Checked => {
  try {
    return parseIntegration(readFileSync(file), file);
  } catch (error) {
    return {
      faults: [wholeFile(file, 'a readable file', (error as NodeJS.ErrnoException).code ?? 'an error')],
      warnings: [],
      keys: [],
    };
  }
};

/**
 * Reads integration files and folders of them.
 *
 * Throws ConfigurationError with the faults of all files at once; a name used twice is one.
 */
export const readIntegrations = (paths: readonly string[]): { integrations: Integration[]; warnings: Fault[] } => {
  const found = paths.map(filesAt);
  const checked = found.flatMap(({ files }) => files).map((file) => ({ file, ...checkFile(file) }));
  const faults = [...found, ...checked].flatMap((one) => one.faults);
  const fileOf = new Map<string, string>();
  const integrations: Integration[] = [];
  for (const { file, integration } of checked) {
    if (integration === undefined) continue;
    const { name } = integration;
    const other = fileOf.get(name);
    if (other !== undefined) {
      faults.push({
        file,
        path: 'name',
        expected: `a name of its own, since ${other} has this one`,
        found: `"${name}"`,
      });
      continue;
    }
    fileOf.set(name, file);
    integrations.push(integration);
  }
  if (faults.length > 0) throw new ConfigurationError(faults);
  return { integrations, warnings: checked.flatMap((one) => one.warnings) };
};
