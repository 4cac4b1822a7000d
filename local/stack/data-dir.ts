import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DataDirInUseError, DataDirUnreadableError } from './errors.ts';

/** A data directory that this process, and no other, works on until `release`. */
export type DataDir = {
  root: string;
  queues: string;
  tables: string;
  /** How far the tables were written, noted beside them. */
  tablesMark: string;
  logs: string;
  release(): void;
};

const LOCK_FILE = 'lock';
const OWNER_FILE = 'lock.pid';
const SQLITE_BUSY = 5;
/** Tokens and records lie here: nobody but the owner reads them. */
const OWNER_ONLY = 0o700;

/**
 * Takes the data directory for this process alone, and creates it where needed. With `fresh`, its content is deleted,
 * but only once it is taken: never under a running process. Files that this process writes from then on, here or
 * elsewhere, can be read by its owner only. Throws DataDirInUseError or DataDirUnreadableError.
 * The lock is SQLite's lock on an empty database. The kernel releases it however the process ends; a lock file would
 * stay behind. The file with the pid only serves the error message.
 */
export function takeDataDir(root: string, options: { fresh: boolean }): DataDir {
  process.umask(0o777 & ~OWNER_ONLY);
  const lock = usable(root, () => {
    mkdirSync(root, { recursive: true });
    const taken = takeLock(root);
    writeFileSync(join(root, OWNER_FILE), `${process.pid}\n`);
    return taken;
  });
  const dir: DataDir = {
    root,
    queues: join(root, 'queues'),
    tables: join(root, 'tables'),
    tablesMark: join(root, 'tables.mark'),
    logs: join(root, 'logs'),
    release() {
      rmSync(join(root, OWNER_FILE), { force: true });
      lock.close();
    },
  };
  usable(root, () => {
    if (options.fresh) rmSync(dir.tablesMark, { force: true });
    for (const part of [dir.queues, dir.tables, dir.logs]) {
      if (options.fresh) rmSync(part, { recursive: true, force: true });
      mkdirSync(part, { recursive: true });
      // An earlier version may have made it readable for others.
      chmodSync(part, OWNER_ONLY);
    }
  });
  return dir;
}

/** Throws DataDirUnreadableError where the folder cannot be made or written. */
function usable<T>(root: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof DataDirInUseError || cause instanceof DataDirUnreadableError) throw cause;
    throw new DataDirUnreadableError(root, 'folder', cause);
  }
}

function takeLock(root: string): DatabaseSync {
  const database = new DatabaseSync(join(root, LOCK_FILE));
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return database;
  } catch (cause) {
    database.close();
    if (isBusy(cause)) throw new DataDirInUseError(root, readOwner(root));
    throw new DataDirUnreadableError(root, 'lock', cause);
  }
}

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;

function readOwner(root: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(root, OWNER_FILE), 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
