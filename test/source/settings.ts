import type { Answer, Paging } from '../../lib/integration/schema/source-schema.ts';

/** OKKI's envelope, as the schema fills it in. */
export const okkiAnswer: Answer = {
  records: 'data',
  code: 'code',
  successCodes: [0, 200],
  message: 'message',
  total: ['data.totalItem', 'data.count'],
};

/** The envelope of OKKI's paged lists. */
export const okkiList: Answer = { ...okkiAnswer, records: 'data.list' };

type Kind = Paging['kind'];
type Of<K extends Kind> = Extract<Paging, { kind: K }>;

export const single: Of<'single'> = { kind: 'single' };

export const byPage = (pageSize: number, changes: Partial<Of<'pageNumber'>> = {}): Of<'pageNumber'> => ({
  kind: 'pageNumber',
  pageParam: 'start_index',
  sizeParam: 'count',
  pageSize,
  firstPage: 1,
  maxPages: 1_000,
  ...changes,
});

export const byOffset = (pageSize: number, changes: Partial<Of<'offset'>> = {}): Of<'offset'> => ({
  kind: 'offset',
  offsetParam: 'offset',
  sizeParam: 'limit',
  pageSize,
  maxPages: 1_000,
  ...changes,
});

export const byCursor = (changes: Partial<Of<'cursor'>> = {}): Of<'cursor'> => ({
  kind: 'cursor',
  cursorParam: 'cursor',
  cursorPath: 'next',
  maxPages: 1_000,
  ...changes,
});

export const byLink = (changes: Partial<Of<'nextLink'>> = {}): Of<'nextLink'> => ({
  kind: 'nextLink',
  in: 'header',
  maxPages: 1_000,
  ...changes,
});
