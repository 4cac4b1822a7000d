import { hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';

/** Who works here, for the audit log: the name that the operating system knows, and the machine's. */
export const operatorName = (): string => {
  const host = hostname();
  try {
    return `${userInfo().username}@${host}`;
  } catch {
    // A container may run under a number without a name.
    return `uid ${process.getuid?.() ?? '?'}@${host}`;
  }
};

/** Asks on the terminal (the question goes to stderr); undefined where there is none, or where Ctrl-C or Ctrl-D answers. */
export const ask = async (question: string): Promise<string | undefined> => {
  if (!process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(question)).trim();
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
    process.stderr.write('\n');
    return undefined;
  } finally {
    terminal.close();
  }
};
