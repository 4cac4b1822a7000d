import { isJsonObject, parseJson } from '../json/json.ts';
import { type SecretStore, SecretUnreadableError, type StoredRef } from './secrets.ts';

type ParameterRef = Extract<StoredRef, { ssm: string }>;
type SecretRef = Extract<StoredRef, { secretsManager: string }>;

// Both clients are loaded when the first secret is read: most processes read none, or one kind only.
const readParameter = async ({ ssm }: ParameterRef): Promise<string | undefined> => {
  const { GetParameterCommand, SSMClient } = await import('@aws-sdk/client-ssm');
  const client = new SSMClient();
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: ssm, WithDecryption: true }));
    return Parameter?.Value;
  } finally {
    client.destroy();
  }
};

const readSecret = async ({ secretsManager }: SecretRef): Promise<string | undefined> => {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient();
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretsManager }));
    return SecretString;
  } finally {
    client.destroy();
  }
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
      text = await ('ssm' in ref ? readParameter(ref) : readSecret(ref));
    } catch (error) {
      throw new SecretUnreadableError(ref, error instanceof Error ? error.name : 'unknown error', { cause: error });
    }
    if (text === undefined || text === '') throw new SecretUnreadableError(ref, 'it holds no text');
    return 'secretsManager' in ref && ref.key !== undefined ? memberOf(ref, text, ref.key) : text;
  },
};
