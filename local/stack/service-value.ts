import * as z from 'zod/mini';
import { ServiceFileError } from './errors.ts';
import { UnresolvedIntrinsic } from './intrinsics.ts';
import { isRawMap, type RawMap } from './service-file.ts';
import { UnresolvedVariable } from './variables.ts';

/** Gives the value that a part of the service file stands for; throws ServiceFileError with `path`. */
export type Resolve = (value: unknown, path: string) => unknown;

/** Schemas of plain values; what came through a variable may be a number as text. */
export const text = z.string().check(z.minLength(1));
export const count = z.coerce.number().check(z.int(), z.nonnegative());
export const positive = z.coerce.number().check(z.int(), z.positive());

/** A mapping of the service file; throws ServiceFileError for anything else. */
export function asMap(value: unknown, path: string): RawMap {
  if (!isRawMap(value)) throw new ServiceFileError(path, 'is not a mapping');
  return value;
}

/** Runs a resolution; what has no value here becomes a ServiceFileError with the place in the file. */
export function located<Value>(path: string, resolve: () => Value): Value {
  try {
    return resolve();
  } catch (cause) {
    if (!(cause instanceof UnresolvedVariable || cause instanceof UnresolvedIntrinsic)) throw cause;
    throw new ServiceFileError(path, cause.message, { cause });
  }
}

/** The value by its schema; throws ServiceFileError with the place of the first fault. */
export function parsed<Schema extends z.core.$ZodType>(schema: Schema, value: unknown, path: string): z.infer<Schema> {
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ServiceFileError([path, ...(issue?.path ?? [])].join('.'), issue?.message ?? 'is not valid');
}
