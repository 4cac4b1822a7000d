import * as z from 'zod/mini';
import { bearer, bearerSchema } from './bearer.ts';
import { besideReferences } from './beside.ts';
import { declaredToken, declaredTokenSchema } from './declared-token.ts';
import { none, noneSchema } from './none.ts';
import { oauth2, oauth2Schema } from './oauth2.ts';
import type { Scheme } from './scheme.ts';

/**
 * Every scheme, by its schema. A function, and apart from `schemeOf`: a bundle that checks no files leaves the schemas
 * out. A scheme that stands here and not in `schemeOf` does not compile.
 */
export const authSchema = () =>
  z
    .discriminatedUnion('kind', [oauth2Schema(), bearerSchema(), noneSchema(), declaredTokenSchema()])
    .check(z.describe('How requests are authorised. 认证方式。'));

export type Auth = z.infer<ReturnType<typeof authSchema>>;

const schemeOfKind = (auth: Auth): Scheme => {
  switch (auth.kind) {
    case 'oauth2':
      return oauth2(auth);
    case 'bearer':
      return bearer(auth);
    case 'token':
      return declaredToken(auth);
    case 'none':
      return none;
    default:
      return auth satisfies never;
  }
};

/** The scheme that an `auth` block asks for, with all that the block refers to. */
export const schemeOf = (auth: Auth): Scheme => {
  const scheme = schemeOfKind(auth);
  return { ...scheme, references: [...scheme.references, ...besideReferences(auth)] };
};
