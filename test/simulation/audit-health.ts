import { type ConnectionHealth, healthy, type Rest } from '../../lib/connection/limit/health.ts';
import { restsOf, restsWithout } from '../../lib/connection/limit/rest.ts';
import type { Environment } from './lambda.ts';
import type { Posted, Truth } from './target-server.ts';
import type { World } from './world.ts';

/** From looking whether the target rests to sending, all that is in between included. */
const SENT_WITHIN_MS = 30_000;
/** Under way when a rest begins, and tried since. */
const MAX_UNSENT_IN_A_ROW = 60;

/** Watches who sends to a target that rests, and why it does: one for all integrations over its connection. */
export const auditHealth = (world: World) => {
  const { scheduler, settings } = world;
  const { rest: tuning } = settings.tuning.connection;
  const storesHold = settings.rates.storeRefuses + settings.rates.storeForgets === 0 && settings.clocks === 'right';
  let health: ConnectionHealth = healthy;
  /** Owner of a probe → the key of its request, which a renewed token may have sent twice. */
  const probes = new Map<string, string>();
  /** Integration → its requests that were not understood since it last rested. */
  const unclearRequests = new Map<string, number>();
  let unsentInARow = 0;
  /** Integration → when it last heard an answer over this connection. */
  const answeredMs = new Map<string, number>();

  const checkProbe = (before: ConnectionHealth, { cause, sinceMs, probe, probeAtMs }: Rest): void => {
    const known = before.rests.find((rest) => rest.cause === cause && rest.sinceMs === sinceMs);
    if (probe === undefined || known?.probe?.owner === probe.owner) return;
    if (known?.probe !== undefined) world.reach('probe lost with its worker');
    const isLate = known?.probe === undefined || known.probe.untilMs <= scheduler.nowMs();
    const isDue = probeAtMs !== undefined && (known?.probeAtMs ?? 0) <= scheduler.nowMs();
    if ((!isLate || !isDue) && settings.clocks === 'right')
      world.broken('one worker probes a target that rests, once it is time', probe.owner);
  };

  return {
    written: (environment: Environment, after: ConnectionHealth): void => {
      const before = health;
      health = after;
      const begun = restsWithout(after, before);
      world.note(environment.name, 'knows', `${after.rests.map(({ cause }) => cause).join(' ') || 'no rest'}`);
      for (const rest of after.rests) checkProbe(before, rest);
      if (after.rests.some(({ failedProbes }) => failedProbes > 0)) world.reach('probe fails');
      for (const { cause, integration, sinceMs } of restsWithout(before, after)) {
        const heardMs = Math.max(
          0,
          ...(integration === undefined ? answeredMs.values() : [answeredMs.get(integration) ?? 0]),
        );
        if (heardMs < sinceMs && settings.clocks === 'right')
          world.broken('a rest ends by an answer over its own connection', `${cause}, ${environment.name}`);
      }
      for (const { integration } of begun) {
        if (integration === undefined) continue;
        const requests = unclearRequests.get(integration) ?? 0;
        if (requests < tuning.unclearAnswers)
          world.broken('so many requests in a row stop an integration, not records', `${requests}, ${integration}`);
        unclearRequests.delete(integration);
      }
    },

    /** A request leaves for the target. */
    requestSent: ({ name }: Environment, integration: string, posted: readonly Posted[], key: string): void => {
      // Who stands still between looking and sending does not know.
      if (settings.rates.stall > 0 || settings.clocks !== 'right') return;
      for (const { sinceMs, probe } of restsOf(health, integration)) {
        if (scheduler.nowMs() - sinceMs < SENT_WITHIN_MS) continue;
        const isProbe = probe !== undefined && (probes.get(probe.owner) ?? key) === key && posted.length === 1;
        if (isProbe) probes.set(probe.owner, key);
        else world.broken('only the probe is sent to a target that rests', `${name}, ${key}`);
      }
    },

    /** The worker hears how its request ended. */
    requestAnswered: (integration: string, truth: Truth): void => {
      if (truth !== 'unsent') answeredMs.set(integration, scheduler.nowMs());
      if (truth === 'unreadable') unclearRequests.set(integration, (unclearRequests.get(integration) ?? 0) + 1);
      unsentInARow = truth === 'unsent' ? unsentInARow + 1 : 0;
      const mustRest = storesHold && unsentInARow > MAX_UNSENT_IN_A_ROW;
      if (mustRest && health.rests.length === 0) world.broken('a target without a connection rests', `${unsentInARow}`);
    },
  };
};

export type HealthAudit = ReturnType<typeof auditHealth>;
