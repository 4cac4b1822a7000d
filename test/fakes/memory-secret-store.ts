import { describeRef, type SecretStore, SecretUnreadableError } from '../../lib/connection/secrets.ts';

/** Secrets in memory, by their description (`SSM parameter /a`); what is not there cannot be read. */
export const memorySecretStore = (secrets: Readonly<Record<string, string>> = {}): SecretStore => ({
  read: async (ref) => {
    const secret = secrets[describeRef(ref)];
    if (secret === undefined) throw new SecretUnreadableError(ref, 'ParameterNotFound');
    return secret;
  },
});
