import * as z from 'zod/mini';
import type { JsonValue } from '../../json/json.ts';

/** Any JSON, kept as it is. */
export const json = z.custom<JsonValue>();

/** A text that is not empty. */
export const text = (description: string) => z.string().check(z.minLength(1), z.describe(description));

/** Words for a key that is missing; a value of another form is told as everywhere. */
const onlyWhereMissing =
  (words: string) =>
  ({ input }: { input?: unknown }): string | undefined =>
    input === undefined ? words : undefined;

/** The path of a request. */
export const requestPath = (description: string, missing?: string) =>
  (missing === undefined ? z.string() : z.string({ error: onlyWhereMissing(missing) })).check(
    z.regex(/^\//, 'a path that starts with /'),
    z.describe(description),
  );

/** `text` with words of its own for the case that it is missing. */
export const needed = (description: string, missing: string) =>
  z.string({ error: onlyWhereMissing(missing) }).check(z.minLength(1), z.describe(description));

/** A key that another setting beside it leaves no room for; `expected` says so. */
export const ruledOut = (expected: string) => z.exactOptional(z.never(expected));

/** A value of a status field; compared as text, since servers write both 200 and "200". */
export const statusValueSchema = z.union([z.string(), z.number(), z.boolean()], 'a text, a number, true or false');

/** A body that says what the status 429 says. */
export const throttledSchema = z
  .strictObject({
    path: text('Dotted path of the status in the body. 状态字段路径。'),
    equals: z
      .array(statusValueSchema)
      .check(z.minLength(1), z.describe('Values that mean: too many requests. 表示被限流的取值。')),
  })
  .check(
    z.describe(
      'A body that says what 429 says, in a 2xx or beside a refusing status. 响应体中的限流标志(2xx 或错误状态)。',
    ),
  );
