/** A path inside a file, from its root. */
export type FaultPath = readonly (string | number)[];

/** Something that an integration file says and must not say, or does not say and must. */
export type Fault = {
  /** The file, as it was named. */
  file: string;
  /** `source.paging.kind`; empty for the file as a whole. */
  path: string;
  /** From 1, in UTF-16 code units; absent where there is no text to point at. */
  position?: { line: number; column: number };
  /** What is there, in words; never a secret. */
  found: string;
  /** What was expected there, in words. */
  expected: string;
};

/** Where a block of a file stands: `integrations/NAME.json` and `source.connection`. */
export type FaultPlace = Pick<Fault, 'file' | 'path'>;

/** Thrown for faulty configuration, with every fault at once. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly code = 'configuration';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(describeFault).join('\n'));
    this.faults = faults;
  }
}

/** One line for people: `file:line:column path: expected …, found …`. */
export const describeFault = ({ file, path, position, expected, found }: Fault): string => {
  const place = position === undefined ? file : `${file}:${position.line}:${position.column}`;
  return `${place} ${path === '' ? '' : `${path}: `}expected ${expected}; found ${found}`;
};

const PLAIN_KEY = /^[\p{L}_$][\p{L}\p{N}_$-]*$/u;

/** `['a', 0, 'b c']` as `a[0]["b c"]`. */
export const formatPath = (path: FaultPath): string =>
  path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!PLAIN_KEY.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');

const SHOWN_CHARACTERS = 60;

/** Where a connection has its secrets, or somebody who does not know that puts one. */
const SECRET_PLACES: ReadonlySet<FaultPath[number]> = new Set(['auth', 'baseUrl', 'connection']);

const isSecretPlace = (path: FaultPath): boolean =>
  path.some((step) => SECRET_PLACES.has(step) || (typeof step === 'string' && isSecretName(step)));

/**
 * What stands at a place, in words. Where a secret might stand, a text's kind alone is told. `named`: the name under which
 * the value is sent, where it is none of the path.
 */
export const describeFound = (value: unknown, path: FaultPath, named?: string): string => {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty object' : 'an object';
  const isSecret = isSecretPlace(path) || (named !== undefined && isSecretName(named));
  if (isSecret && typeof value === 'string') return 'a text';
  if (isSecret && path.includes('auth')) return `a ${typeof value}`;
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
};

const SECRET =
  /secret|password|passwd|pwd|token|(?:app|api|access|private|session)[_-]?key|authorization|credential|cookie|密码|密钥|令牌/i;

/** Whether a field or key of this name may well hold a secret. */
export const isSecretName = (name: string): boolean => SECRET.test(name);
