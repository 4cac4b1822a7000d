/** What the request of a run depends on beside its metadata, both in ms since the epoch; the same for all its pages. */
export type RequestContext = {
  /** What CURRENT_TIME and DAYS_AGO_n count from. */
  nowMs: number;
  /** What LAST_SYNC_TIME means: up to where earlier runs have read. */
  lastSyncMs: number;
};

/** What the platform's own variables depend on: the run and, for PAGINATION_…, the page. */
export type VariableContext = RequestContext & {
  /** Records asked for, rows before the page, and the number of the first page (absent: 1). */
  page?: { pageSize: number; startRow: number; firstPage?: number };
};

const DAY_MS = 86_400_000;
const DAYS_AGO = /^DAYS_AGO_(\d{1,5})$/;
/** How a variable of the platform is spelled (source of a pattern); not all of these names are variables that exist. */
export const VARIABLE_NAME =
  '(?:LAST_SYNC_TIME|CURRENT_TIME|(?:SECOND|MINUTE|HOUR|DAY|WEEK|MONTH|YEAR)S?_AGO_\\w+|PAGINATION_[A-Z_]+)';
const VARIABLE = new RegExp(`^${VARIABLE_NAME}$`);

const pageVariables: ReadonlySet<string> = new Set([
  'PAGINATION_PAGE_SIZE',
  'PAGINATION_START_ROW',
  'PAGINATION_START_PAGE',
]);
const timeVariables: ReadonlySet<string> = new Set(['LAST_SYNC_TIME', 'CURRENT_TIME']);

/** Whether a name is spelled as the platform's variables are, known or not. */
export const isVariable = (name: string): boolean => VARIABLE.test(name);

export const isPageVariable = (name: string): boolean => pageVariables.has(name);

/** Whether a variable is carried out here. */
export const isKnownVariable = (name: string): boolean =>
  timeVariables.has(name) || pageVariables.has(name) || DAYS_AGO.test(name);

/** The names of the variables, for people. */
export const variableNames: readonly string[] = [...timeVariables, 'DAYS_AGO_n', ...pageVariables];

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** The value of a known variable: times in Unix seconds, as every real export has them. Undefined without its context. */
export const variableValue = (name: string, context: VariableContext): number | undefined => {
  switch (name) {
    case 'LAST_SYNC_TIME':
      return seconds(context.lastSyncMs);
    case 'CURRENT_TIME':
      return seconds(context.nowMs);
    case 'PAGINATION_PAGE_SIZE':
      return context.page?.pageSize;
    case 'PAGINATION_START_ROW':
      return context.page?.startRow;
    case 'PAGINATION_START_PAGE':
      return context.page && Math.floor(context.page.startRow / context.page.pageSize) + (context.page.firstPage ?? 1);
    default: {
      const days = DAYS_AGO.exec(name)?.[1];
      return days === undefined ? undefined : seconds(context.nowMs - Number(days) * DAY_MS);
    }
  }
};
