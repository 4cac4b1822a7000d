import { type JsonValue, stringifyJson } from '../json/json.ts';

/** Content type of a form (WHATWG URL §5). */
export const FORM = 'application/x-www-form-urlencoded';

/** A value as the text that is sent of it: an object or a list is its JSON text, null is empty. */
export const asText = (value: JsonValue): string => {
  if (value === null) return '';
  return typeof value === 'string' ? value : stringifyJson(value);
};

/** Named values as the text of a form; an object or a list goes as its JSON text. */
export const formText = (fields: Iterable<readonly [name: string, value: JsonValue]>): string => {
  const form = new URLSearchParams();
  for (const [name, value] of fields) form.append(name, asText(value));
  return form.toString();
};
