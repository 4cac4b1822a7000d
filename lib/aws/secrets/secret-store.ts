import { type SecretStore, SecretUnreadableError, type StoredRef } from '../../connection/secrets.ts';
import { isJsonObject, parseJson } from '../../json/json.ts';

type SecretRef = Extract<StoredRef, { secretsManager: string }>;

/**
 * Each client is loaded when the first secret of its kind is read: most processes read none, or one kind only. By way
 * of modules of ours, since a bundler keeps the whole of a package that is itself imported dynamically.
 */
const readText = async (ref: StoredRef): Promise<string | undefined> => {
  if ('ssm' in ref) return (await import('./ssm-parameter.ts')).readParameter(ref.ssm);
  return (await import('./secrets-manager-secret.ts')).readSecret(ref.secretsManager);
};

/** One member of a secret that is a JSON object; parse errors are not passed on, since they quote the secret. */
const memberOf = (ref: SecretRef, text: string, key: string): string => {
  let secret: unknown;
  try {
    secret = parseJson(text);
  } catch {
    throw new SecretUnreadableError(ref, 'a key is asked for, but the secret is not JSON');
  }
  const member = isJsonObject(secret) && Object.hasOwn(secret, key) ? secret[key] : undefined;
  if (typeof member !== 'string') throw new SecretUnreadableError(ref, 'it is a text under no such key');
  return member;
};

/**
 * SSM Parameter Store and Secrets Manager through the SDK, with its own credentials, region and retries. Needs
 * `ssm:GetParameter` or `secretsmanager:GetSecretValue` (and `kms:Decrypt` for a key of one's own).
 */
export const awsSecretStore: SecretStore = {
  read: async (ref) => {
    let text: string | undefined;
    try {
      text = await readText(ref);
    } catch (error) {
      throw new SecretUnreadableError(ref, error instanceof Error ? error.name : 'unknown error', { cause: error });
    }
    if (text === undefined || text === '') throw new SecretUnreadableError(ref, 'it holds no text');
    return 'secretsManager' in ref && ref.key !== undefined ? memberOf(ref, text, ref.key) : text;
  },
};
