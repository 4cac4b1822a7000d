import { isJsonObject, parsedOrUndefined } from '../json/json.ts';

/** Why a record was put back: a cause of the loader's, and the status where the target answered. */
export type PutBack = { cause: string; status?: number };

/**
 * Why records were last put back, from the end of the load function's log: the queue itself does not tell. Undefined
 * where the log says nothing of it.
 */
export const lastPutBack = (log: string): PutBack | undefined => {
  for (const line of log.split('\n').reverse()) {
    const found = putBackIn(line);
    if (found !== undefined) return found;
  }
  return undefined;
};

const putBackIn = (line: string): PutBack | undefined => {
  const entry = parsedOrUndefined(line);
  if (!isJsonObject(entry) || typeof entry.cause !== 'string') return undefined;
  return { cause: entry.cause, ...(typeof entry.status === 'number' && { status: entry.status }) };
};
