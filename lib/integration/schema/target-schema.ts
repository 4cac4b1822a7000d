import * as z from 'zod/mini';
import { connectionSchema } from '../../connection/api/connection.ts';
import { rateLimitSchema } from '../../connection/limit/rate-limit.ts';
import { targetMetadataSchema } from './metadata-schema.ts';
import {
  profileSetting,
  requestPath,
  ruledOut,
  statusValueSchema,
  targetSendSchema,
  text,
  throttledSchema,
} from './parts.ts';

const successSchema = z
  .strictObject({
    rules: z._default(
      z
        .array(
          z.strictObject({
            path: text('Dotted path of the status in the body. 状态字段路径。'),
            equals: z
              .array(statusValueSchema)
              .check(z.minLength(1), z.describe('Values that mean success, compared as text. 表示成功的取值。')),
            required: z._default(
              z
                .boolean()
                .check(
                  z.describe(
                    'Whether an answer without this field leaves the outcome open. 缺少该字段时结果视为未知。',
                  ),
                ),
              false,
            ),
          }),
        )
        .check(
          z.describe(
            'None may be broken; an answer that none of them can read is uncertain and left to a person. Without rules every 2xx is a success. 任何一条不符即失败;全都读不到则结果未知,由人工处理。',
          ),
        ),
      [],
    ),
    status: z.exactOptional(
      z
        .literal(true)
        .check(
          z.describe(
            'A 2xx is enough: without rules always, beside rules where the answer is JSON and has none of their paths. 2xx 即成功;若另有规则,仅用于不含规则字段的 JSON 响应。',
          ),
        ),
    ),
    throttled: z.exactOptional(throttledSchema),
    message: z._default(
      z
        .array(z.string().check(z.minLength(1)))
        .check(z.describe("Paths of the target's words, first hit wins. 错误信息路径。")),
      ['message', 'msg', 'error.message', 'error_description', 'error'],
    ),
  })
  .check(z.describe('What a 2xx answer must say to be a success. 2xx 响应中的成功判定。'));

const retrySchema = z
  .strictObject({
    maxAttempts: z._default(
      z.int().check(z.minimum(1), z.maximum(100), z.describe('Real failures before giving up. 失败次数上限。')),
      8,
    ),
    baseMs: z._default(
      z.int().check(z.minimum(1), z.maximum(900_000), z.describe('First backoff ceiling. 首次退避上限毫秒数。')),
      1000,
    ),
    capMs: z._default(
      z
        .int()
        // SQS holds a message back for 15 minutes at most.
        .check(z.minimum(1), z.maximum(900_000), z.describe('Highest backoff ceiling. 最大退避毫秒数。')),
      300_000,
    ),
  })
  .check(z.describe('Retries of what was surely not applied. 重试策略。'));

const rowSuccess = z
  .strictObject({
    path: z.string().check(z.minLength(1)),
    equals: z.array(statusValueSchema).check(z.minLength(1)),
  })
  .check(z.describe('What a row must say to be loaded. 行成功的判定。'));

/** `id` and `index` say how the row of a record is found. */
const rowResults = <Id extends z.core.$ZodType, Index extends z.core.$ZodType>(id: Id, index: Index) =>
  z.strictObject({
    path: text(
      'Dotted path of the rows in the answer: a list, or an object by id. 逐行结果的路径(数组,或以主键为键的对象)。',
    ),
    id,
    index,
    success: rowSuccess,
    message: z._default(
      z
        .array(z.string().check(z.minLength(1)))
        .check(z.describe("Paths in a row of the target's words. 行的错误信息。")),
      ['message', 'msg', 'error'],
    ),
  });

const resultsSchema = z
  .union(
    [
      rowResults(
        text("Path in a row of the record's id, as the target got it. 行中的主键。"),
        ruledOut('nothing beside id: a row is found by one of them'),
      ),
      rowResults(
        ruledOut('nothing beside index: a row is found by one of them'),
        text('Path in a row of its place in the request, from 0. 行号(从 0 起)。'),
      ),
      rowResults(ruledOut('nothing'), ruledOut('nothing')).check(
        z.describe('Rows in the order sent. 与发送顺序一致的行。'),
      ),
    ],
    'an object',
  )
  .check(z.describe('A batch that is answered row by row. 批量写入的逐行结果。'));

/**
 * The longest time that a target may take, ms. `load` begins a POST only where it can end before its own time-out (60 s)
 * with 10 s left to settle: with more than this nothing would ever be sent.
 */
export const MAX_POST_MS = 45_000;

export const targetSchema = z
  .strictObject({
    profile: z.exactOptional(profileSetting),
    send: z.prefault(targetSendSchema, {}),
    results: z.exactOptional(resultsSchema),
    connection: connectionSchema({
      timeoutMs: 15_000,
      maxTimeoutMs: MAX_POST_MS,
      maxTimeoutWords: 'load has 60 s, and begins no request that it could not end and settle',
      maxAnswerBytes: 1_048_576,
    }),
    path: z.exactOptional(requestPath('Path of the request where metadata.api is none. 请求路径。')),
    metadata: targetMetadataSchema,
    success: z.prefault(successSchema, {}),
    onUncertain: z
      .enum(['resend', 'park'])
      .check(z.describe('After an unknown outcome: send again, or leave it to a person. 结果未知时:重发或人工处理。')),
    conflict: z.exactOptional(
      z
        .enum(['loaded', 'retry', 'rejected'])
        .check(
          z.describe(
            'What a 409 means. Absent: at a first try rejected; after a try of unknown outcome put off and repeated. 409 的含义;未填:首次为拒绝,结果未知后的重试则等待并重发。',
          ),
        ),
    ),
    rateLimit: z.exactOptional(rateLimitSchema()),
    maxChangedShare: z._default(
      z
        .number()
        .check(
          z.minimum(0),
          z.maximum(1),
          z.describe(
            'A changed mapping that would overwrite a larger share of the loaded records stops the run. 映射变化将覆盖超过该比例的记录时停止。',
          ),
        ),
      0.5,
    ),
    retry: z.prefault(retrySchema, {}),
    concurrency: z._default(
      z.int().check(z.minimum(1), z.maximum(100), z.describe('Requests at a time in one worker. 单进程并发数。')),
      4,
    ),
  })
  .check(z.describe('Where records go. 目标平台。'));

export type Success = z.infer<typeof successSchema>;
export type Retry = z.infer<typeof retrySchema>;
export type Conflict = NonNullable<z.infer<typeof targetSchema>['conflict']>;
