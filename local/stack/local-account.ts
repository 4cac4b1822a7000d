/**
 * The local stack's own region, whatever the service file says: queues and tables on disk are addressed by it, so
 * another region in the file must not make them look new.
 */
export const LOCAL_REGION = 'us-east-1';
/** The account that fauxqs puts into its ARNs and URLs. */
export const LOCAL_ACCOUNT_ID = '000000000000';
