import * as z from 'zod/mini';
import { lookUp, refSchema, resolveRef } from '../secrets.ts';
import { besideKeys } from './beside.ts';
import type { Credential, CredentialResult, Scheme } from './scheme.ts';

export const bearerSchema = () =>
  z.strictObject({
    kind: z.literal('bearer'),
    token: refSchema(),
    optional: z
      ._default(z.boolean(), false)
      .check(z.describe('Go on without a token where the reference is not set. 未设置时不带令牌继续。')),
    ...besideKeys(),
  });

/** How a request shows a token: in the Authorization header (RFC 6750 §2.1). */
export const showing = (token: string): Pick<Credential, 'authorise' | 'secrets' | 'token'> => ({
  authorise: (request) => ({ ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } }),
  secrets: [token],
  token,
});

const showingNone: ReturnType<typeof showing> = { authorise: (request) => request, secrets: [] };

/** A token made once by hand, and kept in the environment or in a secret store. */
export const bearer = ({ token: ref, optional }: z.infer<ReturnType<typeof bearerSchema>>): Scheme => ({
  references: [{ key: 'auth.token', ref, optional }],
  account: [],
  open: ({ env, secrets }) => {
    const read = () => resolveRef(ref, env, secrets);
    const credentialOf = (token: string | undefined): CredentialResult => ({
      kind: 'credential',
      requests: 0,
      credential: {
        ...(token === undefined ? showingNone : showing(token)),
        // A token in a secret store may have been rotated since it was read.
        renew: async () => {
          const found = lookUp(ref, env);
          if (found.kind !== 'stored') return { kind: 'unchanged' };
          secrets.forget(found.ref);
          const fresh = await read();
          return fresh === token ? { kind: 'unchanged' } : credentialOf(fresh);
        },
      },
    });
    return async () => credentialOf(await read());
  },
});
