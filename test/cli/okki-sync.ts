import { execFile } from 'node:child_process';
import path from 'node:path';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');

/** How a command of the program ended, as its caller sees it. */
export type Ended = { exitCode: number; stdout: string; stderr: string };

/** Runs the program in a process of its own, without the caller's connections. */
export const okkiSync = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const clean = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env };
    execFile(process.execPath, [MAIN, ...args], { env: clean }, (error, stdout, stderr) => {
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });

/** The one JSON object that a command with `--json` prints. Throws with all that it printed where there is none. */
export const jsonOf = <Shape>({ stdout, stderr }: Ended): Shape => {
  try {
    return JSON.parse(stdout) as Shape;
  } catch (cause) {
    throw new Error(`not one JSON object:\n${stdout}\n${stderr}`, { cause });
  }
};
