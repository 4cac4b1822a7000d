/** The endpoints that requests are counted by, and that a fault's `on` may name. */
export const endpoints = ['token', 'refresh', 'groups', 'receipts', 'qingyiyun', 'crm'] as const;
export type Endpoint = (typeof endpoints)[number];

/** Which occasions of a fault are used, out of those it applies to. */
export const selectors = {
  times: 'it happens at most N times (then it is over)',
  every: 'only every Nth occasion',
  after: 'the first N occasions pass',
  ids: 'only requests or records with one of these ids (id,id,…)',
  on: `only these endpoints (${endpoints.join(', ')})`,
} as const;
export type Selector = keyof typeof selectors;

type NumberParam = { kind: 'number'; default?: number; does: string };
type WordParam = { kind: 'word'; of: readonly [string, ...string[]]; default: string; does: string };
type TextParam = { kind: 'text'; default: string; does: string };
export type ParamSpec = NumberParam | WordParam | TextParam;

export type FaultSpec = {
  does: string;
  /** The endpoints it touches unless `on` says otherwise; `on` may name these only. */
  on: readonly Endpoint[];
  selectors: readonly Selector[];
  params: Readonly<Record<string, ParamSpec>>;
  /** How often it happens where `times` is not given; absent: for ever. */
  times?: number;
};

const lists = ['groups', 'receipts'] as const;
const source = ['groups', 'receipts', 'token', 'refresh'] as const;
const targets = ['qingyiyun', 'crm'] as const;
const counted = ['times', 'every', 'after', 'on'] as const;
const byRecord = ['times', 'every', 'after', 'ids', 'on'] as const;

const retryAfter = {
  retryAfter: { kind: 'number', does: 'seconds in Retry-After; left out: no such header' },
  form: {
    kind: 'word',
    of: ['seconds', 'date'],
    default: 'seconds',
    does: 'Retry-After as seconds or as an HTTP date',
  },
} as const;

