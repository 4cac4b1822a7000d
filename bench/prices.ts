/** List prices in US dollars, us-east-1, as published in 2025. Yours differ by region and contract: check them. */
export const PRICES_AS_OF = 'list prices, us-east-1, as published in 2025; check yours';

const MILLION = 1_000_000;

/** What a deployed stack is billed for by use. */
export type Usage = {
  /** DynamoDB on demand, standard table class. */
  writeUnits: number;
  readUnits: number;
  /** SQS standard queues; each 64 KB of a request is one. */
  sqsRequests: number;
  /** Lambda on arm64, first tier. */
  invocations: number;
  gbSeconds: number;
  /** EventBridge Scheduler. */
  schedules: number;
  /** CloudWatch Logs, what functions write, standard class. */
  logBytes: number;
};

const dollarsEach: Readonly<Record<keyof Usage, number>> = {
  writeUnits: 0.625 / MILLION,
  readUnits: 0.125 / MILLION,
  sqsRequests: 0.4 / MILLION,
  invocations: 0.2 / MILLION,
  gbSeconds: 0.000_013_333_4,
  schedules: 1 / MILLION,
  logBytes: 0.5 / 1e9,
};

const names = Object.keys(dollarsEach) as (keyof Usage)[];

/** The cost of these parts of a use, in US dollars. */
export const dollars = (usage: Partial<Usage>): number =>
  names.reduce((sum, name) => sum + (usage[name] ?? 0) * dollarsEach[name], 0);
