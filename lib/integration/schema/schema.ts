import * as z from 'zod/mini';
import { readSchedule } from './schedule-expression.ts';
import { sourceSchema } from './source-schema.ts';
import { targetSchema } from './target-schema.ts';
import { transformSchema } from './transform-schema.ts';
import { vanishedSchema } from './vanished-schema.ts';

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

/** An integration file: our blocks strict, the metadata blocks as 轻易云 exported them. */
export const integrationSchema = z
  .strictObject({
    $schema: z.exactOptional(z.string()),
    name: z
      .string()
      .check(
        z.regex(/^(?=.{1,63}$)[a-z0-9]+(-[a-z0-9]+)*$/, 'small letters, digits and single hyphens, 63 at most'),
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
