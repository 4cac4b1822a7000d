import { isAddressed } from '../../lib/connection/api/connection.ts';
import type { SecretStore } from '../../lib/connection/secrets.ts';
import { ownEnds } from '../../lib/flows/flows.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import { isOfSandbox, targetMoved } from '../../lib/operate/decide-end.ts';
import { type OwnEnds, sides } from '../../lib/runs/ends.ts';
import type { Stores } from '../../lib/stores/stores.ts';
import { UsageError } from '../input/usage-error.ts';
import { connectionVariables, hasAddress, type SidesAsked, sandboxedSides } from './sides.ts';

/** The sandbox is one address, whatever its port. */
const ANY_SANDBOX = 'http://127.0.0.1';

/**
 * Where the ends of an integration are as this process's environment says. An end that is not needed and has no address
 * is left out. Throws UsageError, ConfigurationError and SecretUnreadableError.
 */
export const addressesHere = async (
  integration: Integration,
  asked: SidesAsked,
  secrets: SecretStore,
): Promise<OwnEnds> => {
  const sandbox = { url: ANY_SANDBOX, sides: sandboxedSides(integration, process.env, asked) };
  const env = connectionVariables(integration, process.env, sandbox, []);
  const known = sides.filter((side) => isAddressed(integration[side].connection, env));
  return ownEnds(integration, known, { env, secrets });
};

/** Whether what is kept of an integration is the sandbox's, and no real target is meant now: then nobody need be asked. */
export const isSandboxOnly = async (integration: Integration, stores: Pick<Stores, 'runs'>): Promise<boolean> =>
  !hasAddress(integration, 'target', process.env) && (await isOfSandbox(integration.name, stores));

const WAYS_ON = '状态属于另一个目标,未发送。系统搬迁用 target same 保留状态;换了系统用 target new 重新开始。';

/**
 * Refuses to work on a state that is another target's: nothing would be sent that should be, or be called unchanged that
 * is not there. `named`: as the operator named the integration. Throws UsageError that says the two ways on, and what `addressesHere` throws.
 */
export const checkTarget = async (
  integration: Integration,
  asked: SidesAsked & { named: string },
  { runs, secrets }: Pick<Stores, 'runs' | 'secrets'>,
): Promise<OwnEnds> => {
  const own = await addressesHere(integration, asked, secrets);
  const moved = await targetMoved({ integration: integration.name, named: asked.named }, own, { runs });
  if (moved !== undefined) throw new UsageError(`${capital(moved)}.\n${WAYS_ON}`);
  const isAmongReal = own.target === undefined && hasAddress(integration, 'source', process.env);
  if (isAmongReal && (await isOfSandbox(integration.name, { runs }))) {
    throw new UsageError(
      `The state is that of the sandbox, and the source is real: set the target's address, or say --data-dir DIR for a state of its own. 状态属于沙箱,请设置目标地址或另选 --data-dir。`,
    );
  }
  return own;
};

const capital = (words: string): string => `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
