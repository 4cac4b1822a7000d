import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue, parseJson, stringifyJson } from '../../lib/json/json.ts';

export const targets = ['qingyiyun', 'crm'] as const;
export type Target = (typeof targets)[number];

export const isTarget = (name: unknown): name is Target => (targets as readonly unknown[]).includes(name);

/** One record in a target, with the evidence of how it came there. */
export type StoredRecord = {
  id: string;
  content: JsonObject;
  /** How often it was written. Repeats under a known Idempotency-Key do not count. */
  applied: number;
  /** The Idempotency-Keys it was written under, each once, oldest first. */
  keys: string[];
  firstMs: number;
  lastMs: number;
};

/** The answer once given under an Idempotency-Key, and to which request. */
export type KnownKey = { request: string; answer: JsonValue };

/** One applied request, as it is kept: a line of the store file. */
export type Application = {
  target: Target;
  atMs: number;
  rows: { id: string; content: JsonObject }[];
  key?: string;
  /** Fingerprint of the request body; with `key`. */
  request?: string;
  /** With `key`. */
  answer?: JsonValue;
};

export type TargetStore = {
  /** On disk before this returns: a process that is killed afterwards has applied the request. */
  apply(application: Application): void;
  has(target: Target, id: string): boolean;
  known(target: Target, key: string): KnownKey | undefined;
  /** In the order in which the ids were first seen. */
  records(target: Target): StoredRecord[];
  count(target: Target): number;
  close(): void;
};

/** A store file that is none; the message names file and line. */
export class StoreFileError extends Error {
  override readonly name = 'StoreFileError';
  readonly code = 'store-file';
}

/**
 * The targets' content: in memory, and with `file` also in JSON lines that are only appended to. A last line without a
 * line end is a write that a kill interrupted; it counts as never made. Throws StoreFileError for any other line that
 * cannot be read.
 */
export const openTargetStore = (file?: string): TargetStore => {
  const records = { qingyiyun: new Map<string, StoredRecord>(), crm: new Map<string, StoredRecord>() };
  const keys = { qingyiyun: new Map<string, KnownKey>(), crm: new Map<string, KnownKey>() };

  const remember = ({ target, atMs, rows, key, request, answer }: Application): void => {
    for (const { id, content } of rows) {
      const record = records[target].get(id) ?? { id, content, applied: 0, keys: [], firstMs: atMs, lastMs: atMs };
      record.content = content;
      record.applied += 1;
      record.lastMs = atMs;
      if (key !== undefined && !record.keys.includes(key)) record.keys.push(key);
      records[target].set(id, record);
    }
    if (key !== undefined && request !== undefined) keys[target].set(key, { request, answer: answer ?? null });
  };

  if (file !== undefined) for (const application of readApplications(file)) remember(application);
  let descriptor = file === undefined ? undefined : openSync(file, 'a');

  return {
    apply: (application) => {
      if (descriptor !== undefined) writeSync(descriptor, `${stringifyJson(application as unknown as JsonObject)}\n`);
      remember(application);
    },
    has: (target, id) => records[target].has(id),
    known: (target, key) => keys[target].get(key),
    records: (target) => [...records[target].values()].map((record) => ({ ...record, keys: [...record.keys] })),
    count: (target) => records[target].size,
    close: () => {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
};

/** Removes one target's records from a store file, and lines that cannot be read. The other targets keep theirs. */
export const forgetTarget = (file: string, target: Target): void => {
  if (!existsSync(file)) return;
  const lines = readFileSync(file, 'utf8').split('\n');
  const kept = lines.filter((line) => (parseApplication(line)?.target ?? target) !== target);
  writeFileSync(file, kept.map((line) => `${line}\n`).join(''));
};

const readApplications = (file: string): Application[] => {
  mkdirSync(dirname(file), { recursive: true });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw new StoreFileError(`${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) truncateSync(file, Buffer.byteLength(whole));
  return whole
    .split('\n')
    .slice(0, -1)
    .map((line, index) => {
      const application = parseApplication(line);
      if (application !== undefined) return application;
      throw new StoreFileError(
        `${file}, line ${index + 1}: not a line of the sandbox's store; remove the file to start anew`,
      );
    });
};

const parseApplication = (line: string): Application | undefined => {
  try {
    const value = parseJson(line);
    if (!isJsonObject(value) || !isTarget(value.target) || typeof value.atMs !== 'number') return undefined;
    const rows = Array.isArray(value.rows) ? value.rows : [];
    const isWhole = rows.every((row) => isJsonObject(row) && typeof row.id === 'string' && isJsonObject(row.content));
    // Checked above as far as `remember` reads it.
    return isWhole ? ({ ...value, rows } as unknown as Application) : undefined;
  } catch {
    return undefined;
  }
};
