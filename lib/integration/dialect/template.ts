import type { JsonValue } from '../../json/json.ts';
import { defined } from '../../runtime/defined.ts';
import { caseWords, isCase } from './case-words.ts';
import { type Formula, operandName, parseFormula } from './formula.ts';
import { isKnownVariable, isVariable, VARIABLE_NAME } from './variables.ts';

/** What a `{{…|pipe}}` makes of its value: the time or the day in Beijing, or Unix milliseconds. */
export type Pipe = 'datetime' | 'date' | 'timestamp_ms';

/** One `{{…}}`: a field of the record or a variable of the platform, and what it goes through. */
export type Slot = { of: 'field' | 'variable'; name: string; pipes: readonly Pipe[] };

/** What the `value` of a request field says. */
export type Template =
  | { kind: 'constant'; value: JsonValue }
  /** Exactly one `{{…}}`: the value passes with its type. */
  | { kind: 'slot'; slot: Slot }
  /** Text with `{{…}}` in it. */
  | { kind: 'text'; parts: readonly ({ text: string } | { slot: Slot })[] }
  /** `_function` and arithmetic; the operands stand in `slots`. With `clock` it comes to Unix seconds, shown like that. */
  | { kind: 'formula'; formula: Formula; slots: readonly Slot[]; clock?: string }
  /** `_function CASE`: the first branch whose `when` is `on`; without `on` the first whose `when` is not 0. */
  | { kind: 'choice'; on?: Template; branches: readonly Branch[]; otherwise: Template }
  | { kind: 'unsupported'; why: string };

type Branch = { when: Template; gives: Template };

const pipes: Readonly<Record<string, Pipe>> = {
  datetime: 'datetime',
  dateTime: 'datetime',
  date: 'date',
  timestamp_ms: 'timestamp_ms',
};

/** The spellings of pipes, for people. */
export const pipeNames: readonly string[] = Object.keys(pipes);

// Exports write variables with one pair of braces, too; a field always has two.
const PLACEHOLDER = new RegExp(`\\{\\{([^{}]*)\\}\\}|\\{(\\s*${VARIABLE_NAME}[^{}]*)\\}`);
const BARE_VARIABLE = new RegExp(`\\b${VARIABLE_NAME}\\b`, 'g');
const FUNCTION = /^\s*_function(?:\s+|$)/;
/** `_findCollection …`, `_mongoQuery …`: the platform's own queries. A word with an underscore alone is a constant. */
const PLATFORM_CALL = /^\s*(_[A-Za-z]\w*)(?:\s|\()/;

const unsupported = (why: string): Template => ({ kind: 'unsupported', why });

/** `items[0].no`, `items.*.no`, `$.no`, `a + b`: forms of other languages, which as a path would find nothing. */
const isForeign = (name: string): boolean =>
  /[[\]'"]|\s[+\-*/%?:=<>]+\s/.test(name) ||
  name.split('.').some((step) => step === '*' || step === '$' || step === '');

const slotOf = (inside: string): Slot | { why: string } => {
  const [name = '', ...piped] = inside.split('|').map((part) => part.trim());
  if (name === '') return { why: 'an empty {{}}' };
  if (isForeign(name)) return { why: `${name} in braces (fields are dotted, elements counted from 0: items.0.no)` };
  const unknown = piped.find((pipe) => !Object.hasOwn(pipes, pipe));
  if (unknown !== undefined) return { why: `the pipe |${unknown} (known: ${pipeNames.join(', ')})` };
  if (isVariable(name) && !isKnownVariable(name)) return { why: `the variable ${name}` };
  const of = isVariable(name) ? 'variable' : 'field';
  return { of, name, pipes: piped.flatMap((pipe) => pipes[pipe] ?? []) };
};

/** Texts and what stood in braces between them, or what is wrong with that. */
const split = (value: string): { texts: string[]; slots: Slot[] } | { why: string } => {
  // split with two groups: text, {{…}} or nothing, {…} or nothing, text, …
  const pieces = value.split(new RegExp(PLACEHOLDER, 'g'));
  const texts: string[] = [];
  const slots: Slot[] = [];
  for (let index = 0; index < pieces.length; index += 3) {
    texts.push(pieces[index] ?? '');
    const inside = pieces[index + 1] ?? pieces[index + 2];
    if (inside === undefined) continue;
    const slot = slotOf(inside);
    if ('why' in slot) return slot;
    slots.push(slot);
  }
  return { texts, slots };
};

const partsOf = ({ texts, slots }: { texts: string[]; slots: Slot[] }) =>
  texts.flatMap((text, index) => {
    const slot = slots[index];
    return [...(text === '' ? [] : [{ text }]), ...(slot === undefined ? [] : [{ slot }])];
  });

/** Variables stand without braces, too, in arithmetic. */
const braced = (text: string): string =>
  text.replace(BARE_VARIABLE, (name, at: number) => (/[{|]\s*$/.test(text.slice(0, at)) ? name : `{{${name}}}`));

/** The one call that exports put around the whole of their arithmetic: a time, some seconds earlier. */
const FROM_UNIXTIME = /^\s*FROM_UNIXTIME\s*\(([\s\S]*?)(?:,\s*'([^']*)'\s*)?\)\s*$/i;
const CLOCK_SIGNS = /%[YmdHisT]/g;

const readFormula = (whole: string): Template => {
  const call = FROM_UNIXTIME.exec(whole);
  if (call === null) return readArithmetic(whole);
  const clock = call[2] ?? '%Y-%m-%d %H:%i:%s';
  if (clock.replace(CLOCK_SIGNS, '').includes('%')) {
    return unsupported(`a _function with the format '${clock}' (known: %Y %m %d %H %i %s %T)`);
  }
  const read = readArithmetic(call[1] ?? '');
  return read.kind === 'formula' ? { ...read, clock } : read;
};

const readArithmetic = (text: string): Template => {
  const pieces = split(braced(text));
  if ('why' in pieces) return unsupported(`${pieces.why} in _function`);
  const { texts, slots } = pieces;
  const whole = texts.map((piece, index) => (index === 0 ? piece : ` ${operandName(index - 1)} ${piece}`)).join('');
  const formula = parseFormula(whole.trim(), slots.length);
  return 'why' in formula ? unsupported(`a _function with ${formula.why}`) : { kind: 'formula', formula, slots };
};

const QUOTED = /^'((?:[^'\\]|\\.)*)'$/s;
const NOTHING: Template = { kind: 'constant', value: null };

