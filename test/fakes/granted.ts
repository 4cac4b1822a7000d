import type { AwaitPermit } from '../../lib/connection/limit/rate-limit.ts';

/** Whoever asks may send at once. */
export const granted: AwaitPermit = async () => ({ granted: true });
