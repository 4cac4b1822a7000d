import * as z from 'zod/mini';
import { type Clock, isRecent } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import { once } from '../runtime/once.ts';

export const variableName = (description: string) =>
  z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable'), z.describe(description));

const nonEmpty = (description: string) => z.string().check(z.minLength(1), z.describe(description));

/** A value kept elsewhere: secrets never stand in an integration file. */
export const refSchema = /* @__PURE__ */ once(() =>
  z
    .union(
      [
        z.strictObject({ env: variableName('Environment variable that holds the value. 环境变量名。') }),
        z.strictObject({ ssm: nonEmpty('SSM parameter (SecureString) that holds the value. SSM 参数名。') }),
        z.strictObject({
          secretsManager: nonEmpty('Secrets Manager secret, by name or ARN. Secrets Manager 密钥名或 ARN。'),
          key: z.exactOptional(nonEmpty('Key inside a secret that is a JSON object. JSON 密钥中的键。')),
        }),
      ],
      'a reference to the value, never the value itself: {"env": "NAME"}, {"ssm": "/path"} or {"secretsManager": "name", "key": "optional"}',
    )
    .check(
      z.meta({
        id: 'reference',
        description: 'A reference to a value kept elsewhere. 引用存放在别处的值,绝不直接写明文。',
      }),
    ),
);

export type Ref = z.infer<ReturnType<typeof refSchema>>;

/** A reference to a value outside this process. */
export type StoredRef = Exclude<Ref, { env: string }>;

/** Environment variables, as `process.env` has them. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Secrets kept elsewhere, as a port (SSM Parameter Store, Secrets Manager). */
export interface SecretStore {
  /** Throws `SecretUnreadableError`. */
  read(ref: StoredRef): Promise<string>;
}

/** A secret that is referred to cannot be read. */
export class SecretUnreadableError extends Error {
  override readonly name = 'SecretUnreadableError';
  readonly code = 'secret-unreadable';

  constructor(ref: StoredRef, why: string, options?: ErrorOptions) {
    super(`${describeRef(ref)} cannot be read: ${why}`, options);
  }
}

/** Where a value is kept, for people; never the value. */
export const describeRef = (ref: Ref): string => {
  if ('env' in ref) return `environment variable ${ref.env}`;
  if ('ssm' in ref) return `SSM parameter ${ref.ssm}`;
  return `secret ${ref.secretsManager}${ref.key === undefined ? '' : ` key ${ref.key}`} in Secrets Manager`;
};

/** What a reference leads to within this process. */
export type Lookup = { kind: 'value'; value: string } | { kind: 'stored'; ref: StoredRef } | { kind: 'missing' };

/**
 * A deployed function's environment holds no secrets: a variable with one of these prefixes says where the value is.
 */
const pointers: readonly [RegExp, (target: string, key: string | undefined) => StoredRef][] = [
  [/^ssm:(?<target>.+)$/, (target) => ({ ssm: target })],
  [
    /^secretsmanager:(?<target>[^#]+)(?:#(?<key>.+))?$/,
    (target, key) => ({ secretsManager: target, ...defined({ key }) }),
  ],
];

/** A variable without the blanks and line ends around it, which a file or a paste leaves there; '' where it is not set. */
export const variableIn = (env: Env, name: string): string => env[name]?.trim() ?? '';

/**
 * Follows a reference as far as the environment leads. A variable that is empty counts as not set: that is how a stack
 * passes a parameter without a value.
 */
export const lookUp = (ref: Ref, env: Env): Lookup => {
  if (!('env' in ref)) return { kind: 'stored', ref };
  const value = variableIn(env, ref.env);
  if (value === '') return { kind: 'missing' };
  for (const [pattern, storedAt] of pointers) {
    const { target, key } = pattern.exec(value)?.groups ?? {};
    if (target !== undefined) return { kind: 'stored', ref: storedAt(target, key) };
  }
  return { kind: 'value', value };
};

/** The value that `ref` leads to, or undefined where its variable is not set. Throws `SecretUnreadableError`. */
export const resolveRef = async (ref: Ref, env: Env, secrets: SecretStore): Promise<string | undefined> => {
  const found = lookUp(ref, env);
  if (found.kind === 'missing') return undefined;
  return found.kind === 'value' ? found.value : secrets.read(found.ref);
};

/** A store that remembers, and forgets one secret when it was found to be out of date. */
export interface CachedSecrets extends SecretStore {
  forget(ref: StoredRef): void;
}

/** Reads each secret once per `lifeMs` and process. A failure is not remembered. */
export const cachedSecrets = (store: SecretStore, clock: Clock, lifeMs: number): CachedSecrets => {
  const known = new Map<string, { value: Promise<string>; readMs: number }>();
  return {
    read: (ref) => {
      const name = describeRef(ref);
      const cached = known.get(name);
      if (cached && isRecent(cached.readMs, clock.nowMs(), lifeMs)) return cached.value;
      const value = store.read(ref);
      known.set(name, { value, readMs: clock.nowMs() });
      value.catch(() => known.delete(name));
      return value;
    },
    forget: (ref) => {
      known.delete(describeRef(ref));
    },
  };
};
