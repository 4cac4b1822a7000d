import * as z from 'zod/mini';
import { fieldSchema } from './metadata-schema.ts';

/** What is done about ids that were loaded before and are absent from a complete snapshot. */
export const vanishedSchema = z
  .strictObject({
    action: z._default(
      z
        .enum(['report', 'post'])
        .check(z.describe('report: say so, no more; post: tell the deletion endpoint. 仅报告,或调用删除接口。')),
      'report',
    ),
    maxShare: z._default(
      z
        .number()
        .check(
          z.minimum(0),
          z.maximum(1),
          z.describe('Nothing is deleted where a larger share of all loaded ids vanished. 超过该比例则不删除。'),
        ),
      0.2,
    ),
    path: z.exactOptional(
      z
        .string()
        .check(
          z.regex(/^\//, 'a path that starts with /'),
          z.describe('Path of the deletion endpoint. 删除接口路径。'),
        ),
    ),
    method: z._default(z.enum(['POST', 'PUT', 'PATCH', 'DELETE']), 'POST'),
    request: z.exactOptional(
      z
        .array(fieldSchema)
        .check(
          z.minLength(1),
          z.describe(
            "Body of a deletion; {{id}} is the source's id. Default: the id as records carry it. 请求体映射。",
          ),
        ),
    ),
  })
  .check(z.describe('Ids that are no longer in the source. 源中已消失的记录。'));
