import { addressOfEnd } from '../../lib/flows/flows.ts';
import { decideByHand } from '../../lib/operate/decide-end.ts';
import { memoryAuditLog } from '../fakes/memory-audit-log.ts';
import { memoryRateLimiter } from '../fakes/memory-rate-limiter.ts';
import { memorySecretStore } from '../fakes/memory-secret-store.ts';
import { MOVED_URL, SOURCE_URL, TARGET_URL } from './network.ts';
import type { World } from './world.ts';

/** The environment variables of what is opened now. */
export const envOf = ({ hasMoved }: World) => {
  const target = hasMoved ? MOVED_URL : TARGET_URL;
  return {
    OKKI_BASE_URL: SOURCE_URL,
    OKKI_CLIENT_ID: 'client',
    OKKI_CLIENT_SECRET: 'secret',
    QINGYIYUN_BASE_URL: target,
    QINGYIYUN_TOKEN: 'token',
    CRM_BASE_URL: target,
    CRM_TOKEN: 'token',
  };
};

/** The target is at another address from now on; what is known of it, if anything, is that of the first one. */
export const moveTarget = async (world: World): Promise<void> => {
  const known = (await world.runTable.ends(world.integration.name))?.target;
  world.hasMoved = true;
  world.isUndecided = known !== undefined;
  for (const environment of world.fleet.environments) environment.isRetired = true;
  world.note('world', 'moves the target');
};

/** Somebody says that it is the same system. */
export const sayTheSame = async (world: World): Promise<void> => {
  const { integration, runTable: runs, permits, scheduler } = world;
  const clock = { nowMs: scheduler.nowMs, sleep: () => Promise.reject(new Error('nobody sleeps over a word')) };
  const now = await addressOfEnd(integration, 'target', { env: envOf(world), secrets: memorySecretStore() });
  world.isUndecided = false;
  await decideByHand(
    {
      integration: integration.name,
      connection: integration.target.connection.name,
      side: 'target',
      verdict: 'same',
      now,
    },
    { by: 'operator', why: 'it has moved' },
    { runs, limiter: memoryRateLimiter(clock, permits), audit: memoryAuditLog(), clock },
  );
  world.note('operator', 'says that the target is the same');
};
