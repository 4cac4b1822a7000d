import { defined } from '../../lib/runtime/defined.ts';
import {
  type Endpoint,
  endpoints,
  type FaultName,
  type FaultParams,
  type FaultSpec,
  faultTable,
  type ParamSpec,
  type Selector,
  selectors,
} from './fault-table.ts';

type FaultOf<N extends FaultName> = {
  name: N;
  params: FaultParams<N>;
  /** Absent: for ever. */
  times?: number;
  every: number;
  after: number;
  /** As strings; absent: any. */
  ids?: readonly string[];
  on: readonly Endpoint[];
  /** As it was written. */
  text: string;
};

/** One fault of the sandbox, as `parseFault` read it. */
export type Fault = { [N in FaultName]: FaultOf<N> }[FaultName];

/** A `--fault` that cannot be read; the message says what is allowed. */
export class FaultSyntaxError extends Error {
  override readonly name = 'FaultSyntaxError';
  readonly code = 'fault-syntax';
}

const faultNames = Object.keys(faultTable) as FaultName[];
const isFaultName = (name: string): name is FaultName => Object.hasOwn(faultTable, name);
const isEndpoint = (name: string): name is Endpoint => (endpoints as readonly string[]).includes(name);
const isSelector = (key: string): key is Selector => Object.hasOwn(selectors, key);
const WHOLE_NUMBER = /^\d{1,15}$/;

/**
 * Reads `name:key=value:key=value…`; a value may hold %3A for a colon, as in URLs.
 *
 * Throws FaultSyntaxError for an unknown name or key, or a value that does not fit.
 */
export const parseFault = (text: string): Fault => {
  const [name = '', ...settings] = text.trim().split(':');
  if (!isFaultName(name)) throw new FaultSyntaxError(`there is no fault "${name}"; known: ${faultNames.join(', ')}`);
  const spec: FaultSpec = faultTable[name];
  const given = readSettings(name, spec, settings);

  const selector = (key: 'times' | 'every' | 'after', least: number): number | undefined =>
    wholeNumber(name, key, given.get(key), least);
  const times = selector('times', 1) ?? spec.times;
  const ids = given.get('ids')?.split(',').filter(Boolean);
  if (ids?.length === 0) throw new FaultSyntaxError(`${name}: ids names no id; write ids=ID,ID`);

  const params = Object.fromEntries(
    Object.entries(spec.params).map(([key, param]) => [key, paramValue(name, key, param, given.get(key))]),
  );
  return {
    name,
    params,
    every: selector('every', 1) ?? 1,
    after: selector('after', 0) ?? 0,
    on: endpointsOf(name, spec, given.get('on')),
    text: text.trim(),
    ...defined({ times }),
    ...defined({ ids }),
    // The params were built from this very name's row of the table.
  } as Fault;
};

/** Whether a fault shows at the targets; else it does at the source. */
export const isOnTarget = ({ on }: Fault): boolean =>
  on.some((endpoint) => endpoint === 'qingyiyun' || endpoint === 'crm');

const readSettings = (name: FaultName, spec: FaultSpec, settings: readonly string[]): Map<string, string> => {
  const allowed = [...Object.keys(spec.params), ...spec.selectors];
  const given = new Map<string, string>();
  for (const setting of settings) {
    const equals = setting.indexOf('=');
    const key = equals < 0 ? setting : setting.slice(0, equals);
    if (equals < 0 || !allowed.includes(key)) {
      const words = allowed.length === 0 ? 'nothing can be set' : `allowed: ${allowed.map((k) => `${k}=…`).join(', ')}`;
      throw new FaultSyntaxError(`${name}: "${setting}" is not a setting of this fault; ${words}`);
    }
    if (given.has(key)) throw new FaultSyntaxError(`${name}: ${key} is given twice`);
    given.set(key, decoded(name, key, setting.slice(equals + 1)));
  }
  return given;
};

const decoded = (name: FaultName, key: string, value: string): string => {
  try {
    return decodeURIComponent(value);
  } catch (cause) {
    throw new FaultSyntaxError(`${name}: ${key} has a stray "%"; write %25 for the sign itself`, { cause });
  }
};

const wholeNumber = (name: FaultName, key: string, value: string | undefined, least: number): number | undefined => {
  if (value === undefined) return undefined;
  if (!WHOLE_NUMBER.test(value) || Number(value) < least) {
    throw new FaultSyntaxError(`${name}: ${key} must be a whole number from ${least}, not "${value}"`);
  }
  return Number(value);
};

const paramValue = (
  name: FaultName,
  key: string,
  param: ParamSpec,
  value: string | undefined,
): number | string | undefined => {
  switch (param.kind) {
    case 'number': {
      const number = wholeNumber(name, key, value, 0) ?? param.default;
      // Node refuses to write a status outside of this range, and 1xx is no final answer (RFC 9110 §15.2).
      if (key === 'status' && number !== undefined && (number < 200 || number > 599)) {
        throw new FaultSyntaxError(`${name}: status must be from 200 to 599, not "${value}"`);
      }
      return number;
    }
    case 'word':
      if (value !== undefined && !param.of.includes(value)) {
        throw new FaultSyntaxError(`${name}: ${key} must be one of ${param.of.join(', ')}, not "${value}"`);
      }
      return value ?? param.default;
    case 'text':
      return value ?? param.default;
  }
};

/** By default a source fault spares the token endpoints, so that it shows where the mission's endpoint is read. */
const endpointsOf = (name: FaultName, spec: FaultSpec, value: string | undefined): readonly Endpoint[] => {
  if (value === undefined) {
    const lists = spec.on.filter((endpoint) => endpoint === 'groups' || endpoint === 'receipts');
    return lists.length > 0 ? lists : spec.on;
  }
  return value.split(',').map((endpoint) => {
    if (isEndpoint(endpoint) && spec.on.includes(endpoint)) return endpoint;
    throw new FaultSyntaxError(`${name}: on must name ${spec.on.join(', ')}, not "${endpoint}"`);
  });
};

const paramHelp = (key: string, param: ParamSpec): string => {
  const byDefault = param.default === undefined || param.default === '' ? '' : `; default ${param.default}`;
  const words = param.kind === 'word' ? ` (${param.of.join(' or ')})` : '';
  return `      ${key}=…  ${param.does}${words}${byDefault}`;
};

const faultLines = (name: FaultName): string[] => {
  const spec: FaultSpec = faultTable[name];
  const own = spec.selectors.filter(isSelector);
  const picks = own.length === 0 ? '' : ` [${own.join(' ')}]`;
  const once = spec.times === undefined ? '' : ` (${spec.times} time unless times=N)`;
  return [
    `  ${name}${picks}`,
    `      ${spec.does}${once}`,
    ...Object.entries(spec.params).map(([key, param]) => paramHelp(key, param)),
  ];
};

/** The grammar of `--fault` and all faults with their settings, for `--help`. */
export const faultHelp: string = [
  'A fault is written NAME or NAME:KEY=VALUE:KEY=VALUE… and lasts until it is taken away or its times are used up.',
  'For example: --fault target-refuse:ids=5203300076,5203300077 --fault source-429:times=2:retryAfter=1',
  '',
  'Source faults spare the token endpoints unless on=token or on=refresh names them.',
  '',
  'Which occasions (where a fault lists the key in brackets):',
  ...Object.entries(selectors).map(([key, does]) => `  ${key}=…  ${does}`),
  '',
  'Faults:',
  ...faultNames.flatMap(faultLines),
].join('\n');
