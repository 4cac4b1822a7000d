import { deadLetterFiles, withDeadLetterReasons } from './dead-letter-doc.ts';
import { dialectFiles, withDialectTables } from './dialect-doc.ts';
import type { Language } from './markdown.ts';
import { simulationFile, withDeliberateBugs } from './simulation-doc.ts';

/** A part of a page that follows from the code; `update` throws RangeError where the part's marks are missing. */
type GeneratedPart = { file: string; update: (text: string) => string };

const inBoth = (
  files: Readonly<Record<Language, string>>,
  update: (text: string, language: Language) => string,
): GeneratedPart[] =>
  (['en', 'zh'] as const).map((language) => ({ file: files[language], update: (text) => update(text, language) }));

/** All parts of the documentation that are written by `npm run schema`, and held against the code by a test. */
export const generatedParts: readonly GeneratedPart[] = [
  ...inBoth(dialectFiles, withDialectTables),
  ...inBoth(deadLetterFiles, withDeadLetterReasons),
  { file: simulationFile, update: withDeliberateBugs },
];
