import type { FaultParams } from './fault-table.ts';

/** How a request fares: it passes with so many left in the window, or the caller is locked out until a time. */
export type LockoutVerdict = { locked: false; remaining: number } | { locked: true; untilMs: number };

type State = { requestsMs: number[]; lockedUntilMs: number };

/**
 * The limit of 轻易云's open API: `requests` in any `windowMs`; one more locks the caller out for `lockMs`. The state
 * hangs on the parameters' object, so a fault that is set anew starts anew.
 */
export const lockouts = (): ((params: FaultParams<'target-lockout'>, nowMs: number) => LockoutVerdict) => {
  const states = new WeakMap<object, State>();
  return (params, nowMs) => {
    const state = states.get(params) ?? { requestsMs: [], lockedUntilMs: Number.NEGATIVE_INFINITY };
    states.set(params, state);
    if (nowMs < state.lockedUntilMs) {
      if (params.prolong === 'yes') state.lockedUntilMs = nowMs + params.lockMs;
      return { locked: true, untilMs: state.lockedUntilMs };
    }
    state.requestsMs = state.requestsMs.filter((ms) => ms > nowMs - params.windowMs);
    if (state.requestsMs.length >= params.requests) {
      state.lockedUntilMs = nowMs + params.lockMs;
      state.requestsMs = [];
      return { locked: true, untilMs: state.lockedUntilMs };
    }
    state.requestsMs.push(nowMs);
    return { locked: false, remaining: params.requests - state.requestsMs.length };
  };
};
