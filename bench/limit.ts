import { dynamoRateLimiter } from '../lib/aws/dynamodb/rate-limiter.ts';
import type { RateLimit } from '../lib/connection/limit/rate-limit.ts';
import { systemClock as clock } from '../lib/runtime/clock.ts';
import { startTables } from './embedded.ts';
import { grouped, markdownTable } from './markdown.ts';

const LIMIT: RateLimit = { requests: 60, intervalMs: 6_000 };
const WORKERS = [1, 4, 16];
const SPAN_MS = 30_000;
/** Permits that a worker leases at a time, as a batch of messages does. */
const LEASE = 10;
const MIN_SHARE = 0.97;

/** Sends as fast as the limiter allows until `endMs`; gives the times of its requests. */
const work = async (limiter: ReturnType<typeof dynamoRateLimiter>, endMs: number, sentMs: number[]): Promise<void> => {
  while (clock.nowMs() < endMs) {
    const { permits, retryAtMs } = await limiter.acquire('bench', LIMIT, LEASE, endMs);
    if (permits.length === 0) await clock.sleep(Math.max(1, retryAtMs - clock.nowMs()));
    for (const { notBeforeMs, untilMs } of permits) {
      while (clock.nowMs() < notBeforeMs) await clock.sleep(notBeforeMs - clock.nowMs());
      // A permit that is too late is void: not sending is what keeps the limit.
      if (clock.nowMs() <= untilMs) sentMs.push(clock.nowMs());
    }
  }
};

/** The most requests in any span of `intervalMs`. */
export const mostInWindow = (sentMs: readonly number[], intervalMs: number): number => {
  let most = 0;
  let from = 0;
  for (const [to, ms] of sentMs.entries()) {
    while (ms - (sentMs[from] ?? 0) >= intervalMs) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
};

/** How much of a configured limit is used by workers that share it through DynamoDB, and whether it is ever broken. */
export const benchLimit = async (): Promise<string> => {
  const tables = await startTables(['connections']);
  try {
    const rows: string[][] = [];
    for (const workers of WORKERS) {
      await clock.sleep(LIMIT.intervalMs * 2);
      tables.meter.clear();
      const sentMs: number[] = [];
      const beganMs = clock.nowMs();
      const limiters = Array.from({ length: workers }, () =>
        dynamoRateLimiter({ client: tables.client, TableName: 'connections' }),
      );
      await Promise.all(limiters.map((limiter) => work(limiter, beganMs + SPAN_MS, sentMs)));
      sentMs.sort((a, b) => a - b);
      const allowed = (SPAN_MS / LIMIT.intervalMs) * LIMIT.requests;
      const share = sentMs.length / allowed;
      const most = mostInWindow(sentMs, LIMIT.intervalMs);
      const calls = [...tables.meter.values()].reduce((sum, { requests }) => sum + requests, 0);
      rows.push([
        `${workers}`,
        grouped(sentMs.length),
        `${(share * 100).toFixed(1)} %${share < MIN_SHARE ? ` **below ${MIN_SHARE * 100} %**` : ''}`,
        `${most} of ${LIMIT.requests}${most > LIMIT.requests ? ' **over**' : ''}`,
        (calls / Math.max(1, sentMs.length)).toFixed(2),
      ]);
    }
    const head = `workers, ${LIMIT.requests} requests per ${LIMIT.intervalMs / 1000} s for ${SPAN_MS / 1000} s`;
    return markdownTable([head, 'requests', 'of the limit', 'most in any window', 'DynamoDB calls per request'], rows);
  } finally {
    await tables.close();
  }
};
