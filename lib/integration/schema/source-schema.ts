import * as z from 'zod/mini';
import { connectionSchema } from '../../connection/api/connection.ts';
import { rateLimitSchema } from '../../connection/limit/rate-limit.ts';
import { sourceMetadataSchema } from './metadata-schema.ts';
import {
  needed,
  profileSetting,
  requestPath,
  ruledOut,
  sourceSendSchema,
  statusValueSchema,
  text,
  throttledSchema,
} from './parts.ts';

/** Where things stand in an answer. The defaults are OKKI's envelope; a bare array is always accepted as the records. */
const answerSchema = z
  .strictObject({
    records: z._default(
      z
        .union(
          [z.string().check(z.minLength(1)), z.array(z.string().check(z.minLength(1))).check(z.minLength(1))],
          'a path, or a list of paths',
        )
        .check(z.describe('Path of the array of records; of several the first that is one. 记录数组的路径。')),
      'data',
    ),
    code: z._default(text('Path of the status code; absent in an answer: no check. 状态码路径。'), 'code'),
    successCodes: z._default(
      z.array(statusValueSchema).check(z.minLength(1), z.describe('Codes that mean success. 表示成功的状态码。')),
      [0, 200],
    ),
    throttled: z.exactOptional(throttledSchema),
    message: z._default(text('Path of the message of a business error. 错误信息路径。'), 'message'),
    total: z._default(
      z.array(z.string().check(z.minLength(1))).check(z.describe('Paths of the total, first hit wins. 总数路径。')),
      ['data.totalItem', 'data.count'],
    ),
    rows: z.exactOptional(
      z
        .enum(['objects', 'lists', 'values'])
        .check(
          z.describe(
            'What a row is: an object; a list of values in the order of request; a lone value, which is its id. 行的形式。',
          ),
        ),
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

const ceiling = z.exactOptional(
  z
    .boolean()
    .check(
      z.describe(
        'false: what the source sends is all there is. A list that stops after exactly 1,000 or 10,000 rows without an end mark, or one answer that speaks of more pages, is then no failure. 来源没有条数上限。',
      ),
    ),
);
const absent = z.exactOptional(
  z
    .literal('end')
    .check(
      z.describe(
        '"end": a page without a next cursor or link is the last one, however long it is. 没有游标即为最后一页。',
      ),
    ),
);
const end = z._default(
  z
    .array(statusValueSchema)
    .check(
      z.describe(
        'Values in the place of the next cursor or link that mean that there is none, beside null and "". 表示没有下一页的值。',
      ),
    ),
  [false, 'no', 'No', 'NO', 'n', 'N', -1],
);

const pagingSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('single'), ceiling }),
    z.strictObject({
      kind: z.literal('pageNumber'),
      pageParam: text('Parameter of the page number. 页码参数。'),
      sizeParam: z.exactOptional(text('Parameter of the page size. 每页数量参数。')),
      pageSize,
      firstPage: z._default(
        z
          .int()
          .check(
            z.minimum(0),
            z.describe('Number of the first page, of {{PAGINATION_START_PAGE}} as well. 首页页码。'),
          ),
        1,
      ),
      maxPages,
      ceiling,
    }),
    z.strictObject({
      kind: z.literal('offset'),
      offsetParam: z.exactOptional(
        text(
          'Parameter of the first row, counted from 0; none: {{PAGINATION_START_ROW}} carries it. 起始行参数(从 0 起)。',
        ),
      ),
      sizeParam: z.exactOptional(text('Parameter of the page size. 每页数量参数。')),
      pageSize,
      maxPages,
      ceiling,
    }),
    z.strictObject({
      kind: z.literal('cursor'),
      cursorParam: text('Parameter that carries the cursor. 游标参数。'),
      cursorPath: text('Path of the next cursor in the answer. 响应中下一个游标的路径。'),
      hasMorePath: z.exactOptional(text('Path of a flag that says whether there is more. 是否还有数据的路径。')),
      sizeParam: z.exactOptional(text('Parameter of the page size. 每页数量参数。')),
      pageSize: z.exactOptional(pageSize),
      end,
      absent,
      maxPages,
      ceiling,
    }),
    z.discriminatedUnion('in', [
      z.strictObject({
        kind: z.literal('nextLink'),
        in: z.literal('body').check(z.describe('The link stands at `path`. 链接在响应体中。')),
        path: needed('Path of the link in the body. 响应体中链接的路径。', 'the path of the link in the body'),
        end,
        absent,
        maxPages,
        ceiling,
      }),
      z.strictObject({
        kind: z.literal('nextLink'),
        in: z.literal('header').check(z.describe('Link rel="next" (RFC 8288). 链接在响应头中。')),
        path: ruledOut('nothing: the link is in the header'),
        end: ruledOut('nothing: a header without a next link has none'),
        absent,
        maxPages,
        ceiling,
      }),
    ]),
  ])
  .check(z.describe('How the list is paged; absent: as the pasted block says, else as one answer. 分页方式。'));

