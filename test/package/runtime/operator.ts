import type { Sandbox } from '../../../local/sandbox/sandbox.ts';

/** What an operator puts into SSM before the first deployment (docs/deploy.md). */
export const parameters = {
  '/okki-sync/dev/okki-client-id': 'client-id-in-ssm',
  '/okki-sync/dev/okki-client-secret': 'client-secret-in-ssm',
  '/okki-sync/dev/qingyiyun-token': 'qingyiyun-token-in-ssm',
  '/okki-sync/dev/crm-token': 'crm-token-in-ssm',
} as const;

/** The sandbox knows this client only: a function that read no secret gets no token. */
export const client = {
  clientId: parameters['/okki-sync/dev/okki-client-id'],
  clientSecret: parameters['/okki-sync/dev/okki-client-secret'],
} as const;

/** Both ends at the sandbox, which allows any rate. */
export const atSandbox = ({ url }: Sandbox) => ({
  OKKI_BASE_URL: url,
  QINGYIYUN_BASE_URL: url,
  QINGYIYUN_RATE_LIMIT: '1000/1s',
  CRM_BASE_URL: url,
  CRM_RATE_LIMIT: '1000/1s',
});
