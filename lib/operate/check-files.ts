import type { KeyReading } from '../integration/check/keys.ts';
import { type Checked, parseIntegration } from '../integration/read.ts';
import type { Fault } from '../runtime/fault.ts';

/** What one file says that it must not, or should not, and how each key of its pasted blocks is read. */
export type FileChecked = Pick<Checked, 'faults' | 'warnings' | 'keys'> & { file: string };

/** The same of several files. */
export type FilesChecked = {
  files: string[];
  faults: Fault[];
  warnings: Fault[];
  keys: Array<{ file: string } & KeyReading>;
  byFile: FileChecked[];
};

/** Checks integration files by their texts or bytes, all faults at once. */
export const checkFiles = (files: ReadonlyArray<{ file: string; content: string | Uint8Array }>): FilesChecked => {
  const byFile = files.map(({ file, content }) => ({ file, ...parseIntegration(content, file) }));
  return {
    files: byFile.map(({ file }) => file),
    faults: byFile.flatMap(({ faults }) => faults),
    warnings: byFile.flatMap(({ warnings }) => warnings),
    keys: byFile.flatMap(({ file, keys }) => keys.map((key) => ({ file, ...key }))),
    byFile,
  };
};
