import { refusalKeys } from './access-rules.ts';
import { type Param, paramsKey, referencesIn } from './params.ts';
import type { Reference, SchemeDeps, UnsentRequest } from './scheme.ts';
import { type Sign, signKey, signReferences, signsIn } from './sign.ts';

/** The keys that stand beside every kind: how access is refused, what each request carries, and how it is signed. */
export const besideKeys = () => ({ ...refusalKeys(), ...paramsKey(), ...signKey() });

/** What stands beside the kind of an `auth` block. */
type Beside = { params?: readonly Param[]; sign?: Sign | readonly Sign[] };

/** All that the keys beside a kind refer to. Pure. */
export const besideReferences = ({ params = [], sign }: Beside): Reference[] => [
  ...params.flatMap(({ value }, index) => referencesIn(value, `auth.params[${index}].value`)),
  ...signReferences(sign, 'auth.sign'),
];

/**
 * The request as one attempt sends it: with `auth.params`, then signed; and what of it nobody may see. Throws
 * `ConfigurationError` and `SecretUnreadableError`.
 */
export const dressed = async (
  request: UnsentRequest,
  { params = [], sign }: Beside,
  deps: Pick<SchemeDeps, 'clock' | 'random' | 'resolve'>,
): Promise<{ request: UnsentRequest; secrets: string[] }> => {
  const secrets: string[] = [];
  if (params.length === 0 && sign === undefined) return { request, secrets };
  const { withParams, withSigns } = await import('./dressing.ts');
  const filled = await withParams(request, params, deps.resolve, secrets);
  return { request: await withSigns(filled, signsIn(sign), 'auth.sign', deps, secrets), secrets };
};
