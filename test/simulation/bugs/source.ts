import type { Answered, Http } from '../../../lib/connection/http.ts';
import { isJsonObject, isNestedDeeperThan, isNumber, type JsonValue } from '../../../lib/json/json.ts';
import type { Source } from '../../../lib/source/source.ts';
import type { Bug } from '../bug.ts';
import { announcedBy } from '../manners.ts';
import { SOURCE_URL } from '../network.ts';
import type { FaultRates } from '../rates.ts';
import type { Settings } from '../settings.ts';
import { codes } from '../source-faults.ts';
import { failing, unhurried } from './harsher.ts';

/** Answers of the source as a program reads them that takes them for others. */
const misreading =
  (change: (answer: Answered) => Answered): NonNullable<Bug['http']> =>
  (http): Http => ({
    send: async (request) => {
      const answer = await http.send(request);
      return request.url.startsWith(SOURCE_URL) && answer.kind === 'answered' ? change(answer) : answer;
    },
  });

/** A source that keeps back some of the rows that came. */
const without =
  (isLeftOut: (row: JsonValue) => boolean): NonNullable<Bug['source']> =>
  (source): Source => ({
    readPage: async (...asked) => {
      const page = await source.readPage(...asked);
      return page.kind === 'page' ? { ...page, records: page.records.filter((row) => !isLeftOut(row)) } : page;
    },
  });

/** Many runs over a source in which nothing fails but what is named. */
const manyRuns =
  (rates: Partial<FaultRates>) =>
  (settings: Settings): Settings =>
    failing({ ...settings, troubledMs: 8 * settings.periodMs }, rates);

const hasId = (row: JsonValue): boolean =>
  isJsonObject(row) && (isNumber(row.id) || (typeof row.id === 'string' && row.id.trim() !== ''));

/** The rows of an unpaged list that broke off, up to the last one that is whole. */
const mended = (text: string): string => {
  const end = text.lastIndexOf('},{"id"');
  return text.endsWith(']}') || end < 0 ? text : `${text.slice(0, end)}}]}`;
};

const isOfRate = ({ status, headers }: Answered): boolean =>
  status === 403 && ('retry-after' in headers || 'x-ratelimit-remaining' in headers);

const roundedIn = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
};

