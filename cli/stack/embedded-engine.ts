import { type ConnectionRest, healthView } from '../../lib/connection/limit/health.ts';
import { askedAnew } from '../../lib/connection/limit/rest.ts';
import type { FetchEnd } from '../../lib/fetch/fetch-run.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import { isGivenUp, restsNow } from '../../lib/operate/pauses.ts';
import type { Engine, RunNews } from '../../lib/operate/run-now.ts';
import { leftIn } from '../../lib/runs/line.ts';
import { runIdOf } from '../../lib/runs/record.ts';
import type { RunStore } from '../../lib/runs/store.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import { systemRandom } from '../../lib/runtime/random.ts';
import type { Embedded } from './embedded.ts';

/** The embedded stack as what runs an integration: its functions are invoked as their schedules would. */
export const embeddedEngine = (embedded: Pick<Embedded, 'stack' | 'stores'>, integration: string): Engine => {
  const { stack, stores } = embedded;
  return {
    runs: stores.runs,
    idStore: stores.idStore,
    deadLetters: stores.deadLetters,
    records: stores.records,
    holds: stores,
    backlog: stack.backlog,
    closeBooks: () => stack.invoke('reconcile', { kind: 'reconcile' }),
    dispatch: () => stack.invoke('fetch', { kind: 'dispatch' }),
    work: () => stack.startEventSources(),
    start: async (asked, onNews, prepare) => {
      // The data directory is ours alone: whoever held the lease before is gone.
      const lease = await stores.runs.lease(integration);
      if (lease !== undefined && lease.untilMs > clock.nowMs()) await stores.runs.endLease(lease, clock.nowMs());
      stack.startEventSources();
      const scheduledMs = await freeSecond(stores.runs, integration);
      const more = await prepare?.({ integration, runId: runIdOf(integration, scheduledMs), versionMs: scheduledMs });
      const scheduledTime = new Date(scheduledMs).toISOString();
      const event = { kind: 'schedule', integration, scheduledTime, ...asked, ...more };
      const reading = stack.invoke('fetch', event) as Promise<FetchEnd[]>;
      const [end] = await whileReading(reading, embedded, integration, onNews);
      // The run tries a target anew that rested: what an earlier run sent need not wait any longer.
      stack.releaseDelayed();
      if (end === undefined) throw new Error('functions/fetch answered without a run');
      return end.runId;
    },
  };
};

const SECOND_MS = 1_000;

/** Run ids count seconds: a run right after a short one must not be taken for a second delivery of its event. */
const freeSecond = async (runs: RunStore, integration: string): Promise<number> => {
  let scheduledMs = clock.nowMs();
  while ((await runs.run(integration, runIdOf(integration, scheduledMs))) !== undefined) scheduledMs += SECOND_MS;
  return scheduledMs;
};

const READING_POLL_MS = 500;

/** Waits for the invocation that reads the source, and tells meanwhile how far the run is that it has begun. */
const whileReading = async <End>(
  invocation: Promise<End>,
  { stack, stores }: Pick<Embedded, 'stack' | 'stores'>,
  integration: string,
  onNews: (news: RunNews) => void,
): Promise<End> => {
  const ended = Symbol('ended');
  const over = invocation.then(
    () => ended,
    () => ended,
  );
  while ((await Promise.race([over, clock.sleep(READING_POLL_MS)])) !== ended) {
    const lease = await stores.runs.lease(integration);
    const run = lease && (await stores.runs.run(integration, lease.runId));
    if (run?.status === 'extracting') {
      const unsent = leftIn(await stores.runs.line(integration));
      onNews({ kind: 'seen', run, backlog: stack.backlog(), unsent });
    }
  }
  return invocation;
};

const LOAD_POLL_MS = 100;
/** Received a moment ago, messages are in no worker's hands yet: only then are they those of a function that failed. */
const STRANDED_AFTER_MS = 3_000;

/** How often a target is looked at that may rest. */
const REST_POLL_MS = 1_000;

/**
 * Lets the workers load what is queued, and balances the books. Messages of a function that failed are left behind, and
 * so are all where the integration's target is given up: then its rest comes back.
 */
export const loadAll = async (
  { stack, stores }: Pick<Embedded, 'stack' | 'stores'>,
  integration: Integration,
): Promise<ConnectionRest | undefined> => {
  const beganMs = clock.nowMs();
  const { change } = healthView(stores.health, { clock, random: systemRandom });
  await change(integration.target.connection.name, (health) => askedAnew(health, integration.name, beganMs));
  stack.startEventSources();
  let lookedMs = beganMs;
  let givenUp: ConnectionRest | undefined;
  let busyMs = clock.nowMs();
  for (;;) {
    const { visible, inFlight, delayed, running } = stack.backlog();
    if (visible + delayed + running > 0) busyMs = clock.nowMs();
    if (visible + inFlight + delayed + running === 0 || clock.nowMs() - busyMs > STRANDED_AFTER_MS) break;
    if (running === 0 && clock.nowMs() - lookedMs > REST_POLL_MS) {
      lookedMs = clock.nowMs();
      givenUp = (await restsNow(integration, stores.health)).find((rest) => isGivenUp(rest, beganMs));
      if (givenUp !== undefined) break;
    }
    await clock.sleep(LOAD_POLL_MS);
  }
  await stack.invoke('reconcile', { kind: 'reconcile' });
  return givenUp;
};
