import { isSecretName } from '../../runtime/fault.ts';
import type { MetadataField } from '../schema/schema.ts';

/** A shorter constant under such a name is rather a word, such as "none", than a secret. */
const MIN_CHARACTERS = 8;

/** The constants of a block that stand under the name of a secret: they are sent, and are shown no more than others. Pure. */
export const typedSecretsIn = (...trees: readonly (readonly MetadataField[] | null | undefined)[]): string[] =>
  trees.flatMap((fields) =>
    (fields ?? []).flatMap(({ field, value, children }) => {
      const isTyped = typeof value === 'string' && value.length >= MIN_CHARACTERS && !value.includes('{{');
      return [...(isTyped && isSecretName(field) ? [value] : []), ...typedSecretsIn(children)];
    }),
  );
