import { type ApiDeps, connect } from '../connection/api/api.ts';
import { type AwaitPermit, limitOf, permitsByLimit, type RateLimiter } from '../connection/limit/rate-limit.ts';
import { LONG_PAUSE_MS } from '../connection/reactions.ts';
import type { SourcePlan } from '../integration/compile/source-plan.ts';
import type { RequestContext } from '../integration/dialect/variables.ts';
import { isHit, type LimitHits, noHits } from '../runs/limits.ts';
import type { RunWarning } from '../runs/record.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { defined } from '../runtime/defined.ts';
import type { Log } from '../runtime/log.ts';
import type { Tuning } from '../runtime/tuning.ts';
import type { Page } from './answer.ts';
import { type PageAnswerCode, pageAnswer } from './page-answer.ts';
import { contextAt, stepInWindow } from './paging.ts';
import { isAllRead, isEndUnsure, type PagingWarning } from './paging-step.ts';
import { type Progress, pageAt, pageRequest, readProgress, startOf } from './progress.ts';
import type { PageResult, Source } from './source.ts';

/** Warnings counted by their code, each with the words of its last. */
type WarningTally = { add(code: string, message: string): void; list(): RunWarning[] };

const warningTally = (): WarningTally => {
  const tally = new Map<string, RunWarning>();
  return {
    add: (code, message) => {
      tally.set(code, { code, count: (tally.get(code)?.count ?? 0) + 1, message });
    },
    list: () => [...tally.values()],
  };
};

/** What reading a source logs: every warning of a run, as it comes up. */
export type SourceEvent = [
  code: PageAnswerCode | PagingWarning | 'token-renewed',
  fields: { integration: string; connection: string; why: string },
];

export type SourceDeps = ApiDeps & { limiter: RateLimiter; log: Log<SourceEvent>; tuning: Pick<Tuning, 'source'> };

/** What asking for one page came to. */
type Asked = { requests: number } & (
  | { kind: 'page'; page: Page }
  | { kind: 'later'; retryAtMs: number }
  | { kind: 'failed'; code: string; message: string; startsOver?: true }
);

/**
 * The source of an integration over HTTP. Throws `ConfigurationError` where the environment does not give what the
 * source block refers to; `readPage` throws what the token store, the rate limiter and the secret store throw.
 */
