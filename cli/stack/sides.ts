import {
  type Connection,
  connectionFaults,
  referencesOf,
  SANDBOX_URL_VARIABLE,
} from '../../lib/connection/api/connection.ts';
import { limitOf, type RateLimitSetting } from '../../lib/connection/limit/rate-limit.ts';
import { type Env, variableIn } from '../../lib/connection/secrets.ts';
import { readIntegrations } from '../../lib/integration/read.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import { type Side, sides } from '../../lib/runs/ends.ts';
import { ConfigurationError, type Fault } from '../../lib/runtime/fault.ts';
import { suggestion } from '../../lib/runtime/nearest.ts';
import { SHIPPED_DIR } from '../input/integration-choice.ts';
import { UsageError } from '../input/usage-error.ts';

const otherSide = { source: 'target', target: 'source' } as const satisfies Record<Side, Side>;

/** The variables that a connection's values come from. */
const valueVariables = (connection: Connection): string[] =>
  referencesOf(connection).flatMap(({ ref }) => ('env' in ref ? [ref.env] : []));

const variablesOf = (connection: Connection, rateLimit: RateLimitSetting | undefined): string[] => [
  ...valueVariables(connection),
  ...(rateLimit !== undefined && 'env' in rateLimit ? [rateLimit.env] : []),
];

/** The variables that an integration reads, of both ends. */
const variablesRead = (integration: Integration): string[] =>
  sides.flatMap((side) => variablesOf(integration[side].connection, integration[side].rateLimit));

const baseUrlVariable = ({ baseUrl }: Connection): string | undefined =>
  typeof baseUrl !== 'string' && 'env' in baseUrl ? baseUrl.env : undefined;

/** Whether an end has an address: in the file, in a secret store, or in a variable that is set. */
export const hasAddress = (integration: Integration, side: Side, env: Env): boolean => {
  const variable = baseUrlVariable(integration[side].connection);
  return variable === undefined || variableIn(env, variable) !== '';
};

/** Which ends a command speaks to, and which of them the operator wants the sandbox for. */
export type SidesAsked = { needs: readonly Side[]; sandbox?: Side };

/**
 * The ends that the sandbox stands in for: both where neither has an address, or the one that was asked for. The sandbox
 * never meets a real system by itself. Throws UsageError where one end has an address and the other, which is needed,
 * has none.
 */
export const sandboxedSides = (integration: Integration, env: Env, { needs, sandbox }: SidesAsked): Side[] => {
  const variables = {
    source: baseUrlVariable(integration.source.connection),
    target: baseUrlVariable(integration.target.connection),
  };
  const isAddressed = (side: Side): boolean => hasAddress(integration, side, env);
  const place = (side: Side): string => variables[side] ?? `${side}.connection.baseUrl in the file`;
  if (sandbox !== undefined) {
    const other = otherSide[sandbox];
    if (variables[sandbox] === undefined) {
      throw new UsageError(`--sandbox ${sandbox}: its address stands in the file. 地址写在集成文件里,沙箱无法代替。`);
    }
    if (needs.includes(other) && !isAddressed(other)) {
      throw new UsageError(
        `--sandbox ${sandbox} leaves the ${other} to you, and ${place(other)} is not set. Without --sandbox the sandbox stands in for both. 请设置 ${place(other)},或去掉 --sandbox。`,
      );
    }
    return needs.includes(sandbox) ? [sandbox] : [];
  }
  const without = sides.filter((side) => !isAddressed(side));
  const [missing] = without;
  if (missing === undefined) return [];
  if (without.length === sides.length) return [...needs];
  if (!needs.includes(missing)) return [];
  const set = otherSide[missing];
  throw new UsageError(
    `${place(set)} is set, ${place(missing)} is not: the sandbox never meets a real system by itself. Set both, or say --sandbox ${missing}. 只有一端设置了地址:请两端都设置,或加 --sandbox ${missing}。`,
  );
};

/** Where the file of an integration stands, for people. */
const fileOf = ({ name }: Integration): string => `integrations/${name}.json`;

const limitFaults = (integration: Integration, side: Side, env: Env): readonly Fault[] => {
  try {
    limitOf(integration[side].rateLimit, { file: fileOf(integration), path: side }, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
};

/**
 * The connections' variables for the functions: the operator's own, empty where he set none (never what serverless.yml
 * says for the cloud), and the sandbox's for the sides that it stands in for.
 * Throws ConfigurationError naming every variable that is missing or wrong of the ends that are needed.
 */
export const connectionVariables = (
  integration: Integration,
  env: Env,
  sandbox: { url: string; sides: readonly Side[] } | undefined,
  needs: readonly Side[] = sides,
): Record<string, string> => {
  const variables: Record<string, string> = {};
  for (const side of sides) {
    const { connection, rateLimit } = integration[side];
    for (const name of variablesOf(connection, rateLimit)) variables[name] = variableIn(env, name);
    if (!sandbox?.sides.includes(side)) continue;
    for (const name of valueVariables(connection)) variables[name] = 'sandbox';
    const baseUrl = baseUrlVariable(connection);
    if (baseUrl !== undefined) variables[baseUrl] = sandbox.url;
    variables[SANDBOX_URL_VARIABLE] = sandbox.url;
  }
  const faults = needs.flatMap((side) => [
    ...connectionFaults(integration[side].connection, variables, {
      file: fileOf(integration),
      path: `${side}.connection`,
    }),
    ...limitFaults(integration, side, variables),
  ]);
  if (faults.length > 0) throw new ConfigurationError(faults);
  return variables;
};

/** Variables of the shipped integrations begin so; one that nobody reads is most likely misspelt. */
const OURS = /^(OKKI|QINGYIYUN|CRM)_/;

/** A line for each variable that looks like one of ours, and that neither this nor a shipped integration reads. */
export const strangeVariables = (integration: Integration, env: Env): string[] => {
  const read = [integration, ...readIntegrations([SHIPPED_DIR]).integrations].flatMap(variablesRead);
  return Object.keys(env)
    .filter((name) => OURS.test(name) && !read.includes(name))
    .map((name) => `! ${name} is set, and nothing reads it${suggestion(name, read)}. 未使用的变量。`);
};
