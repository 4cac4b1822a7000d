import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { fileURLToPath } from 'node:url';

/** A place in a bundle, as it stands in a stack: `file:///var/task/functions/load.mjs:3:1234`. */
const PLACE = /(?<![^\s()])((?:file:\/\/)?\/[^\s()]+\.mjs):(\d+):(\d+)/g;

/** Parsed once per process: a function that fails once will most likely fail again. */
const maps = new Map<string, SourceMap | undefined>();

const readMap = (file: string): SourceMap | undefined => {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')) as SourceMapPayload);
  } catch {
    // Not bundled, or not packed: the place stays as it is.
    return undefined;
  }
};

const mapOf = (file: string): SourceMap | undefined => {
  if (!maps.has(file)) maps.set(file, readMap(file));
  return maps.get(file);
};

/** A stack with places in bundles replaced by those in the source, `lib/messages/run-request.ts:38:11`. */
export const withSourcePositions = (stack: string): string =>
  stack.replace(PLACE, (place, url: string, line: string, column: string) => {
    const file = url.startsWith('file:') ? fileURLToPath(url) : url;
    const origin = mapOf(file)?.findOrigin(Number(line), Number(column));
    if (origin === undefined || !('fileName' in origin)) return place;
    const source = origin.fileName.replace(/^(\.\.\/)+/, '');
    return `${source}:${origin.lineNumber}:${origin.columnNumber}`;
  });

/**
 * Has an error and its causes tell their places in the source. Done where an invocation has failed, and not by Node's
 * `--enable-source-maps`, which parses the maps of all files as it loads them, at every cold start.
 */
export const tellSourcePositions = (error: unknown): void => {
  for (let link = error; link instanceof Error; link = link.cause) {
    if (link.stack !== undefined) link.stack = withSourcePositions(link.stack);
  }
};
