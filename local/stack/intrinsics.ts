import { isRawMap } from './service-file.ts';

/** What `Ref` and `Fn::GetAtt` answer for one resource. */
export type ResourceAnswers = { ref: string; attributes: Readonly<Record<string, string>> };

/** The resources by logical id, and AWS's pseudo parameters (`AWS::Region`) by name. */
export type IntrinsicScope = {
  resources: ReadonlyMap<string, ResourceAnswers>;
  pseudoParameters: Readonly<Record<string, string>>;
};

/** An intrinsic function that has no answer here, with the reason in plain words. */
export class UnresolvedIntrinsic extends Error {
  override readonly name = 'UnresolvedIntrinsic';
  readonly code = 'unresolved-intrinsic';
}

/**
 * Evaluates CloudFormation's `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::Join` in a value, deeply.
 * Throws UnresolvedIntrinsic for other functions and for what is not among the scope's resources.
 * Rule: AWS CloudFormation user guide, "Intrinsic function reference".
 */
export function resolveIntrinsics(value: unknown, scope: IntrinsicScope): unknown {
  if (Array.isArray(value)) return value.map((entry) => resolveIntrinsics(entry, scope));
  if (!isRawMap(value)) return value;
  const [key, ...others] = Object.keys(value);
  if (key !== undefined && others.length === 0 && (key === 'Ref' || key.startsWith('Fn::'))) {
    return evaluate(key, value[key], scope);
  }
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, resolveIntrinsics(entry, scope)]));
}

function evaluate(name: string, argument: unknown, scope: IntrinsicScope): unknown {
  switch (name) {
    case 'Ref':
      return ref(String(argument), scope);
    case 'Fn::GetAtt':
      return getAtt(Array.isArray(argument) ? argument.join('.') : String(argument), scope);
    case 'Fn::Sub':
      return sub(argument, scope);
    case 'Fn::Join':
      return join(argument, scope);
    default:
      throw new UnresolvedIntrinsic(`${name} is not evaluated on the local stack`);
  }
}

function ref(name: string, scope: IntrinsicScope): string {
  const found = scope.resources.get(name)?.ref ?? scope.pseudoParameters[name];
  if (found === undefined) throw new UnresolvedIntrinsic(`!Ref ${name} is not a queue or table of this service`);
  return found;
}

function getAtt(address: string, scope: IntrinsicScope): string {
  const dot = address.indexOf('.');
  const found = scope.resources.get(address.slice(0, dot))?.attributes[address.slice(dot + 1)];
  if (found === undefined) {
    throw new UnresolvedIntrinsic(`!GetAtt ${address} is not an attribute of a queue or table of this service`);
  }
  return found;
}

function sub(argument: unknown, scope: IntrinsicScope): string {
  const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
  const own = isRawMap(variables) ? variables : {};
  return String(template).replace(/\$\{(!?)([^}]+)\}/g, (_whole, literal: string, name: string) => {
    if (literal !== '') return `\${${name}}`;
    if (Object.hasOwn(own, name)) return String(resolveIntrinsics(own[name], scope));
    return name.includes('.') ? getAtt(name, scope) : ref(name, scope);
  });
}

function join(argument: unknown, scope: IntrinsicScope): string {
  const [delimiter, parts] = Array.isArray(argument) ? argument : [];
  if (typeof delimiter !== 'string' || !Array.isArray(parts)) {
    throw new UnresolvedIntrinsic('Fn::Join needs a delimiter and a list');
  }
  return parts.map((part) => String(resolveIntrinsics(part, scope))).join(delimiter);
}
