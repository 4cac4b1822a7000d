import type { LinkedPaging, PositionalPaging } from '../../lib/integration/compile/paging-plan.ts';
import type { AnswerPlan } from '../../lib/integration/compile/source-plan.ts';

/** OKKI's envelope, with the defaults of the schema. */
export const okkiAnswer: AnswerPlan = {
  records: ['data'],
  code: 'code',
  successCodes: new Set(['0', '200']),
  message: 'message',
  total: ['data.totalItem', 'data.count'],
  next: { kind: 'nothing' },
};

/** The envelope of OKKI's paged lists. */
export const okkiList: AnswerPlan = { ...okkiAnswer, records: ['data.list'] };

export const single = { kind: 'single', isStated: true, hasCeiling: true } as const;

export const byPage = (pageSize: number, changes: Partial<PositionalPaging> = {}): PositionalPaging => ({
  kind: 'pageNumber',
  pageSize,
  first: 1,
  tellsSize: true,
  maxPages: 1_000,
  hasCeiling: true,
  ...changes,
});

export const byOffset = (pageSize: number, changes: Partial<PositionalPaging> = {}): PositionalPaging => ({
  kind: 'offset',
  pageSize,
  first: 0,
  tellsSize: true,
  maxPages: 1_000,
  hasCeiling: true,
  ...changes,
});

export const byCursor = (changes: Partial<LinkedPaging> = {}): LinkedPaging => ({
  kind: 'cursor',
  maxPages: 1_000,
  place: '"next"',
  absentEnds: false,
  hasCeiling: true,
  ...changes,
});

export const byLink = (): LinkedPaging => ({
  kind: 'nextLink',
  maxPages: 1_000,
  place: '"links.next"',
  absentEnds: false,
  hasCeiling: true,
});
