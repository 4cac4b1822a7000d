import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { type Auth, authSchema, schemeOf } from '../../../lib/connection/auth/schemes.ts';

const ref = { env: 'VARIABLE' };
const oauth2 = { kind: 'oauth2', tokenPath: '/token', clientId: ref, clientSecret: ref } as const;
const blocks: Auth[] = [
  { kind: 'none' },
  { kind: 'bearer', token: ref, optional: false },
  { ...oauth2, grant: 'client_credentials' },
  { ...oauth2, grant: 'password', username: ref, password: ref },
];

/** The keys of a block under which a reference stands, in their order. */
const keysWithRefs = (block: object): string[] =>
  Object.entries(block).flatMap(([key, value]) => (value === ref ? [`auth.${key}`] : []));

describe('every scheme', () => {
  it.each(blocks)('is read as it stands in a file: %j', (block) => {
    expect(z.parse(authSchema(), block)).toEqual(block);
  });

  it.each(blocks)(
    'tells all references of its block, from which faults and the list of variables are made: %j',
    (block) => {
      expect(schemeOf(block).references.map(({ key }) => key)).toEqual(keysWithRefs(block));
    },
  );

  it('that may go without its value says so', () => {
    const references = (optional: boolean) => schemeOf({ kind: 'bearer', token: ref, optional }).references;
    expect(references(true)).toEqual([{ key: 'auth.token', ref, optional: true }]);
    expect(references(false)).toEqual([{ key: 'auth.token', ref, optional: false }]);
  });
});
