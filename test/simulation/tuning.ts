import { standardTuning, type Tuning } from '../../lib/runtime/tuning.ts';
import type { Chance } from './chance.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * The numbers that decide, as one world has them: in every other world as they are in earnest, else each drawn by
 * itself, small to large. What holds must hold under all of them, but for what one number promises another: a POST and
 * its reserve fit into an invocation, and books are looked back on for as long as a run may stay open.
 */
export const tuningOf = (chance: Chance): Tuning => {
  if (chance.happens(0.5)) return standardTuning;
  const { pick } = chance;
  return {
    fetch: {
      chunkRecords: pick([1, 2, 5_000]),
      // A postponed record of these worlds has some 200 bytes.
      chunkTextBytes: pick([600, 150_000]),
      deletionPart: pick([1, 3, 1_000]),
      leaseMarginMs: pick([1, 5_000, MINUTE_MS]),
      reserveShare: pick([0.1, 0.25, 0.5]),
      maxReserveMs: pick([5_000, 20_000, MINUTE_MS]),
      lookAgainMs: pick([5_000, MINUTE_MS, 10 * MINUTE_MS]),
      resumeWithinMs: pick([10 * MINUTE_MS, 26 * HOUR_MS]),
      runsLookedAt: pick([3, 10]),
      leastWeighed: pick([1, 100]),
    },
    load: {
      settleReserveMs: pick([3_000, 10_000, 15_000]),
      postingMs: pick([2_000, 20_000, MINUTE_MS]),
      permitWaitMs: 2_000,
      earlyMs: 3_500,
      claimTries: pick([2, 4, 8]),
      settleTries: pick([1, 3, 6]),
      settlePauseMs: pick([50, 200, 2_000]),
      letterRetryMs: pick([5_000, MINUTE_MS, 5 * MINUTE_MS]),
      unreachableWaitMs: pick([1_000, 30_000, 2 * MINUTE_MS]),
      misconfiguredWaitMs: pick([30_000, 5 * MINUTE_MS]),
      parentWaitMs: pick([1_000, 20_000]),
      maxParentWaitMs: pick([2 * HOUR_MS, 24 * HOUR_MS]),
      maxAgeMs: 30 * HOUR_MS,
    },
    dispatch: {
      aheadMs: pick([5_000, 60_000, 890_000]),
      requestsAtOnce: pick([1, 3, 100]),
      chunkBytes: pick([500, 350_000]),
      leaseMs: pick([5_000, MINUTE_MS]),
      reserveMs: 20_000,
    },
    books: { runsLookedAt: pick([50, 60]) },
    source: {
      maxRetries: pick([0, 2, 5]),
      retryBackoff: { baseMs: pick([100, 500, 5_000]), capMs: pick([5_000, 30_000]) },
      pauseBackoff: { baseMs: pick([200, 1_000, 10_000]), capMs: pick([10_000, MINUTE_MS]) },
    },
    target: { pauseMs: pick([1_000, 10_000, MINUTE_MS]) },
    connection: {
      minRequestMs: pick([50, 250, 2_000]),
      secretLifeMs: pick([1_000, 5 * MINUTE_MS]),
      tokenAheadShare: pick([0.5, 0.9, 1]),
      tokenAheadPauseMs: pick([1_000, MINUTE_MS]),
      tokenRefusedMs: 1_000,
      tokenPollMs: pick([50, 250, 2_000]),
      tokenLockMarginMs: pick([1_000, 10_000, 30_000]),
      tokenPauseBackoff: { baseMs: pick([500, 5_000]), capMs: pick([10_000, 5 * MINUTE_MS]) },
      rest: {
        windowMs: pick([MINUTE_MS, 5 * MINUTE_MS]),
        minRecords: pick([3, 10]),
        failedShare: pick([0.5, 0.7]),
        minRequests: pick([2, 3]),
        unclearAnswers: pick([2, 5]),
        pause: { baseMs: pick([500, 2_000, 10_000]), capMs: pick([20_000, 5 * MINUTE_MS]) },
      },
      refusedAnewMs: { expired: pick([1_000, MINUTE_MS]), forbidden: pick([5_000, 10 * MINUTE_MS]) },
    },
  };
};
