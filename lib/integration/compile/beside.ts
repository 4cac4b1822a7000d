import { asText } from '../../connection/form.ts';
import { type JsonObject, stringifyJson } from '../../json/json.ts';
import { setPath } from '../../json/path.ts';
import { defined } from '../../runtime/defined.ts';
import { fillParameter } from '../dialect/parameters.ts';
import { readRequest } from '../dialect/request-fields.ts';
import type { Integration, MetadataField } from '../schema/schema.ts';
import type { Beside } from './target-plan.ts';

/** The constants by their declared types and parsers. Throws TypeError for one that the check of the file refuses. */
const constantsOf = (otherRequest: MetadataField[]): JsonObject =>
  Object.fromEntries(
    readRequest(otherRequest).flatMap((field) => {
      const filled = fillParameter(field, () => undefined, true);
      if ('reason' in filled) throw new TypeError(filled.reason);
      return filled.value === undefined ? [] : [[field.name, filled.value]];
    }),
  );

/** Compiles what a target's block says beside its records. Throws TypeError for what the check of the file refuses. */
export const besideRecords = (
  otherRequest: MetadataField[],
  { in: carrier = 'body', under, text }: NonNullable<Integration['target']['send']['otherRequest']> = {},
): Beside => {
  const constants = constantsOf(otherRequest);
  const held = under === undefined ? constants : setPath({}, under, constants);
  const named: JsonObject = text === undefined ? constants : { [text]: stringifyJson(held) };
  const texts = Object.entries(named).map(([name, value]): [string, string] => [name, asText(value)]);
  return {
    body: carrier === 'body' ? held : {},
    ...(carrier === 'body' && defined({ text })),
    query: carrier === 'query' ? texts : [],
    headers: carrier === 'header' ? Object.fromEntries(texts.map(([name, text]) => [name.toLowerCase(), text])) : {},
  };
};
