import { type JsonValue, stringifyJson } from '../../json/json.ts';
import { beijingTime } from '../../runtime/clock.ts';
import { compareText, isSame } from './comparison.ts';
import { type Calculated, calculate } from './formula.ts';
import { instantMs } from './instant.ts';
import type { Pipe, Slot, Template } from './template.ts';

/** A filled template: its value, nothing, or the rule that a value does not match. */
export type Filled = { value: JsonValue | undefined } | { reason: string };

/** Where a template's fields and variables come from. */
export type Scope = (slot: Slot) => JsonValue | undefined;

const shortened = (value: JsonValue): string => {
  const text = stringifyJson(value);
  return text.length > 40 ? `${text.slice(0, 40).toWellFormed()}…` : text;
};

/** What a pipe makes of a value; nothing stays nothing. */
const piped = (value: JsonValue | undefined, pipe: Pipe): Filled => {
  if (value === undefined || value === null || value === '') return { value };
  const ms = instantMs(value);
  if (pipe === 'timestamp_ms') return ms === undefined ? { reason: `${shortened(value)} is no time` } : { value: ms };
  const text = ms === undefined ? undefined : beijingTime(ms);
  if (text === undefined) return { reason: `${shortened(value)} is no time` };
  return { value: pipe === 'date' ? text.slice(0, 'YYYY-MM-DD'.length) : text };
};

const fillSlot = (slot: Slot, scope: Scope): Filled =>
  slot.pipes.reduce<Filled>((filled, pipe) => ('reason' in filled ? filled : piped(filled.value, pipe)), {
    value: scope(slot),
  });

/** A time in Unix seconds by the signs of SQL's FROM_UNIXTIME, as Beijing's clock shows it. */
const shownTime = (calculated: Calculated, clock: string): Filled => {
  if ('reason' in calculated) return calculated;
  const { value } = calculated;
  const text = beijingTime(Math.floor(value) * 1000);
  if (text === undefined) return { reason: `${shortened(value)} is no time` };
  const [Y, m, d, H, i, s] = text.split(/\D/);
  const parts: Readonly<Record<string, string | undefined>> = { Y, m, d, H, i, s };
  return {
    value: clock.replace(/%T/g, '%H:%i:%s').replace(/%([YmdHis])/g, (sign, letter: string) => parts[letter] ?? sign),
  };
};

const asText = (value: JsonValue | undefined): string => {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : stringifyJson(value);
};

const folded = (value: JsonValue | undefined): string => compareText(value).trimEnd().toLowerCase();

/**
 * What a CASE comes to: two texts are compared as texts, all else as numbers. SQL ignores the case of letters and spaces
 * at the end, other systems do not: where only these differ, the record is refused.
 */
const fillChoice = ({ on, branches, otherwise }: Extract<Template, { kind: 'choice' }>, scope: Scope): Filled => {
  const looked = on === undefined ? { value: undefined } : fillTemplate(on, scope);
  if ('reason' in looked) return looked;
  for (const { when, gives } of branches) {
    const filled = fillTemplate(when, scope);
    if ('reason' in filled) return filled;
    const wanted = filled.value ?? null;
    if (on === undefined ? wanted !== 0 : isSame(looked.value, wanted, 'value')) return fillTemplate(gives, scope);
    if (on !== undefined && typeof wanted === 'string' && wanted !== '' && folded(looked.value) === folded(wanted)) {
      return {
        reason: `${shortened(looked.value ?? null)} is ${shortened(wanted)} but for its letters' case or spaces`,
      };
    }
  }
  return fillTemplate(otherwise, scope);
};

/** Fills a template from its scope. Pure. Throws TypeError for a template that the check of the file refuses. */
export const fillTemplate = (template: Template, scope: Scope): Filled => {
  switch (template.kind) {
    case 'constant':
      return { value: template.value };
    case 'slot':
      return fillSlot(template.slot, scope);
    case 'text': {
      let text = '';
      for (const part of template.parts) {
        const filled = 'text' in part ? { value: part.text } : fillSlot(part.slot, scope);
        if ('reason' in filled) return filled;
        text += asText(filled.value);
      }
      return { value: text };
    }
    case 'formula': {
      const operands: { name: string; value: JsonValue | undefined }[] = [];
      for (const slot of template.slots) {
        const filled = fillSlot(slot, scope);
        if ('reason' in filled) return filled;
        operands.push({ name: slot.name, value: filled.value });
      }
      const calculated = calculate(template.formula, operands);
      return template.clock === undefined ? calculated : shownTime(calculated, template.clock);
    }
    case 'choice':
      return fillChoice(template, scope);
    case 'unsupported':
      throw new TypeError(`a template with ${template.why}`);
    default:
      return template satisfies never;
  }
};
