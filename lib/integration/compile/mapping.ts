import { hash } from 'node:crypto';
import { canonicalJson, parseJson } from '../../json/json.ts';
import type { Integration } from '../schema/schema.ts';

/** Where a record goes, not what it becomes. */
const ADDRESS_KEYS: ReadonlySet<string> = new Set(['api', 'effect', 'method']);

/**
 * A fingerprint of what decides the body of a record: the target block, templates and conversions. Limits, schedule and
 * addresses are not part of it, nor is the order of keys in the file. Pure.
 */
export const mappingOf = ({ source, target, transform }: Integration): string => {
  const block = Object.entries(target.metadata).filter(([key]) => !ADDRESS_KEYS.has(key));
  const { id, number, request: columns } = source.metadata;
  const { rows } = source.answer;
  const { types, clean } = transform;
  const deciding = [
    Object.fromEntries(block),
    types,
    clean,
    { id, number, rows, ...(rows === 'lists' && { columns }) },
  ];
  const text = JSON.stringify(deciding, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  return hash('sha256', canonicalJson(parseJson(text)), 'base64url');
};
