import { isRawMap, type RawMap } from './service-file.ts';

/** What Serverless Framework variables may refer to here. */
export type VariableScope = { raw: RawMap; stage: string; region: string; accountId: string };

/** A variable that has no value here, with the reason in plain words. */
export class UnresolvedVariable extends Error {
  override readonly name = 'UnresolvedVariable';
  readonly code = 'unresolved-variable';
}

/** The innermost `${…}`: nested ones are replaced from the inside out. `${AWS::…}` and `${Resource}` are Fn::Sub's. */
const INNERMOST = /\$\{((?:self|sls|param|opt|aws|env|ssm|cf|s3|file|strToBool)\b(?:\([^)]*\))?:?[^${}]*)\}/;
const MAX_DEPTH = 32;

/**
 * Replaces the framework's variables in one value, deeply: `self:`, `sls:stage`, `param:`, `opt:`, `aws:region`,
 * `aws:accountId` and `env:`, each with fallbacks after commas. `env:` always takes its fallback: what is deployed must
 * not depend on the host's environment. Throws UnresolvedVariable. Rule: Serverless Framework guide, "Variables".
 */
export function resolveVariables(value: unknown, scope: VariableScope, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new UnresolvedVariable('variables refer to each other in a circle');
  if (Array.isArray(value)) return value.map((entry) => resolveVariables(entry, scope, depth));
  if (isRawMap(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [key, resolveVariables(entry, scope, depth)]),
    );
  }
  if (typeof value !== 'string') return value;
  const match = INNERMOST.exec(value);
  if (match === null) return value;
  const [whole, expression = ''] = match;
  const found = resolveExpression(expression, scope, depth);
  // A variable that is the whole value keeps its type; within a text it becomes text.
  if (whole === value) return found;
  if (typeof found === 'object') throw new UnresolvedVariable(`${whole} is not a plain value but stands within a text`);
  return resolveVariables(
    value.replace(whole, () => String(found)),
    scope,
    depth + 1,
  );
}

function resolveExpression(expression: string, scope: VariableScope, depth: number): unknown {
  for (const [source] of expression.matchAll(/(?:'[^']*'|"[^"]*"|[^,])+/g)) {
    const found = lookUp(source.trim(), scope);
    if (found !== undefined && found !== null) return resolveVariables(found, scope, depth + 1);
  }
  throw new UnresolvedVariable(`\${${expression}} has no value on the local stack`);
}

function lookUp(source: string, scope: VariableScope): unknown {
  const literal = /^(['"])(.*)\1$/.exec(source);
  if (literal !== null) return literal[2];
  if (/^-?\d+(\.\d+)?$/.test(source)) return Number(source);
  if (source === 'true' || source === 'false') return source === 'true';
  const colon = source.indexOf(':');
  const kind = colon < 0 ? source : source.slice(0, colon);
  const address = colon < 0 ? '' : source.slice(colon + 1);
  switch (kind) {
    case 'self':
      return address === 'provider.stage' ? scope.stage : at(scope.raw, address);
    case 'sls':
      return address === 'stage' ? scope.stage : undefined;
    case 'opt':
      return address === 'stage' ? scope.stage : address === 'region' ? scope.region : undefined;
    case 'param':
      return at(scope.raw, `params.${scope.stage}.${address}`) ?? at(scope.raw, `params.default.${address}`);
    case 'aws':
      return address === 'region' ? scope.region : address === 'accountId' ? scope.accountId : undefined;
    default:
      return undefined;
  }
}

function at(root: unknown, address: string): unknown {
  let value = root;
  for (const key of address.split('.')) {
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isRawMap(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}