export const openSource = (plan: SourcePlan, deps: SourceDeps): Source => {
  const { clock, random, limiter, log } = deps;
  const { maxRetries, retryBackoff, pauseBackoff } = deps.tuning.source;
  const { integration, connection, paging, rateLimit, title } = plan;
  const file = `integrations/${integration}.json`;
  const limit = limitOf(rateLimit, { file, path: 'source' }, deps.env);
  const api = connect(connection, { file, path: 'source.connection' }, deps, plan.typedSecrets);

  const warn = (tally: WarningTally, code: SourceEvent[0], what: string) => {
    tally.add(code, `${title}: ${what}`);
    log.warn(code, { integration, connection: connection.name, why: what });
  };

  /** Asks for the page at `progress` until it is there, cannot be had, or the time is up. */
  const ask = async (
    progress: Progress,
    context: RequestContext,
    deadlineMs: number,
    tally: WarningTally,
    hits: LimitHits,
  ): Promise<Asked> => {
    const lastStartMs = deadlineMs - deps.tuning.connection.minRequestMs;
    const byLimit = permitsByLimit(limiter, connection.name, limit, clock, lastStartMs, (waitMs) => {
      hits.heldMs += waitMs;
    });
    const awaitPermit: AwaitPermit = async () => {
      const permit = await byLimit();
      if (!permit.granted) hits.putOff += 1;
      return permit;
    };
    const request = pageRequest(plan.request, pageAt(paging, progress), contextAt(progress, context));
    if ('reason' in request) {
      return { kind: 'failed', code: 'request-unfit', message: `${title}: ${request.reason}`, requests: 0 };
    }
    let requests = 0;
    let retries = 0;
    let waits = 0;
    for (;;) {
      const result = await api.send(request, { deadlineMs, awaitPermit });
      requests += result.requests;
      if (result.tokenRenewed) warn(tally, 'token-renewed', 'the token was refused before its end and renewed');
      const got = pageAnswer(result.answer, plan.answer, clock.nowMs());
      if (got.kind === 'page' || got.kind === 'later') return { ...got, requests };
      const { code, what } = got;
      // All that was announced is read: this page lies behind the last one.
      if (got.kind === 'fail' && got.isOrderly && isAllRead(progress)) {
        if (isEndUnsure(progress))
          warn(tally, 'end-unsure', `${what}: taken for the end after ${progress.seen} records`);
        return { kind: 'page', page: { records: [], next: { kind: 'end' } }, requests };
      }
      if (got.kind === 'fail') {
        const message = `${title}: ${what}; ${got.advice}`;
        const isGone = got.isOrderly === true && progress.seen > 0;
        return { kind: 'failed', code, message, requests, ...(isGone && { startsOver: true }) };
      }
      if (got.kind !== 'wait') warn(tally, code, what);
      if (got.kind === 'wait') {
        // Waiting is not failing: it costs no retry, however often. The next request's permit does the waiting.
        const ownMs = backoffMs(waits, (1 + random.fraction()) / 2, pauseBackoff);
        waits += 1;
        hits.throttled += 1;
        const waitMs = Math.max(got.waitMs ?? 0, ownMs);
        const untilMs = clock.nowMs() + waitMs;
        const told =
          waitMs >= LONG_PAUSE_MS ? `${what}; it is asked again at ${new Date(untilMs).toISOString()}` : what;
        warn(tally, code, told);
        await limiter.pause(connection.name, untilMs, `${title}: ${what}`);
        continue;
      }
      if (retries >= maxRetries) {
        const message = `${title}: ${what}, ${maxRetries + 1} times in a row; ${got.advice}`;
        return { kind: 'failed', code, message, requests };
      }
      const waitMs = backoffMs(retries, random.fraction(), retryBackoff);
      retries += 1;
      const retryAtMs = clock.nowMs() + waitMs;
      if (retryAtMs > lastStartMs) return { kind: 'later', retryAtMs, requests };
      await clock.sleep(waitMs);
    }
  };

  return {
    readPage: async (at, deadlineMs, context): Promise<PageResult> => {
      const tally = warningTally();
      const hits = noHits();
      const seen = () => ({ warnings: tally.list(), ...(isHit(hits) && { limits: hits }) });
      let requests = 0;
      let progress = at === undefined ? startOf(paging) : readProgress(paging, at);
      const failed = (code: string, message: string): PageResult => ({
        kind: 'failed',
        code,
        message: `${title}: ${message}`,
        startsOver: true,
        requests,
        ...seen(),
      });
      if (progress === undefined) {
        return failed('checkpoint-unfit', 'the checkpoint was written under another source.paging');
      }
      for (;;) {
        const asked: Asked = await ask(progress, context, deadlineMs, tally, hits);
        requests += asked.requests;
        if (asked.kind !== 'page') return { ...asked, requests, ...seen() };
        const { records } = asked.page;
        const step = stepInWindow(plan, progress, asked.page, context, context.hasLinked === true);
        for (const { code, message } of step.warnings) warn(tally, code, message);
        switch (step.kind) {
          case 'take': {
            const link = asked.page.next?.kind === 'given' && { hasLink: true as const };
            return { kind: 'page', records, ...defined({ next: step.next }), requests, ...seen(), ...link };
          }
          case 'end':
            return { kind: 'page', records: [], requests, ...seen() };
          case 'failed':
            return failed(step.code, step.message);
          case 'again':
            progress = step.at;
        }
      }
    },
  };
};
