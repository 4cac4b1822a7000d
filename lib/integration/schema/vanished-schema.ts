import * as z from 'zod/mini';
import { fieldSchema } from './metadata-schema.ts';
import { requestPath, ruledOut } from './parts.ts';

/** `action` and `path` say whether the deletion endpoint is told. */
const vanished = <Action extends z.core.$ZodType, Path extends z.core.$ZodType>(action: Action, path: Path) =>
  z.strictObject({
    action,
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
    path,
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
  });

/** What is done about ids that were loaded before and are absent from a complete snapshot. */
export const vanishedSchema = z
  .discriminatedUnion('action', [
    vanished(
      z._default(z.literal('report').check(z.describe('Say so, no more. 仅报告。')), 'report'),
      ruledOut('nothing, unless action is "post"'),
    ),
    vanished(
      z.literal('post').check(z.describe('Tell the deletion endpoint. 调用删除接口。')),
      requestPath(
        'Path of the deletion endpoint. 删除接口路径。',
        'the path of the deletion endpoint, since action is "post"',
      ),
    ),
  ])
  .check(z.describe('Ids that are no longer in the source. 源中已消失的记录。'));
