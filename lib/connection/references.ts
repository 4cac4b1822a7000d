import { ConfigurationError, type Fault } from '../runtime/fault.ts';
import { isBaseUrl } from './base-url.ts';
import type { Connection, Ref } from './connection-schema.ts';
import { describeRef, type Env, lookUp, resolveRef, type SecretStore } from './secrets.ts';

/** Where a connection block stands, for messages: `integrations/NAME.json` and `source.connection`. */
export type BlockPlace = { file: string; path: string };

/** A key of the connection block that must lead to a value, and its reference. */
type Needed = { key: string; ref: Ref };

const neededRefs = ({ baseUrl, auth }: Connection): Needed[] => {
  const base: Needed[] = typeof baseUrl === 'string' ? [] : [{ key: 'baseUrl', ref: baseUrl }];
  if (auth.kind === 'none' || (auth.kind === 'bearer' && auth.optional)) return base;
  if (auth.kind === 'bearer') return [...base, { key: 'auth.token', ref: auth.token }];
  const client: Needed[] = [
    { key: 'auth.clientId', ref: auth.clientId },
    { key: 'auth.clientSecret', ref: auth.clientSecret },
  ];
  if (auth.grant === 'client_credentials') return [...base, ...client];
  return [
    ...base,
    ...client,
    { key: 'auth.username', ref: auth.username },
    { key: 'auth.password', ref: auth.password },
  ];
};

const notSet = ({ file, path }: BlockPlace, { key, ref }: Needed): Fault => ({
  file,
  path: `${path}.${key}`,
  expected: `${describeRef(ref)} to be set`,
  found: 'nothing',
});

// What stands there instead is not shown: it may be a secret that was put into the wrong variable.
const notAUrl = ({ file, path }: BlockPlace, ref: Ref): Fault => ({
  file,
  path: `${path}.baseUrl`,
  expected: `an http or https URL without user name, password, query or fragment in ${describeRef(ref)}`,
  found: 'another text',
});

/** What the environment does not give of what a connection refers to, all at once. */
export const connectionFaults = (connection: Connection, env: Env, place: BlockPlace): Fault[] =>
  neededRefs(connection).flatMap((needed): Fault[] => {
    const found = lookUp(needed.ref, env);
    if (found.kind === 'missing') return [notSet(place, needed)];
    const isBadUrl = needed.key === 'baseUrl' && found.kind === 'value' && !isBaseUrl(found.value);
    return isBadUrl ? [notAUrl(place, needed.ref)] : [];
  });

/** The values that a connection block refers to. Both throw `ConfigurationError` and `SecretUnreadableError`. */
export type References = {
  /** `key` names the reference's place in the block. */
  needed(key: string, ref: Ref): Promise<string>;
  baseUrl(): Promise<string>;
};

export const referencesOf = (
  { baseUrl }: Connection,
  place: BlockPlace,
  env: Env,
  secrets: SecretStore,
): References => {
  const needed = async (key: string, ref: Ref): Promise<string> => {
    const value = await resolveRef(ref, env, secrets);
    if (value === undefined) throw new ConfigurationError([notSet(place, { key, ref })]);
    return value;
  };
  return {
    needed,
    baseUrl: async () => {
      if (typeof baseUrl === 'string') return baseUrl;
      const text = await needed('baseUrl', baseUrl);
      if (!isBaseUrl(text)) throw new ConfigurationError([notAUrl(place, baseUrl)]);
      return text;
    },
  };
};