/** `'…'`: a text, whatever its fields hold. */
const readQuoted = (inside: string): Template => {
  const pieces = split(inside.replace(/\\(.)/gs, '$1'));
  if ('why' in pieces) return unsupported(`${pieces.why} in _function`);
  return pieces.slots.length === 0
    ? { kind: 'constant', value: pieces.texts.join('') }
    : { kind: 'text', parts: partsOf(pieces) };
};

const readOperand = (text: string): Template => {
  const quoted = QUOTED.exec(text)?.[1];
  if (quoted !== undefined) return readQuoted(quoted);
  if (/^(?:true|false)$/i.test(text)) return { kind: 'constant', value: text.toLowerCase() === 'true' };
  return /^null$/i.test(text) ? NOTHING : readArithmetic(text);
};

/** What is looked at, or looked for: a field as it is, a text, or a number. */
const readLooked = (text: string): Template => {
  if (/^-?\d+(?:\.\d+)?$/.test(text)) return { kind: 'constant', value: Number(text) };
  const inside = /^\{\{([^{}]*)\}\}$/.exec(text)?.[1];
  if (inside === undefined) return readOperand(text);
  const slot = slotOf(inside);
  return 'why' in slot ? unsupported(`${slot.why} in _function`) : { kind: 'slot', slot };
};

const readChoice = (text: string): Template => {
  const words = caseWords(text);
  if ('why' in words) return unsupported(`a _function with ${words.why}`);
  const on = words.on === '' ? undefined : readLooked(words.on);
  const branches = words.branches.map(({ when, gives }) => ({
    when: on === undefined ? readArithmetic(when) : readLooked(when),
    gives: readOperand(gives),
  }));
  const otherwise = words.otherwise === undefined ? NOTHING : readOperand(words.otherwise);
  const all = [...(on === undefined ? [] : [on]), ...branches.flatMap(({ when, gives }) => [when, gives]), otherwise];
  const unreadable = all.find(({ kind }) => kind === 'unsupported');
  if (unreadable !== undefined) return unreadable;
  if (on !== undefined && branches.some(({ when }) => when.kind !== 'constant')) {
    return unsupported('a _function with WHEN before anything but a text or a number');
  }
  return { kind: 'choice', ...defined({ on }), branches, otherwise };
};

/** Reading arithmetic takes time that grows faster than its text. Exports stay below a thousand characters. */
const MAX_FUNCTION_CHARACTERS = 10_000;

/** Reads a template; what cannot be carried out is named instead of being sent as text. */
export const parseTemplate = (value: JsonValue): Template => {
  if (typeof value !== 'string') return { kind: 'constant', value };
  if (FUNCTION.test(value)) {
    if (value.length > MAX_FUNCTION_CHARACTERS) {
      return unsupported(`a _function of more than ${MAX_FUNCTION_CHARACTERS} characters`);
    }
    const text = value.replace(FUNCTION, '');
    return isCase(text) ? readChoice(text) : readFormula(text);
  }
  const call = PLATFORM_CALL.exec(value)?.[1];
  if (call !== undefined) return unsupported(`${call}, a query of the platform itself`);
  const pieces = split(value);
  if ('why' in pieces) return unsupported(pieces.why);
  const { texts, slots } = pieces;
  const [slot] = slots;
  if (slot === undefined) return { kind: 'constant', value };
  if (slots.length === 1 && texts.every((text) => text.trim() === '')) return { kind: 'slot', slot };
  return { kind: 'text', parts: partsOf(pieces) };
};

/** The fields and variables that a template takes. */
export const slotsOf = (template: Template): readonly Slot[] => {
  switch (template.kind) {
    case 'slot':
      return [template.slot];
    case 'text':
      return template.parts.flatMap((part) => ('slot' in part ? [part.slot] : []));
    case 'formula':
      return template.slots;
    case 'choice': {
      const { on, branches, otherwise } = template;
      const all = [
        ...(on === undefined ? [] : [on]),
        ...branches.flatMap(({ when, gives }) => [when, gives]),
        otherwise,
      ];
      return all.flatMap(slotsOf);
    }
    case 'constant':
    case 'unsupported':
      return [];
    default:
      return template satisfies never;
  }
};
