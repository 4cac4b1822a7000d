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

/** `source.profile` and `target.profile`. */
export const profileSetting = text(
  'How the API carries parameters, lists and status: a shipped profile, or the path of one beside this file. 适配器画像:内置名称或文件路径。',
);

const carrier = z
  .enum(['query', 'body', 'header'])
  .check(z.describe('Where parameters go. Default: query of a GET, else the JSON body. 参数位置。'));

const UNDER = 'Dotted path in the body that they go under; none: its root. 请求体中的路径。';
const under = z.exactOptional(text(UNDER));

const textKey = (what: string) =>
  z.exactOptional(
    text(
      `Key under which ${what} one JSON text, such as biz; the same key twice is one text. 作为一段 JSON 文本的键。`,
    ),
  );

const body = z.exactOptional(
  z
    .enum(['json', 'form'])
    .check(z.describe('How a body is written; in a form lists and objects are JSON texts. 请求体格式,默认 JSON。')),
);

const otherRequest = z.exactOptional(
  z.strictObject({ in: z.exactOptional(carrier), under, text: textKey('these parameters are') }),
);

/** Where the parameters of a source go. */
export const sourceSendSchema = z
  .strictObject({
    body,
    request: z.exactOptional(
      z.discriminatedUnion('as', [
        z.strictObject({
          in: z.exactOptional(carrier),
          under,
          text: textKey('the parameters of request are, with those of the page,'),
          as: z._default(z.literal('fields').check(z.describe('Each under its name. 逐字段。')), 'fields'),
        }),
        z.strictObject({
          in: z.exactOptional(carrier),
          under: needed(UNDER, 'the parameter that carries the names'),
          text: textKey('the parameters of request are, with those of the page,'),
          as: z
            .literal('names')
            .check(z.describe('Their values as one text with commas, at `under`. 逗号连接的字段名。')),
        }),
      ]),
    ),
    otherRequest,
  })
  .check(z.describe('How request and otherRequest are sent. request 与 otherRequest 的发送方式。'));

const bodyOnly = z.exactOptional(z.literal('body', '"body": records are sent in no other place'));
const list = z.exactOptional(
  text(
    'Key that the records go under as a list, a single one too; then rowsKey is not sent. 记录列表的键,单条亦然;此时不发送 rowsKey。',
  ),
);

/** Where the parameters of a target go: records are written in a body, what stands beside them may go elsewhere. */
export const targetSendSchema = z
  .strictObject({
    body,
    request: z.exactOptional(
      z.discriminatedUnion('as', [
        z.strictObject({
          in: bodyOnly,
          under,
          list,
          text: textKey('all that is'),
          as: z._default(z.literal('fields').check(z.describe('Each under its name. 逐字段。')), 'fields'),
        }),
        z.strictObject({
          in: bodyOnly,
          under: needed(UNDER, 'the key that carries the text'),
          list,
          text: ruledOut('nothing beside "as": "text", whose key is under'),
          as: z.literal('text').check(z.describe('The same as `text`, its key in `under`. 等同于 text,键写在 under。')),
        }),
      ]),
    ),
    otherRequest,
  })
  .check(z.describe('How request and otherRequest are sent. request 与 otherRequest 的发送方式。'));
