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

/** What a deployed stack is billed for in a month while nothing changes. */
export type Standing = {
  /** CloudWatch: own metrics, by the hours in which they are sent; those that alarms look at; dashboards. */
  metrics: number;
  alarmMetrics: number;
  dashboards: number;
  /** CloudWatch Logs, kept compressed. */
  logGigabytes: number;
  /** DynamoDB storage and its point-in-time recovery. */
  tableGigabytes: number;
  /** Of the key that AWS manages for the tables. */
  keyRequests: number;
};

const standingDollarsEach: Readonly<Record<keyof Standing, number>> = {
  metrics: 0.3,
  alarmMetrics: 0.1,
  dashboards: 3,
  logGigabytes: 0.03,
  tableGigabytes: 0.25 + 0.2,
  keyRequests: 0.03 / 10_000,
};

/** What every account has free of charge, for good; shared by all that it holds. Of Lambda: requests and GB-s on arm64. */
const free: Readonly<Partial<Usage & Standing>> = {
  metrics: 10,
  alarmMetrics: 10,
  dashboards: 3,
  sqsRequests: MILLION,
  invocations: MILLION,
  gbSeconds: 400_000,
  logBytes: 5e9,
  tableGigabytes: 25,
  keyRequests: 20_000,
  schedules: 14 * MILLION,
};

/** The cost of these parts of a month, in US dollars. */
export const monthDollars = (month: Partial<Usage & Standing>): number => {
  const each: Readonly<Record<keyof (Usage & Standing), number>> = { ...dollarsEach, ...standingDollarsEach };
  return Object.entries(each).reduce((sum, [name, price]) => sum + (month[name as keyof typeof each] ?? 0) * price, 0);
};

/** The same month without what every account has free of charge. */
export const beyondFree = (month: Usage & Standing): Usage & Standing => {
  const left = Object.entries(month).map(([name, used]) => [
    name,
    Math.max(0, used - (free[name as keyof typeof free] ?? 0)),
  ]);
  return Object.fromEntries(left) as Usage & Standing;
};