/** Every fault and behaviour the sandbox can be told to show. Source faults touch the lists unless `on` names `token`. */
export const faultTable = {
  'source-429': { does: 'HTTP 429', on: source, selectors: counted, params: retryAfter },
  'source-500': {
    does: 'HTTP 500, or another status',
    on: source,
    selectors: counted,
    params: { status: { kind: 'number', default: 500, does: 'the status' }, ...retryAfter },
  },
  'source-drop': {
    does: 'the connection is dropped in the middle of the answer',
    on: source,
    selectors: counted,
    params: { when: { kind: 'word', of: ['body', 'start'], default: 'body', does: 'mid-body, or before any answer' } },
  },
  'source-slow': {
    does: 'the answer comes late',
    on: source,
    selectors: counted,
    params: { ms: { kind: 'number', default: 3000, does: 'how late, in milliseconds' } },
  },
  'source-html': { does: 'HTTP 200 with an HTML page', on: source, selectors: counted, params: {} },
  'source-truncated': { does: 'HTTP 200 with the first half of the JSON', on: source, selectors: counted, params: {} },
  'source-empty': { does: 'HTTP 200 with no body', on: source, selectors: counted, params: {} },
  'source-wrong-shape': { does: 'HTTP 200, JSON of another shape', on: source, selectors: counted, params: {} },
  'source-business-error': {
    does: 'HTTP 200 with an error code in the body and no data',
    on: lists,
    selectors: counted,
    params: {
      code: { kind: 'number', default: 404, does: 'the code in the body' },
      message: { kind: 'text', default: 'No Privilege', does: 'the words' },
    },
  },
  huge: {
    does: 'an answer far longer than the records in it',
    on: lists,
    selectors: counted,
    params: { bytes: { kind: 'number', default: 67_108_864, does: 'added length in bytes' } },
  },
  'token-revoked': {
    does: 'the presented token is revoked: 401 until a new one is asked for (after=N: once N calls have passed)',
    on: lists,
    selectors: counted,
    params: {},
    times: 1,
  },
  'token-refused': {
    does: 'the token request ends in HTTP 400 with an OAuth error body',
    on: ['token', 'refresh'],
    selectors: counted,
    params: { error: { kind: 'text', default: 'invalid_client', does: 'the OAuth error' } },
  },
  'no-expires-in': {
    does: 'the token answer leaves expires_in out',
    on: ['token', 'refresh'],
    selectors: counted,
    params: {},
  },
  'token-short-life': {
    does: 'tokens live shorter than the usual 28800 s',
    on: ['token', 'refresh'],
    selectors: counted,
    params: { sec: { kind: 'number', default: 2, does: 'their life in seconds' } },
  },
  'code-zero': { does: 'success is code 0 instead of 200', on: lists, selectors: counted, params: {} },
  'bare-array': { does: 'the list without its envelope', on: lists, selectors: counted, params: {} },
  'paging-ignored': {
    does: 'start_index and count have no effect: everything, every time',
    on: lists,
    selectors: counted,
    params: {},
  },
  'page-repeated': {
    does: 'a page is answered with the rows of the page before it',
    on: lists,
    selectors: counted,
    params: { page: { kind: 'number', default: 2, does: 'which page (start_index)' } },
    times: 1,
  },
  'page-overlap': {
    does: 'rows move down while they are read: a page begins with the last rows of the page before it',
    on: lists,
    selectors: counted,
    params: { rows: { kind: 'number', default: 1, does: 'how many rows' } },
  },
  'total-drift': {
    does: 'the reported total grows with every answer',
    on: ['receipts'],
    selectors: counted,
    params: { by: { kind: 'number', default: 1, does: 'growth per answer' } },
  },
  'total-form': {
    does: 'the total under another key or as a string',
    on: ['receipts'],
    selectors: counted,
    params: {
      key: { kind: 'word', of: ['totalItem', 'count'], default: 'totalItem', does: 'its key' },
      as: { kind: 'word', of: ['number', 'string'], default: 'number', does: 'its type' },
    },
  },
  dirty: {
    does: 'extra records at the end: no id, id null, null, an array, a string, a number',
    on: lists,
    selectors: counted,
    params: {},
  },
  'target-429': { does: 'HTTP 429, code 42901', on: targets, selectors: byRecord, params: retryAfter },
  'target-lockout': {
    does: 'more than N requests in the window lock the caller out: 429, code 42901, until the lock ends',
    on: targets,
    selectors: ['on'],
    params: {
      requests: { kind: 'number', default: 60, does: 'requests allowed in the window' },
      windowMs: { kind: 'number', default: 60_000, does: 'the window in milliseconds' },
      lockMs: { kind: 'number', default: 300_000, does: 'the lock in milliseconds' },
      header: { kind: 'word', of: ['yes', 'no'], default: 'yes', does: 'say so in Retry-After and X-RateLimit-*' },
      prolong: { kind: 'word', of: ['no', 'yes'], default: 'no', does: 'a request during the lock starts it anew' },
    },
  },
  'target-401': { does: 'HTTP 401, code 40102', on: targets, selectors: byRecord, params: {} },
  'token-required': {
    does: 'requests without the right Bearer token are answered 401',
    on: targets,
    selectors: ['on'],
    params: { token: { kind: 'text', default: '', does: 'the token; left out: any will do' } },
  },
  'target-refuse': {
    does: 'records are refused (counts records, not requests)',
    on: targets,
    selectors: byRecord,
    params: {
      status: { kind: 'number', default: 422, does: 'the status' },
      message: { kind: 'text', default: '分组名称不符合目标系统的规则', does: 'the words' },
    },
  },
  'target-business-error': {
    does: 'records are refused inside HTTP 200 (counts records, not requests)',
    on: targets,
    selectors: byRecord,
    params: {
      code: { kind: 'number', default: 40_001, does: 'the code in the body' },
      message: { kind: 'text', default: '参数校验失败', does: 'the words' },
    },
  },
  'target-500': {
    does: 'HTTP 500, or another status, and nothing applied',
    on: targets,
    selectors: byRecord,
    params: { status: { kind: 'number', default: 500, does: 'the status' }, ...retryAfter },
  },
  'target-drop': { does: 'dropped before anything is applied', on: targets, selectors: byRecord, params: {} },
  'target-commit-then-drop': { does: 'applied, then dropped', on: targets, selectors: byRecord, params: {} },
  'target-slow': {
    does: 'applied at once, answered late',
    on: targets,
    selectors: byRecord,
    params: { ms: { kind: 'number', default: 3000, does: 'how late, in milliseconds' } },
  },
  'any-fields': {
    does: '/execute takes records that have an id, whatever else they hold',
    on: ['qingyiyun'],
    selectors: [],
    params: {},
  },
  'row-results': { does: 'a batch is answered row by row, HTTP 200', on: ['crm'], selectors: [], params: {} },
} as const satisfies Record<string, FaultSpec>;

export type FaultName = keyof typeof faultTable;

type ParamValue<P extends ParamSpec> = P extends { kind: 'number'; default: number }
  ? number
  : P extends { kind: 'number' }
    ? number | undefined
    : P extends { kind: 'word'; of: infer Words extends readonly string[] }
      ? Words[number]
      : string;

/** The parameters of a fault, defaults filled in. */
export type FaultParams<N extends FaultName> = {
  readonly [K in keyof (typeof faultTable)[N]['params']]: (typeof faultTable)[N]['params'][K] extends ParamSpec
    ? ParamValue<(typeof faultTable)[N]['params'][K]>
    : never;
};
