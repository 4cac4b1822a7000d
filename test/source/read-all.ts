import type { PagingPlan } from '../../lib/integration/compile/paging-plan.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { defined } from '../../lib/runtime/defined.ts';
import type { Page } from '../../lib/source/answer.ts';
import { nextStep } from '../../lib/source/paging.ts';
import { type PageAt, pageAt, readProgress, startOf } from '../../lib/source/progress.ts';
import type { PageState } from '../../lib/source/source.ts';

export type Reading = {
  records: JsonValue[];
  /** `complete`, or the code of the failure. */
  end: string;
  warnings: string[];
  requests: Asked[];
};

/** What a source is asked: a page by `start_index` and `count`, rows by `offset` and `limit`, else a cursor or a link. */
export type Asked = { params: Readonly<Record<string, string | number>>; link?: string };

const askedOf = ({ kind }: PagingPlan, { page, cursor, link }: PageAt): Asked => ({
  params:
    page === undefined
      ? defined({ cursor })
      : kind === 'offset'
        ? { offset: page.startRow, limit: page.pageSize }
        : { start_index: page.position, count: page.pageSize },
  ...defined({ link }),
});

/** The list's rows 1…count, with ids. */
export const rows = (count: number, from = 1): { id: number }[] =>
  Array.from({ length: count }, (_, index) => ({ id: from + index }));

/** Reads a list to its end as a run does, every state through JSON as a checkpoint goes. */
export const readAll = (paging: PagingPlan, respond: (asked: Asked, index: number, at: PageAt) => Page): Reading => {
  const reading: Reading = { records: [], end: '', warnings: [], requests: [] };
  let progress = startOf(paging);
  for (;;) {
    if (reading.requests.length > 20_000) throw new Error('paging does not come to an end');
    const at = pageAt(paging, progress);
    const asked = askedOf(paging, at);
    reading.requests.push(asked);
    const page = respond(asked, reading.requests.length - 1, at);
    const step = nextStep(paging, 'id', progress, page);
    reading.warnings.push(...step.warnings.map(({ code }) => code));
    if (step.kind === 'take') reading.records.push(...page.records);
    if (step.kind === 'failed') return { ...reading, end: step.code };
    const next = step.kind === 'again' ? step.at : step.kind === 'take' ? step.next : undefined;
    if (next === undefined) return { ...reading, end: 'complete' };
    const restored = readProgress(paging, JSON.parse(JSON.stringify(next)) as PageState);
    if (restored === undefined) throw new Error(`not a state of ${paging.kind}: ${JSON.stringify(next)}`);
    progress = restored;
  }
};

export type ListShape = {
  /** Whether answers carry a total, and how it is counted. */
  total?: 'list' | 'page' | 'none';
  /** The most that the server gives, whatever is asked for. */
  cap?: number;
  /** The whole list whatever is asked for. */
  ignoresPaging?: boolean;
  /** The last page for every page past the end. */
  clamps?: boolean;
};

/** A server that pages `list` by `start_index` and `count` (pages from 1) or `offset` and `limit`. */
export const pagingServer =
  (list: () => readonly JsonValue[], { total = 'list', cap = Infinity, ignoresPaging, clamps }: ListShape = {}) =>
  ({ params }: Asked): Page => {
    const all = list();
    const asked = Number(params.count ?? params.limit ?? all.length);
    const size = Math.min(asked, cap);
    const lastPage = Math.max(1, Math.ceil(all.length / size));
    const pageNumber = Number(params.start_index ?? 1);
    const page = clamps ? Math.min(pageNumber, lastPage) : pageNumber;
    const from = params.offset === undefined ? (page - 1) * size : Number(params.offset);
    const records = ignoresPaging ? [...all] : all.slice(from, from + size);
    if (total === 'none') return { records };
    return { records, total: total === 'list' ? all.length : records.length };
  };
