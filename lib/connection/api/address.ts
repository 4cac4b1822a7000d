import { hash } from 'node:crypto';
import type { FaultPlace } from '../../runtime/fault.ts';
import type { Env, SecretStore } from '../secrets.ts';
import { accountOf, type Connection, valuesOf } from './connection.ts';

/** Which system a connection leads to: what is known of records belongs to one. */
export type Address = {
  /** A short hash of base URL and account; the same for the same system, however its URL is written. */
  id: string;
  /** Scheme, host and port, for people. */
  origin: string;
};

/** The sandbox is one address, whatever its port. */
const SANDBOX: Address = { id: 'sandbox', origin: 'the sandbox' };

export const isSandbox = ({ id }: Address): boolean => id === SANDBOX.id;

/** Where the sandbox listens, in the environment of functions that it stands in for an end of. */
export const SANDBOX_URL_VARIABLE = 'SANDBOX_URL';

// 16 characters of base64url hold 96 bits: no two systems of one integration meet by chance.
const ID_CHARACTERS = 16;

/** A base URL as it is compared: scheme and host in small letters, no default port, no dot or slash at the end. Pure. */
export const normalisedUrl = (baseUrl: string): string => {
  const { protocol, hostname, port, pathname } = new URL(baseUrl);
  const host = `${hostname.replace(/\.$/, '')}${port === '' ? '' : `:${port}`}`;
  return `${protocol}//${host}${pathname.replace(/(?<!\/)\/+$/, '')}`;
};

/**
 * The address that a connection leads to now: its base URL and its account, never a token or a secret, which rotate.
 * Throws `ConfigurationError` and `SecretUnreadableError`.
 */
export const addressOf = async (
  connection: Connection,
  place: FaultPlace,
  env: Env,
  secrets: SecretStore,
): Promise<Address> => {
  const { baseUrl, resolve } = valuesOf(connection, place, env, secrets);
  const url = await baseUrl();
  if (url === env[SANDBOX_URL_VARIABLE]) return SANDBOX;
  const account: string[] = [];
  for (const part of accountOf(connection)) account.push(typeof part === 'string' ? part : await resolve(part));
  const normalised = normalisedUrl(url);
  const id = hash('sha256', JSON.stringify([normalised, ...account]), 'base64url').slice(0, ID_CHARACTERS);
  return { id, origin: new URL(normalised).origin };
};
