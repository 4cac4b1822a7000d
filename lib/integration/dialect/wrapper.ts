import { isJsonObject, type JsonObject } from '../../json/json.ts';

/** The field of `otherRequest` that names the key under which a batch is sent; the platform sends no such parameter. */
export const WRAPPER_FIELD = 'key';

/** The key that a target block wraps its batches in, by its `otherRequest`; undefined: it names none. */
export const wrapperIn = ({ operation, otherRequest }: JsonObject): string | undefined => {
  if (!isJsonObject(operation) || operation.method !== 'batchArraySave' || !Array.isArray(otherRequest))
    return undefined;
  const value = otherRequest.filter(isJsonObject).find(({ field }) => field === WRAPPER_FIELD)?.value;
  return typeof value === 'string' && value !== '' ? value : undefined;
};
