import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(ROOT, 'cli', 'main.ts');

export type Env = Readonly<Record<string, string>>;

/** A run of the program that has ended. */
export type Ended = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };

export type Started = {
  kill(signal: NodeJS.Signals): void;
  /** When the words have been printed, on stdout or stderr; fails where the program ends without them. */
  printed(words: string | RegExp): Promise<string>;
  ended: Promise<Ended>;
};

/** Starts the program as a process of its own, with no variables but those given. */
export const startProgram = (args: readonly string[], env: Env = {}): Started => {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  // Node compiles the program once for all the processes of a test run.
  const cache = join(tmpdir(), 'node-compile-cache');
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: ROOT,
    env: { PATH, HOME, NODE_COMPILE_CACHE: cache, ...(TMPDIR && { TMPDIR }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const look of watchers) look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const look of watchers) look();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    kill: (signal) => void child.kill(signal),
    printed: (words) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = (stdout + stderr).match(words)?.[0];
          if (found === undefined) return;
          watchers.delete(look);
          resolve(found);
        };
        watchers.add(look);
        look();
        void ended.then(() => reject(new Error(`ended without saying ${words}:\n${stderr}`)));
      }),
    ended,
  };
};

/** Runs the program to its end. */
export const program = (args: readonly string[], env: Env = {}): Promise<Ended> => startProgram(args, env).ended;

export type Counts = Record<
  | 'fetched'
  | 'filtered'
  | 'invalid'
  | 'merged'
  | 'unchanged'
  | 'skipped'
  | 'waiting'
  | 'enqueued'
  | 'loaded'
  | 'superseded'
  | 'rejected'
  | 'uncertain'
  | 'open',
  number
>;
export type Report = {
  runId: string;
  integration: string;
  status: string;
  counts: Counts;
  vanished: number;
  deadLetters: number;
  balanced: boolean;
  requests: { source: number; target: number };
  durationMs: number;
};

/** `run --json` with its report. */
export const runJson = async (args: readonly string[], env: Env = {}): Promise<Ended & { report: Report }> => {
  const ended = await program(['run', '--json', ...args], env);
  return { ...ended, report: jsonOf<Report>(ended) };
};

const dirs: string[] = [];
afterAll(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** A folder of its own, removed when the test file is through. */
export const newDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'okki-journey-'));
  dirs.push(dir);
  return dir;
};

/**
 * The one JSON object that a command with `--json` prints on one line. Throws with all that it printed where stdout holds
 * anything else.
 */
export const jsonOf = <Shape>({ code, stdout, stderr }: Ended): Shape => {
  if (!/^\{.*\}\n$/.test(stdout)) throw new Error(`not one JSON object (exit ${code}): ${stdout}\n${stderr}`);
  return JSON.parse(stdout) as Shape;
};

/** The counts that are not zero. */
export const nonZero = (counts: Counts): Partial<Counts> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
