import type { ConnectionRest, HealthStore } from '../connection/limit/health.ts';
import { shownRests } from '../connection/limit/rest.ts';
import type { Integration } from '../integration/schema/schema.ts';

/** The rests that hold an integration's records now. Throws where the store cannot be reached. */
export const restsNow = async (
  { name, target }: Integration,
  health: Pick<HealthStore, 'read'>,
): Promise<ConnectionRest[]> => {
  const { connection } = target;
  return shownRests((await health.read(connection.name)).health, connection.name, name);
};

/** Whoever waits at a terminal gives a target up after so many records were tried in vain. */
const PROBES_IN_VAIN = 5;

/**
 * Whether nobody waits for the end of a rest: it ends with the next run only, or enough records were tried in vain, one
 * of them since `sinceMs`. Pure.
 */
export const isGivenUp = (
  { probeAtMs, sinceMs: beganMs, failedMs = beganMs, failedProbes }: ConnectionRest,
  sinceMs: number,
): boolean => failedMs >= sinceMs && (probeAtMs === undefined || failedProbes >= PROBES_IN_VAIN);
