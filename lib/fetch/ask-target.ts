import { askedAnew } from '../connection/limit/rest.ts';
import type { FetchDeps, FetchPlan } from './fetch-plan.ts';

/** A run begins: where its target rests, one of its records is tried at once. That nobody can tell holds no run up. */
export const askTargetAnew = async (
  { integration, target }: FetchPlan,
  { health, clock, log }: FetchDeps,
): Promise<void> => {
  try {
    await health.change(target, (known) => askedAnew(known, integration, clock.nowMs()));
  } catch (error) {
    log.error('health-unreachable', { connection: target, error: String(error) });
  }
};