/** Bugs in what is made of the source's answers. */
export const sourceBugs: readonly Bug[] = [
  {
    name: 'row-without-id-left-out',
    summary: 'a row without a readable id is left out, as if it were not there',
    seeds: 200,
    harsher: manyRuns({ rows: 0.3 }),
    source: without((row) => !hasId(row)),
  },
  {
    name: 'unfit-row-is-absent',
    summary: 'a row that cannot be loaded counts as absent, although its id can be read',
    seeds: 300,
    harsher: manyRuns({ rows: 0.5 }),
    source: without((row) => isNestedDeeperThan(row, 100)),
  },
  {
    name: 'invalid-rows-balance',
    summary: 'a run whose rows are all invalid counts as balanced',
    seeds: 200,
    harsher: manyRuns({ rows: 0.5 }),
    runs: (store) => ({
      ...store,
      saveRun: ({ failure, ...run }) =>
        store.saveRun(
          failure?.code !== 'rows-invalid'
            ? { ...run, ...(failure && { failure }) }
            : run.status === 'failed'
              ? { ...run, status: 'balanced' }
              : run,
        ),
    }),
  },
  {
    name: 'bytes-guessed',
    summary: 'bytes that are no UTF-8 are taken with replacement characters',
    seeds: 200,
    harsher: manyRuns({ source: 0.5 }),
    http: misreading(({ unreadable: _, ...answer }) => answer),
  },
  {
    name: 'numbers-rounded',
    summary: 'numbers pass through a double',
    seeds: 50,
    where: ({ manners }) => manners.hasLongIds,
    http: misreading((answer) => ({ ...answer, text: roundedIn(answer.text) })),
  },
  {
    name: 'cut-list-mended',
    summary: 'a list that breaks off is read up to where it breaks off',
    seeds: 300,
    where: ({ paging, manners }) => paging === 'single' && !manners.tellsMore,
    harsher: (settings) => manyRuns({ source: 0.5 })({ ...settings, groups: 10 }),
    http: misreading((answer) => ({ ...answer, text: mended(answer.text) })),
  },
  {
    name: 'throttled-in-words-fails',
    summary: 'a code that says "too many" inside a 200 fails the run',
    seeds: 100,
    http: misreading((answer) => ({ ...answer, text: answer.text.replace(String(codes.throttled), '-1') })),
  },
  {
    name: 'rate-of-a-403-unread',
    summary: 'a 403 that speaks of the rate fails the run',
    seeds: 100,
    harsher: (settings) => manyRuns({ source: 0.3 })(unhurried(settings)),
    http: misreading((answer) => (isOfRate(answer) ? { ...answer, headers: {}, status: 400 } : answer)),
  },
  {
    name: 'token-code-unread',
    summary: 'a code that refuses the token inside a 200 fails the run',
    seeds: 200,
    where: ({ manners }) => manners.refusesTokenBy === 'code in a 200',
    harsher: (settings) => manyRuns({ source: 0.3 })(unhurried(settings)),
    http: misreading((answer) => ({ ...answer, text: answer.text.replace(String(codes.tokenOver), '-1') })),
  },
  {
    name: 'token-403-unread',
    summary: 'a stored token that a 403 refuses is not renewed',
    seeds: 200,
    where: ({ manners }) => manners.refusesTokenBy === 'status 403',
    harsher: (settings) => manyRuns({ source: 0.3 })(unhurried(settings)),
    http: misreading((answer) => (answer.text.includes('forbidden') ? { ...answer, status: 400 } : answer)),
  },
  {
    name: 'past-the-end-fails',
    summary: 'a page behind the last one that is refused fails the run',
    seeds: 50,
    where: ({ paging, tree, manners }) =>
      paging !== 'single' && tree === 'none' && !['empty', '204'].includes(manners.pastEnd),
    harsher: unhurried,
    source: (source) => ({
      readPage: async (...asked) => {
        const page = await source.readPage(...asked);
        if (page.kind !== 'page' || page.records.length > 0 || asked[0] === undefined) return page;
        const { requests, warnings } = page;
        return { kind: 'failed', code: 'source-refused', message: 'no such page', requests, warnings };
      },
    }),
  },
  {
    name: 'page-lengths-announce',
    summary: 'a refusal behind pages that announce only themselves is taken for a sure end',
    seeds: 500,
    where: (settings) => announcedBy(settings).announcesPages,
    harsher: (settings) => manyRuns({ source: 0.5 })({ ...settings, groups: 9, pageSize: 3 }),
    source: (source) => ({
      readPage: async (...asked) => {
        const page = await source.readPage(...asked);
        return { ...page, warnings: page.warnings.filter(({ code }) => code !== 'end-unsure') };
      },
    }),
  },
  {
    name: 'ceiling-ends-the-list',
    summary: 'a list that stops after exactly 1,000 rows without a mark is taken for whole',
    seeds: 50,
    where: ({ manners }) => manners.hasCeiling,
    harsher: manyRuns({ ceiling: 0.5 }),
    source: (source) => ({
      readPage: async (...asked) => {
        const page = await source.readPage(...asked);
        if (page.kind !== 'failed' || page.code !== 'ceiling') return page;
        const { requests, warnings } = page;
        return { kind: 'page', records: [], requests, warnings };
      },
    }),
  },
  {
    name: 'refusal-ends-the-list',
    summary: 'a refused page ends the list, whatever was announced',
    seeds: 300,
    where: ({ paging }) => paging !== 'single',
    harsher: (settings) => manyRuns({ source: 0.5 })({ ...settings, groups: 10 }),
    source: (source) => ({
      readPage: async (...asked) => {
        const page = await source.readPage(...asked);
        if (page.kind !== 'failed' || page.code !== 'business-error' || asked[0] === undefined) return page;
        const { requests, warnings } = page;
        return { kind: 'page', records: [], requests, warnings };
      },
    }),
  },
];
