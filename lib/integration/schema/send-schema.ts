import * as z from 'zod/mini';

/** `source.profile` and `target.profile`. */
export const profileSetting = z
  .string()
  .check(
    z.minLength(1),
    z.describe(
      'How the API carries parameters, lists and status: a shipped profile, or the path of one beside this file. 适配器画像:内置名称或文件路径。',
    ),
  );

const carrier = z
  .enum(['query', 'body', 'header'])
  .check(z.describe('Where parameters go. Default: query of a GET, else the JSON body. 参数位置。'));

const under = z.exactOptional(
  z
    .string()
    .check(z.minLength(1), z.describe('Dotted path in the body that they go under; none: its root. 请求体中的路径。')),
);

/** Where the parameters of the two blocks go. */
export const sendSchema = z
  .strictObject({
    request: z.exactOptional(
      z.strictObject({
        in: z.exactOptional(carrier),
        under,
        as: z._default(
          z
            .enum(['fields', 'names'])
            .check(
              z.describe(
                'fields: each under its name; names: their values as one text with commas, at `under`. 逐字段,或逗号连接的字段名。',
              ),
            ),
          'fields',
        ),
      }),
    ),
    otherRequest: z.exactOptional(z.strictObject({ in: z.exactOptional(carrier), under })),
  })
  .check(z.describe('How request and otherRequest are sent. request 与 otherRequest 的发送方式。'));

export type Send = z.infer<typeof sendSchema>;
