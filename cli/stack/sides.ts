import { type Connection, connectionFaults, referencesOf } from '../../lib/connection/api/connection.ts';
import type { RateLimitSetting } from '../../lib/connection/limit/rate-limit.ts';
import type { Env } from '../../lib/connection/secrets.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import { ConfigurationError } from '../../lib/runtime/fault.ts';

/** The two ends of an integration. */
export type Side = 'source' | 'target';

/** The variables that a connection's values come from. */
const valueVariables = (connection: Connection): string[] =>
  referencesOf(connection).flatMap(({ ref }) => ('env' in ref ? [ref.env] : []));

const variablesOf = (connection: Connection, rateLimit: RateLimitSetting | undefined): string[] => [
  ...valueVariables(connection),
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
    for (const name of valueVariables(connection)) variables[name] = 'sandbox';
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
