import { type Api, type ApiDeps, type ApiRequest, connect } from '../connection/api/api.ts';
import { limitOf, type RateLimit } from '../connection/limit/rate-limit.ts';
import type { TargetPlan } from '../integration/compile/target-plan.ts';
import type { Tuning } from '../runtime/tuning.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { rowOutcomes } from './row-results.ts';
import type { PostRecord, Target } from './target.ts';
import { deletionRequest, loadRequest } from './target-request.ts';

/** Deleted already (RFC 9110 §15.5.11). A 404 may as well mean that the path is wrong: that is not taken for success. */
const GONE = 410;

/** The deletion was sent under a file that had an endpoint for it; this one has none any more. */
const notConfigured: Outcome = { kind: 'rejected', failure: { cause: 'no-deletion-endpoint' } };

export type TargetDeps = ApiDeps & { tuning: Pick<Tuning, 'target'> };

/**
 * The target of a plan over HTTP. Throws `ConfigurationError` where the environment does not give what the target block
 * refers to.
 */
export const openTarget = (plan: TargetPlan, deps: TargetDeps): Target => {
  const file = `integrations/${plan.integration}.json`;
  const limit = limitOf(plan.rateLimit, { file, path: 'target' }, deps.env);
  const api = connect(plan.connection, { file, path: 'target.connection' }, deps);
  return httpTarget(plan, api, limit, deps);
};

/** The target's API as its plan describes it: one record per request, or `rows` wrapped under `rowsKey`. */
export const httpTarget = (
  plan: TargetPlan,
  api: Api,
  limit: RateLimit | undefined,
  { clock, tuning }: Pick<TargetDeps, 'clock' | 'tuning'>,
): Target => {
  const { connection, batch, deletion, success, results, concurrency } = plan;
  const requestFor = (first: PostRecord, others: readonly PostRecord[]): ApiRequest | undefined =>
    first.deletes ? deletion && deletionRequest(deletion, first) : loadRequest(plan, [first, ...others]);
  return {
    connection: connection.name,
    limit,
    rows: batch?.rows ?? 1,
    concurrency,
    longestPostMs: connection.timeoutMs,
    post: async (records) => {
      const [first, ...others] = records;
      const request = first && requestFor(first, others);
      if (request === undefined) return { outcomes: records.map(() => notConfigured), requests: 0 };
      const { answer, requests } = await api.send(request, { deadlineMs: clock.nowMs() + connection.timeoutMs });
      const isGone = first?.deletes && answer.kind === 'answered' && answer.status === GONE;
      const outcome: Outcome = isGone ? { kind: 'loaded' } : outcomeOf(answer, success, clock.nowMs(), tuning.target);
      const isSettled = outcome.kind === 'loaded' || outcome.kind === 'rejected';
      const rows =
        results !== undefined && !first?.deletes && isSettled && answer.kind === 'answered' && isOk(answer.status)
          ? rowOutcomes(answer.text, answer.status, records, results)
          : undefined;
      return { outcomes: rows ?? records.map(() => outcome), requests };
    },
  };
};

const isOk = (status: number): boolean => status >= 200 && status < 300;
