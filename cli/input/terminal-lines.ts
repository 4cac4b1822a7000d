import { createInterface } from 'node:readline';

/** Lines that are typed or pasted, one after the other. */
export type TerminalLines = {
  /** The next line, asked for by `question`; undefined once Ctrl-C or Ctrl-D has ended them. */
  next(question?: string): Promise<string | undefined>;
  /** Forgets lines that have come already and say nothing: what a paste leaves behind its end. */
  dropBlank(): Promise<void>;
  close(): void;
};

/** The line that ends a paste. */
export const PASTE_END = '.';

const saysNothing = (line: string): boolean => ['', PASTE_END].includes(line.trim());

/** Reads lines; questions go to `output`. A line that comes before it is asked for waits. */
export const terminalLines = (
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stderr,
): TerminalLines => {
  const reader = createInterface({ input, output });
  const waiting: string[] = [];
  let isOver = false;
  let wake = (): void => {};
  reader.on('line', (line) => {
    waiting.push(line);
    wake();
  });
  reader.on('SIGINT', () => reader.close());
  reader.on('close', () => {
    isOver = true;
    wake();
  });
  return {
    next: async (question) => {
      if (question !== undefined) {
        reader.setPrompt(question);
        reader.prompt();
      }
      if (waiting.length === 0 && !isOver) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return waiting.shift();
    },
    dropBlank: async () => {
      // What came in one piece with the line before has been split into lines by then.
      await new Promise((resolve) => setImmediate(resolve));
      while (waiting[0] !== undefined && saysNothing(waiting[0])) waiting.shift();
    },
    close: () => reader.close(),
  };
};

/** How deep in braces and brackets a text ends that is read piece by piece. */
type Nesting = { depth: number; inString: boolean; isEscaped: boolean; closed: number; isList: boolean };

const nestedBy = (before: Nesting, text: string): Nesting => {
  let { depth, inString, isEscaped, closed, isList } = before;
  for (const character of text) {
    if (inString) {
      if (isEscaped) isEscaped = false;
      else if (character === '\\') isEscaped = true;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') {
      if (depth === 0 && closed === 0) isList = character === '[';
      depth += 1;
    } else if (character === '}' || character === ']') {
      depth -= 1;
      if (depth === 0) closed += 1;
    }
  }
  return { depth, inString, isEscaped, closed, isList };
};

/**
 * Reads what is pasted until two objects, or a list of both, are closed; a line with a single dot, Ctrl-D or Ctrl-C end
 * it sooner.
 */
export const readPaste = async (lines: Pick<TerminalLines, 'next' | 'dropBlank'>): Promise<string> => {
  let text = '';
  let nesting: Nesting = { depth: 0, inString: false, isEscaped: false, closed: 0, isList: false };
  while (nesting.depth !== 0 || nesting.closed < (nesting.isList ? 1 : 2)) {
    const line = await lines.next();
    if (line === undefined || line.trim() === PASTE_END) return text;
    text += `${line}\n`;
    nesting = nestedBy(nesting, line);
  }
  await lines.dropBlank();
  return text;
};
