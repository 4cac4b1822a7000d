import * as z from 'zod/mini';
import { connectionSchema, rateLimitSchema } from './connection-schema.ts';
import { sourceMetadataSchema } from './metadata-schema.ts';

const dotted = (description: string) => z.string().check(z.minLength(1), z.describe(description));

/** A value of a status field; compared as text, since servers write both 200 and "200". */
export const statusValueSchema = z.union([z.string(), z.number(), z.boolean()], 'a text, a number, true or false');

/** Where things stand in an answer. The defaults are OKKI's envelope; a bare array is always accepted as the records. */
const answerSchema = z
  .strictObject({
    records: z._default(dotted('Path of the array of records. 记录数组的路径。'), 'data'),
    code: z._default(dotted('Path of the status code; absent in an answer: no check. 状态码路径。'), 'code'),
    successCodes: z._default(
      z.array(statusValueSchema).check(z.minLength(1), z.describe('Codes that mean success. 表示成功的状态码。')),
      [0, 200],
    ),
    message: z._default(dotted('Path of the message of a business error. 错误信息路径。'), 'message'),
    total: z._default(
      z.array(z.string().check(z.minLength(1))).check(z.describe('Paths of the total, first hit wins. 总数路径。')),
      ['data.totalItem', 'data.count'],
    ),
  })
  .check(z.describe('Where records, status and total stand in an answer. 响应结构。'));

const pageSize = z.int().check(z.minimum(1), z.maximum(100_000), z.describe('Records per page. 每页记录数。'));
const maxPages = z._default(
  z
    .int()
    .check(z.minimum(1), z.maximum(1_000_000), z.describe('A run that needs more pages fails. 页数上限,超过即失败。')),
  10_000,
);
const param = (description: string) => dotted(description);

const pagingSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('single') }),
    z.strictObject({
      kind: z.literal('pageNumber'),
      pageParam: param('Parameter of the page number. 页码参数。'),
      sizeParam: z.exactOptional(param('Parameter of the page size. 每页数量参数。')),
      pageSize,
      firstPage: z._default(z.int().check(z.minimum(0), z.describe('Number of the first page. 首页页码。')), 1),
      maxPages,
    }),
    z.strictObject({
      kind: z.literal('offset'),
      offsetParam: param('Parameter of the first row, counted from 0. 起始行参数(从 0 起)。'),
      sizeParam: z.exactOptional(param('Parameter of the page size. 每页数量参数。')),
      pageSize,
      maxPages,
    }),
    z.strictObject({
      kind: z.literal('cursor'),
      cursorParam: param('Parameter that carries the cursor. 游标参数。'),
      cursorPath: dotted('Path of the next cursor in the answer. 响应中下一个游标的路径。'),
      hasMorePath: z.exactOptional(dotted('Path of a flag that says whether there is more. 是否还有数据的路径。')),
      sizeParam: z.exactOptional(param('Parameter of the page size. 每页数量参数。')),
      pageSize: z.exactOptional(pageSize),
      maxPages,
    }),
    z.strictObject({
      kind: z.literal('nextLink'),
      in: z
        .enum(['body', 'header'])
        .check(z.describe('Body: at `path`; header: Link rel="next" (RFC 8288). 链接位置。')),
      path: z.exactOptional(dotted('Path of the link in the body. 响应体中链接的路径。')),
      maxPages,
    }),
  ])
  .check(z.describe('How the list is paged. 分页方式。'));

export const sourceSchema = z
  .strictObject({
    connection: connectionSchema({ timeoutMs: 60_000, maxAnswerBytes: 20_971_520 }),
    metadata: sourceMetadataSchema,
    answer: z.prefault(answerSchema, {}),
    paging: pagingSchema,
    rateLimit: z.exactOptional(rateLimitSchema),
  })
  .check(z.describe('Where records come from. 源平台。'));

export type Answer = z.infer<typeof answerSchema>;
export type Paging = z.infer<typeof pagingSchema>;
