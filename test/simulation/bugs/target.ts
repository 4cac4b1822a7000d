import { isNotUnderstood, type Outcome, type Target } from '../../../lib/target/target.ts';
import type { Bug } from '../bug.ts';
import { failing, unhurried } from './harsher.ts';

/** A target whose outcomes are taken for others. */
const misjudging =
  (change: (outcome: Outcome) => Outcome): NonNullable<Bug['target']> =>
  (target) => ({
    ...target,
    post: async (records, awaitPermit) => {
      const { outcomes, requests } = await target.post(records, awaitPermit);
      return { outcomes: outcomes.map(change), requests };
    },
  });

const withKeys = (target: Target, keyOf: () => string): Target => ({
  ...target,
  post: (records, awaitPermit) =>
    target.post(
      records.map((record) => ({ ...record, idempotencyKey: keyOf() })),
      awaitPermit,
    ),
});

/** Bugs in what is sent to the target, or made of its answers. */
export const targetBugs: readonly Bug[] = [
  {
    name: 'timeout-is-failure',
    summary: 'a time-out counts as surely not applied',
    seeds: 100,
    target: misjudging((outcome) =>
      outcome.kind === 'uncertain' ? { kind: 'notApplied', failure: outcome.failure, waits: false } : outcome,
    ),
  },
  {
    name: 'slow-is-unsent',
    summary: 'a target that is too slow counts as one without a connection',
    seeds: 100,
    harsher: (settings) => ({
      ...failing(settings, {}),
      outages: [{ as: 'slow', fromMs: 0, untilMs: settings.troubledMs }],
    }),
    target: misjudging((outcome) =>
      outcome.kind === 'uncertain' && outcome.failure.cause === 'timeout'
        ? { kind: 'notApplied', failure: { cause: 'refused' }, waits: false }
        : outcome,
    ),
  },
  {
    name: 'error-is-success',
    summary: 'a dropped answer counts as loaded',
    seeds: 100,
    target: misjudging((outcome) => (outcome.kind === 'uncertain' ? { kind: 'loaded' } : outcome)),
  },
  {
    name: 'envelope-is-success',
    summary: 'a refusal inside a 2xx that no rule names counts as loaded',
    seeds: 300,
    harsher: (settings) => failing(settings, { target: 0.5 }),
    target: misjudging((outcome) =>
      outcome.kind === 'rejected' && outcome.failure.excerpt?.startsWith('errcode') ? { kind: 'loaded' } : outcome,
    ),
  },
  {
    name: 'cut-is-success',
    summary: 'a 2xx that cannot be read counts as loaded',
    seeds: 100,
    target: misjudging((outcome) =>
      outcome.kind === 'uncertain' && isNotUnderstood(outcome.failure) ? { kind: 'loaded' } : outcome,
    ),
  },
  {
    name: 'unread-is-sent-again',
    summary: 'a 2xx that cannot be read is sent again, as after a time-out',
    seeds: 100,
    where: ({ policy }) => policy.onUncertain === 'resend',
    target: misjudging((outcome) =>
      outcome.kind === 'uncertain' && isNotUnderstood(outcome.failure)
        ? { kind: 'uncertain', failure: { cause: 'timeout' } }
        : outcome,
    ),
  },
  {
    name: 'conflict-is-refusal',
    summary: 'a 409 to a try that is under way counts as a refusal',
    seeds: 300,
    where: ({ tellsUnderWay, policy, rates }) => tellsUnderWay && policy.onUncertain === 'resend' && rates.target > 0,
    target: misjudging((outcome) =>
      outcome.kind === 'conflict' ? { kind: 'rejected', failure: outcome.failure } : outcome,
    ),
  },
  {
    name: 'rejected-for-ever',
    summary: 'what the target refuses is sent again and again',
    seeds: 100,
    // Where a record may wait a day for its parent, a world that never rests takes too long.
    where: ({ tree }) => tree === 'none',
    harsher: unhurried,
    target: misjudging((outcome) =>
      outcome.kind === 'rejected'
        ? { kind: 'notApplied', failure: outcome.failure, waits: true, pauseMs: 600_000 }
        : outcome,
    ),
  },
  {
    name: 'waiting-counts-as-failing',
    summary: 'a 429 uses up an attempt',
    seeds: 150,
    where: ({ rates, integration }) => rates.target === 0.5 && integration.target.retry.maxAttempts === 2,
    target: misjudging((outcome) => (outcome.kind === 'notApplied' ? { ...outcome, waits: false } : outcome)),
  },
  {
    name: 'key-on-delivery',
    summary: 'the Idempotency-Key is the delivery’s, not the content’s',
    seeds: 100,
    target: (target, world) => withKeys(target, () => world.chance.token()),
  },
  {
    name: 'park-ignored',
    summary: 'an unknown outcome is sent again although the integration says park',
    seeds: 100,
    loadPolicy: (policy) => ({ ...policy, onUncertain: 'resend' }),
  },
];
