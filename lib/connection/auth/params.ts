import * as z from 'zod/mini';
import { valueAt } from '../../json/path.ts';
import { isSecretName } from '../../runtime/fault.ts';
import { once } from '../../runtime/once.ts';
import { type Ref, refSchema } from '../secrets.ts';
import type { Reference } from './scheme.ts';

/** A value with references anywhere inside. */
export type Tree = Ref | string | number | boolean | null | Tree[] | { [key: string]: Tree };

const REF_KEYS = ['env', 'ssm', 'secretsManager'];

/** Whether a value is a reference; an object with the key of one and another form is refused by the schema. */
export const isRef = (value: Tree): value is Ref =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  REF_KEYS.some((key) => Object.hasOwn(value, key));

const NO_SECRET = 'a reference, such as {"env": "NAME"}, since its name says that it holds a secret';

/** App keys name an account: they are shown in consoles, and sent in the clear beside a signature. */
const PUBLIC_NAME = /^app[_-]?key$|type$|expires?(?:[_-]?in)?$/i;

const WORD = /^(?:none|null|no|yes|true|false|\d?)$/i;

/** Whether a constant under this name is surely a secret, and no word such as "none". Pure. */
export const isTypedSecret = (name: string, value: unknown): boolean =>
  typeof value === 'string' && !WORD.test(value) && isSecretName(name) && !PUBLIC_NAME.test(name);

const treeSchema: () => z.ZodMiniType<Tree> = /* @__PURE__ */ once(() => {
  const inner: z.ZodMiniType<Tree> = z.lazy(treeSchema);
  const named = z.record(z.string(), inner);
  const hasNoRef = z.refine(
    (value: unknown) => Object(value) === value && REF_KEYS.every((key) => !Object.hasOwn(Object(value), key)),
  );
  return z
    .union(
      [refSchema(), z.string(), z.number(), z.boolean(), z.null(), z.array(inner), named.check(hasNoRef)],
      'a constant, a reference such as {"env": "NAME"}, or a list or an object of these',
    )
    .check(z.meta({ id: 'tree', description: 'Constants and references. 常量与引用。' }));
});

const typedSecretsIn = (value: unknown, path: (string | number)[] = []): (string | number)[][] => {
  if (Array.isArray(value)) return value.flatMap((inner, index) => typedSecretsIn(inner, [...path, index]));
  if (typeof value !== 'object' || value === null || REF_KEYS.some((key) => Object.hasOwn(value, key))) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    isTypedSecret(name, inner) ? [[...path, name]] : typedSecretsIn(inner, [...path, name]),
  );
};

/** Refuses constants under the names of secrets, however deep. */
export const noTypedSecrets = () =>
  z.check<unknown>(({ value, issues }) => {
    for (const path of typedSecretsIn(value)) {
      issues.push({ code: 'custom', message: NO_SECRET, path, input: valueAt(value, path) });
    }
  });

/** The parameters of a token request, by their names. */
export const namedTrees = (description: string) =>
  z.record(z.string().check(z.minLength(1)), treeSchema()).check(noTypedSecrets(), z.describe(description));

const paramSchema = () =>
  z
    .strictObject({
      in: z
        .enum(['header', 'query', 'body'])
        .check(z.describe('body: the root of the JSON body, or a field of a form. 参数位置。')),
      name: z.string().check(z.minLength(1), z.describe('Name of the parameter. 参数名。')),
      value: z
        .union([refSchema(), z.string(), z.number(), z.boolean()], 'a constant, or a reference such as {"env": "NAME"}')
        .check(
          z.describe(
            'A reference, or a constant that is no secret; {{api}} in it is metadata.api. 引用,或不含密钥的常量;{{api}} 即 metadata.api。',
          ),
        ),
    })
    .check(z.refine(({ name, value }) => !isTypedSecret(name, value), { error: NO_SECRET, path: ['value'] }));

export type Param = z.infer<ReturnType<typeof paramSchema>>;

/** The key of every scheme that says what each request carries beside its token. */
export const paramsKey = () => ({
  params: z.exactOptional(
    z
      .array(paramSchema())
      .check(z.describe('What every request carries beside the token, such as an app key. 每个请求附带的参数。')),
  ),
});

/** Where a token request stands in the connection block. */
export const TOKEN_REQUEST = 'auth.request';

/** The references anywhere in a value; `key` is where it stands in the connection block. Pure. */
export const referencesIn = (value: Tree, key: string): Reference[] => {
  if (typeof value !== 'object' || value === null) return [];
  if (isRef(value)) return [{ key, ref: value }];
  if (Array.isArray(value)) return value.flatMap((inner, index) => referencesIn(inner, `${key}[${index}]`));
  return Object.entries(value).flatMap(([name, inner]) => referencesIn(inner, `${key}.${name}`));
};

/** `auth.params` with `{{api}}` filled in: one path for all methods, and the method's name as a parameter. Pure. */
export const paramsFor = (params: readonly Param[], api: string): Param[] =>
  params.map((param) =>
    typeof param.value === 'string' ? { ...param, value: param.value.replaceAll('{{api}}', () => api) } : param,
  );
