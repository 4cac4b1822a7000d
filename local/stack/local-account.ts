import { randomBytes } from 'node:crypto';

/**
 * The local stack's own region, whatever the service file says. Queues and tables on disk are stored under it: another
 * region in the file must not make them look new.
 */
export const LOCAL_REGION = 'us-east-1';
/** The account that fauxqs puts into its ARNs and URLs. */
export const LOCAL_ACCOUNT_ID = '000000000000';

/** As the AWS SDK's clients take them. */
export type Credentials = { accessKeyId: string; secretAccessKey: string };

/**
 * Credentials of one start. The servers admit whoever knows the access key, which nobody can guess. They do not check
 * the signature, so there is no secret beside it.
 */
export const newCredentials = (): Credentials => {
  const accessKeyId = randomBytes(24).toString('hex');
  return { accessKeyId, secretAccessKey: accessKeyId };
};
