import { type Address, addressOf } from '../connection/api/address.ts';
import type { ConnectionEvent } from '../connection/auth/scheme.ts';
import { cachedSecrets, type SecretStore } from '../connection/secrets.ts';
import type { Catalog } from '../integration/catalog.ts';
import type { Integration } from '../integration/schema/schema.ts';
import type { OwnEnds, Side } from '../runs/ends.ts';
import type { SourceDeps, SourceEvent } from '../source/http-source.ts';
import type { Runtime, Stores } from '../stores/stores.ts';
import type { TargetDeps } from '../target/http-target.ts';

/** What HTTP to either end needs of an engine. */
export type ConnectionStores = Pick<Stores, 'tokens' | 'secrets' | 'limiter'>;

export type ConnectionRuntime = Runtime<ConnectionEvent | SourceEvent>;

/** What all share that speak to the two ends: HTTP, tokens, secrets and rate limits. */
export type Connections = SourceDeps & TargetDeps;

export const connectionsOf = (
  { tokens, secrets, limiter }: ConnectionStores,
  runtime: ConnectionRuntime,
): Connections => ({
  ...runtime,
  tokens,
  limiter,
  secrets: cachedSecrets(secrets, runtime.clock, runtime.tuning.connection.secretLifeMs),
});

type AddressDeps = Pick<Connections, 'env'> & { secrets: SecretStore };

/** Where one end of an integration is now. Throws ConfigurationError and SecretUnreadableError. */
export const addressOfEnd = (
  { name, ...ends }: Integration,
  side: Side,
  { env, secrets }: AddressDeps,
): Promise<Address> =>
  addressOf(ends[side].connection, { file: `integrations/${name}.json`, path: `${side}.connection` }, env, secrets);

/** Where the ends are now that are asked for. Throws ConfigurationError and SecretUnreadableError. */
export const ownEnds = async (
  integration: Integration,
  asked: readonly Side[],
  deps: AddressDeps,
): Promise<OwnEnds> => {
  const found = asked.map(
    async (side): Promise<[Side, Address]> => [side, await addressOfEnd(integration, side, deps)],
  );
  return Object.fromEntries(await Promise.all(found));
};

/** Opens an integration by its name; undefined: there is none. Throws ConfigurationError. */
export type Open<Opened> = (name: string) => Promise<Opened | undefined>;

/** Opens each integration of a catalog at its first use; a failure is not remembered. */
export const openOnce = <Opened>(
  catalog: Catalog,
  open: (integration: Integration) => Opened | Promise<Opened>,
): Open<Opened> => {
  const opened = new Map<string, Promise<Opened>>();
  return async (name) => {
    const integration = await catalog.find(name);
    if (integration === undefined) return undefined;
    const known = opened.get(name) ?? Promise.resolve(integration).then(open);
    opened.set(name, known);
    try {
      return await known;
    } catch (error) {
      opened.delete(name);
      throw error;
    }
  };
};
