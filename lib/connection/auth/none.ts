import * as z from 'zod/mini';
import { besideKeys } from './beside.ts';
import type { Credential, Scheme } from './scheme.ts';

export const noneSchema = () => z.strictObject({ kind: z.literal('none'), ...besideKeys() });

const credential: Credential = {
  authorise: (request) => request,
  secrets: [],
  renew: async () => ({ kind: 'unchanged' }),
};

/** An API that anybody may call. */
export const none: Scheme = {
  references: [],
  account: [],
  open: () => async () => ({ kind: 'credential', requests: 0, credential }),
};