/** Beijing local time, as OKKI writes and reads times. */
const LOCAL_TIME = /^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?$/;

const isLocalTime = (text: string): boolean =>
  LOCAL_TIME.test(text) && !Number.isNaN(Date.parse(`${text.slice(0, 10)}T${text.slice(11) || '00:00:00'}Z`));

const windowSchema = z
  .strictObject({
    overlapMinutes: z._default(
      z
        .int()
        .check(
          z.minimum(0),
          z.maximum(10_080),
          z.describe('Each window begins this long before the last one ended. 与上一窗口重叠的分钟数。'),
        ),
      10,
    ),
    invalid: z._default(
      z
        .enum(['move', 'stay'])
        .check(
          z.describe(
            'A window with invalid rows is asked for again: by three runs, or for ever. 窗口内有不合格行时:重读三次后前移,或一直重读。',
          ),
        ),
      'move',
    ),
    initial: z
      .string()
      .check(
        z.refine(isLocalTime, 'a Beijing time such as "2020-01-01 00:00:00"'),
        z.describe('Where the first window begins, Beijing time. 首个窗口的开始时间(北京时间)。'),
      ),
  })
  .check(z.describe('The list is asked for what changed since: {{LAST_SYNC_TIME}}, {{CURRENT_TIME}}. 增量时间窗口。'));

export const sourceSchema = z
  .strictObject({
    connection: connectionSchema({
      timeoutMs: 60_000,
      maxTimeoutMs: 300_000,
      maxTimeoutWords: 'fetch has no more',
      maxAnswerBytes: 20_971_520,
    }),
    profile: z.exactOptional(profileSetting),
    path: z.exactOptional(requestPath('Path of the request where metadata.api is none. 请求路径。')),
    id: z.exactOptional(
      text("Path of the record's primary key, where the pasted block has no id. 主键字段路径(元数据没有 id 时)。"),
    ),
    metadata: sourceMetadataSchema,
    send: z.prefault(sourceSendSchema, {}),
    answer: z.prefault(answerSchema, {}),
    paging: z.exactOptional(pagingSchema),
    beatFlat: z.exactOptional(
      z.strictObject({
        firstSuffix: z._default(
          z.int().check(z.minimum(0), z.describe('Suffix of the first child: -0 or -1. 首个明细的后缀。')),
          0,
        ),
      }),
    ),
    rateLimit: z.exactOptional(rateLimitSchema()),
    maxInvalidShare: z._default(
      z
        .number()
        .check(
          z.minimum(0),
          z.maximum(1),
          z.describe(
            'A run of ten rows and more with a larger share of invalid ones has failed. 不合格行超过该比例则运行失败。',
          ),
        ),
      0.5,
    ),
    minShare: z._default(
      z
        .number()
        .check(
          z.minimum(0),
          z.maximum(1),
          z.describe(
            'Nothing follows from absence where fewer rows came than this share of those before. 行数低于上次的该比例时不下结论。',
          ),
        ),
      0.5,
    ),
    invalid: z._default(
      z
        .enum(['fail', 'report'])
        .check(
          z.describe(
            'Whether invalid rows below that share make the run end with exit code 1. 有不合格行时:退出码 1,或仅报告。',
          ),
        ),
      'fail',
    ),
    window: z.exactOptional(windowSchema),
  })
  .check(z.describe('Where records come from. 源平台。'));

export type Paging = z.infer<typeof pagingSchema>;
