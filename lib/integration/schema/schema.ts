import * as z from 'zod/mini';
import { fieldSchema } from './metadata-schema.ts';
import { requestPath, ruledOut } from './parts.ts';
import { readSchedule } from './schedule-expression.ts';
import { sourceSchema } from './source-schema.ts';
import { targetSchema } from './target-schema.ts';
import { transformSchema } from './transform-schema.ts';

export type { MetadataField } from './metadata-schema.ts';
export type { Retry, Success } from './target-schema.ts';
export type { DependsOn, DuplicateRule } from './transform-schema.ts';

const isTimezone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
};

/** What is wrong with the expression of a schedule. */
const scheduleWords = (expression: unknown): string | undefined => {
  const schedule = typeof expression === 'string' ? readSchedule(expression) : undefined;
  return schedule?.kind === 'unreadable' ? schedule.expected : undefined;
};

const scheduleSchema = z
  .strictObject({
    expression: z.string().check(
      // The form alone, for editors; the words are those of the reader in either case.
      z.regex(/^(rate\([1-9]\d* (minutes?|hours?|days?)\)|cron\(\S+( \S+){5}\))$/, {
        error: ({ input }) => scheduleWords(input),
      }),
      z.refine((expression) => readSchedule(expression).kind !== 'unreadable', {
        error: ({ input }) => scheduleWords(input),
      }),
      z.describe('When runs start: rate(…) or cron(…). 调度表达式。'),
    ),
    timezone: z._default(
      z
        .string()
        .check(
          z.refine(isTimezone, 'the name of a time zone, such as "Asia/Shanghai"'),
          z.describe('Time zone of a cron expression. 时区。'),
        ),
      'Asia/Shanghai',
    ),
    enabled: z._default(z.boolean().check(z.describe('Whether the schedule fires. 是否启用。')), true),
  })
  .check(z.describe('When this integration runs. 调度。'));

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
const vanishedSchema = z
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

/** What an integration may be called: it names a file, keys and a schedule. */
export const integrationName = /^(?=.{1,63}$)[a-z0-9]+(-[a-z0-9]+)*$/;

/** An integration file: our blocks strict, the metadata blocks as 轻易云 exported them. */
export const integrationSchema = z
  .strictObject({
    $schema: z.exactOptional(z.string()),
    name: z
      .string()
      .check(
        z.regex(integrationName, 'small letters, digits and single hyphens, 63 at most'),
        z.describe('Name of the integration, the same as the name of its file. 集成名,与文件名一致。'),
      ),
    title: z.string().check(z.minLength(1), z.describe('Title for people. 标题。')),
    schedule: scheduleSchema,
    source: sourceSchema,
    transform: z.prefault(transformSchema, {}),
    target: targetSchema,
    overlap: z._default(
      z
        .enum(['yield', 'wait'])
        .check(
          z.describe(
            'A run due while another is under way: dropped, or started after it. 上一次运行未结束时:放弃或等待。',
          ),
        ),
      'yield',
    ),
    vanished: z.prefault(vanishedSchema, {}),
    deadlineMinutes: z._default(
      z
        .int()
        .check(
          z.minimum(1),
          z.maximum(10_080),
          z.describe('A run still open after this long does not balance. 运行截止分钟数。'),
        ),
      120,
    ),
  })
  .check(z.describe('An integration: what is synced, from where, to where. 集成配置文件。'));

/** A checked integration: defaults filled in, metadata as exported. */
export type Integration = z.infer<typeof integrationSchema>;
