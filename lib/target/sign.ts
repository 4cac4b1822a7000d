import type { Sign } from '../connection/limit/health.ts';
import { isNotUnderstood, type Outcome, type OutcomeCause, type OutcomeFailure } from './target.ts';

/** Statuses with which a gateway says that what is behind it does not answer (RFC 9110 §15.6). */
const gatewayStatuses: ReadonlySet<number> = new Set([502, 503, 504]);

/** What causes other than a status say of the target; those that are not here come with an answer that is understood. */
const signByCause: Partial<Record<OutcomeCause, Sign | 'nothing'>> = {
  dns: 'unsent',
  refused: 'unsent',
  unreachable: 'unsent',
  tls: 'unsent',
  timeout: 'down',
  reset: 'down',
  network: 'down',
  // Login or signature are refused: every other record would be refused as well.
  'access-refused': 'refused',
  // The token endpoint does not answer, or nobody can read what it says; or each token is refused.
  'token-unavailable': 'unsent',
  // Nothing was asked.
  'no-token': 'nothing',
  'no-time': 'nothing',
  'foreign-link': 'nothing',
  'no-deletion-endpoint': 'nothing',
};

/**
 * What the outcome of one record says of the target; undefined: nothing. A request to wait is neither a failure nor a
 * proof that records are taken. Pure.
 */
export const signOf = (outcome: Outcome): Sign | undefined => {
  if (outcome.kind === 'loaded') return 'well';
  if (outcome.kind === 'notApplied' && outcome.waits) return undefined;
  const { failure } = outcome;
  if (isNotUnderstood(failure)) return 'unclear';
  const sign = signByCause[failure.cause] ?? (isOfGateway(failure) ? 'down' : 'well');
  return sign === 'nothing' ? undefined : sign;
};

const isOfGateway = ({ cause, status }: OutcomeFailure): boolean =>
  cause === 'status' && status !== undefined && gatewayStatuses.has(status);

/** What one request says by the outcomes of its records: one of them that is understood shows that its answer is. */
export const signOfRequest = (outcomes: readonly Outcome[]): Sign | undefined => {
  const signs = outcomes.map(signOf);
  return signs.includes('well') ? 'well' : signs.find((sign) => sign !== undefined);
};
