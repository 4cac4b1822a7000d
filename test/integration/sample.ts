import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseIntegration } from '../../lib/integration/read.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson, stringifyJson } from '../../lib/json/json.ts';
import { describeFault } from '../../lib/runtime/fault.ts';

export const integrationsFolder = join(import.meta.dirname, '../../integrations');

export type ShippedName = 'okki-product-groups-to-qingyiyun' | 'okki-product-groups-to-crm';

/** The text of a shipped integration file. */
export const shippedText = (name: ShippedName): string =>
  readFileSync(join(integrationsFolder, `${name}.json`), 'utf8');

/** Changes by dotted path; `undefined` takes the key away. */
export type Changes = Readonly<Record<string, JsonValue | undefined>>;

const change = (value: JsonObject, [key = '', ...rest]: string[], to: JsonValue | undefined): void => {
  if (rest.length === 0) {
    if (to === undefined) delete value[key];
    else value[key] = to;
    return;
  }
  const inner = value[key];
  if (!isJsonObject(inner)) throw new TypeError(`no object at ${key}`);
  change(inner, rest, to);
};

/** The text of a shipped integration file with changes, two spaces per level. */
export const changedText = (name: ShippedName, changes: Changes): string => {
  const raw = parseJson(shippedText(name)) as JsonObject;
  for (const [path, to] of Object.entries(changes)) change(raw, path.split('.'), to);
  return stringifyJson(raw, 2);
};

/** A shipped integration with changes, checked as at run time. */
export const integrationWith = (name: ShippedName, changes: Changes = {}): Integration => {
  const { integration, faults } = parseIntegration(changedText(name, changes), `${name}.json`);
  if (integration === undefined) throw new TypeError(faults.map(describeFault).join('\n'));
  return integration;
};
