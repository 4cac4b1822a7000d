import { cpus } from 'node:os';
import { benchLimit } from './limit.ts';
import { benchScale } from './scale.ts';

/** Time and memory by size, and the use of a rate limit, as Markdown on stdout. */
export const benchExtract = async (): Promise<void> => {
  const say = (text: string) => process.stdout.write(`${text}\n\n`);
  say(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}`);
  say(await benchScale());
  say(await benchLimit());
};
