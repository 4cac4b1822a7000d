import { connectionFaults } from '../lib/connection/references.ts';
import type { Env } from '../lib/connection/secrets.ts';
import type { Connection, Integration, RateLimitSetting, Ref } from '../lib/integration/schema/schema.ts';
import { ConfigurationError } from '../lib/runtime/fault.ts';

/** The two ends of an integration. */
export type Side = 'source' | 'target';

const refsOf = ({ baseUrl, auth }: Connection): Ref[] => {
  const base = typeof baseUrl === 'string' ? [] : [baseUrl];
  if (auth.kind === 'none') return base;
  if (auth.kind === 'bearer') return [...base, auth.token];
  const user = auth.grant === 'password' ? [auth.username, auth.password] : [];
  return [...base, auth.clientId, auth.clientSecret, ...user];
};

const variablesOf = (connection: Connection, rateLimit: RateLimitSetting | undefined): string[] => [
  ...refsOf(connection).flatMap((ref) => ('env' in ref ? [ref.env] : [])),
  ...(rateLimit !== undefined && 'env' in rateLimit ? [rateLimit.env] : []),
];

const baseUrlVariable = ({ baseUrl }: Connection): string | undefined =>
  typeof baseUrl !== 'string' && 'env' in baseUrl ? baseUrl.env : undefined;

/** The sides whose base URL the environment does not give: the sandbox stands in for them. */
export const sandboxedSides = (integration: Integration, env: Env): Side[] =>
  (['source', 'target'] as const).filter((side) => {
    const variable = baseUrlVariable(integration[side].connection);
    return variable !== undefined && (env[variable] ?? '') === '';
  });

/**
 * The connections' variables for the functions: the operator's own, empty where he set none (never what serverless.yml
 * says for the cloud), and the sandbox's for the sides that it stands in for.
 * Throws ConfigurationError naming every variable that is missing.
 */
export const connectionVariables = (
  integration: Integration,
  env: Env,
  sandbox: { url: string; sides: readonly Side[] } | undefined,
): Record<string, string> => {
  const variables: Record<string, string> = {};
  for (const side of ['source', 'target'] as const) {
    const { connection, rateLimit } = integration[side];
    for (const name of variablesOf(connection, rateLimit)) variables[name] = env[name] ?? '';
    if (!sandbox?.sides.includes(side)) continue;
    for (const ref of refsOf(connection)) if ('env' in ref) variables[ref.env] = 'sandbox';
    const baseUrl = baseUrlVariable(connection);
    if (baseUrl !== undefined) variables[baseUrl] = sandbox.url;
  }
  const file = `integrations/${integration.name}.json`;
  const faults = (['source', 'target'] as const).flatMap((side) =>
    connectionFaults(integration[side].connection, variables, { file, path: `${side}.connection` }),
  );
  if (faults.length > 0) throw new ConfigurationError(faults);
  return variables;
};
