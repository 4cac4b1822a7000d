import { createHash } from 'node:crypto';
import { isNumber, type JsonValue, stringifyJson } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import type { Page } from './answer.ts';

/** What a paginator looks at: how much a page holds, and which records, by their ids. */
export type PageLook = Omit<Page, 'records'> & {
  /** Raw, before cleaning. */
  count: number;
  /** Equal for pages with the same records in the same order; undefined for an empty page. */
  print?: string;
  ids: readonly string[];
};

const idOf = (record: JsonValue, idPath: string): string | undefined => {
  const id = readPath(record, idPath);
  return typeof id === 'string' || isNumber(id) ? String(id) : undefined;
};

/** Looks at a page; `idPath` is the dotted path of a record's id. A record without one counts by its content. */
export const lookAt = ({ records, ...rest }: Page, idPath: string): PageLook => {
  const ids: string[] = [];
  const hash = createHash('sha256');
  for (const record of records) {
    const id = idOf(record, idPath);
    if (id !== undefined) ids.push(id);
    hash.update(id === undefined ? `record ${stringifyJson(record)}\n` : `id ${JSON.stringify(id)}\n`);
  }
  const print = records.length === 0 ? {} : { print: hash.digest('hex').slice(0, 32) };
  return { ...rest, count: records.length, ids, ...print };
};
