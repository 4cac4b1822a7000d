/** The texts between the words of a CASE: what is looked at, its branches, and what holds where none does. */
export type CaseWords = { on: string; branches: { when: string; gives: string }[]; otherwise?: string };

// A text, a field in braces, or one of the words; a field may be named like one of them.
const PIECES = /('(?:[^'\\]|\\.)*'|\{\{[^{}]*\}\})|\b(case|when|then|else|end)\b/i;

/** What may follow a word. */
const follows: ReadonlyMap<string, readonly string[]> = new Map([
  ['', ['case']],
  ['case', ['when']],
  ['when', ['then']],
  ['then', ['when', 'else', 'end']],
  ['else', ['end']],
]);

/** Whether a `_function` is a CASE. */
export const isCase = (text: string): boolean => /^\s*case\b/i.test(text);

/** Takes `CASE … WHEN … THEN … ELSE … END` apart; answers why, in a few words, where it is none, or one in another. */
export const caseWords = (text: string): CaseWords | { why: string } => {
  const said: { word: string; text: string }[] = [{ word: '', text: '' }];
  // split with two groups: text, 'text' or {{field}} or nothing, word or nothing, text, …
  const pieces = text.split(new RegExp(PIECES, 'gi'));
  for (const [index, piece] of pieces.entries()) {
    const last = said.at(-1);
    if (piece === undefined || last === undefined) continue;
    if (index % 3 !== 2) {
      last.text += piece;
      continue;
    }
    const word = piece.toLowerCase();
    if (!follows.get(last.word)?.includes(word)) return { why: `${word.toUpperCase()} in a place where CASE has none` };
    said.push({ word, text: '' });
  }
  const [before, on, ...rest] = said;
  const end = rest.at(-1);
  if (end?.word !== 'end') return { why: 'CASE without its END' };
  if (before?.text.trim() !== '' || end.text.trim() !== '') return { why: 'CASE within other arithmetic' };
  const otherwise = rest.find(({ word }) => word === 'else')?.text;
  const thens = rest.filter(({ word }) => word === 'then');
  const whens = rest.filter(({ word }) => word === 'when');
  return {
    on: on?.text.trim() ?? '',
    branches: whens.map((when, index) => ({ when: when.text.trim(), gives: thens[index]?.text.trim() ?? '' })),
    ...(otherwise === undefined ? {} : { otherwise: otherwise.trim() }),
  };
};
