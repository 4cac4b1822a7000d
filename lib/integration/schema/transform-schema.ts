import * as z from 'zod/mini';
import { ruledOut, text } from './parts.ts';

const fields = (description: string) =>
  z.array(z.string().check(z.minLength(1))).check(z.minLength(1), z.describe(description));

const blankSchema = z
  .strictObject({
    fields: fields('Source fields that must not be blank. 不允许为空的源字段。'),
    action: z
      .enum(['delete', 'reject', 'keep'])
      .check(z.describe('delete: counted as filtered; reject: as invalid; keep: sent as it is. 空值处理。')),
  })
  .check(z.describe('Records in which one of these fields is blank. 空值记录。'));

const duplicateSchema = z
  .strictObject({
    by: fields('Source fields that together tell a repeat; the first must hold something. 判重字段组合。'),
    action: z
      .enum(['merge', 'delete', 'reject'])
      .check(z.describe('Merged into the first, filtered, or invalid. 合并、删除或拒绝。')),
  })
  .check(z.describe('Records with other ids but the same content here. 重复记录规则。'));

const TO = 'Type that the target asks for. 目标类型。';

const typeRuleSchema = z
  .discriminatedUnion('to', [
    z.strictObject({
      to: z.literal('integer').check(z.describe(TO)),
      prefix: z.exactOptional(text('`group` lets group1 become 1; plain digits pass. 允许的前缀。')),
    }),
    z.strictObject({
      to: z.enum(['number', 'string', 'boolean']).check(z.describe(TO)),
      prefix: ruledOut('no prefix unless "to" is "integer"'),
    }),
  ])
  .check(z.describe('Conversion of one field of the target body. 目标字段的类型转换。'));

const onTreeFault = (description: string) =>
  z._default(z.enum(['reject', 'root']).check(z.describe(description)), 'reject');

const dependsOnSchema = z
  .strictObject({
    parent: z
      .string()
      .check(z.minLength(1), z.describe("Source field that holds the parent's id. 源记录中父级 ID 的字段。")),
    roots: z._default(
      z
        .array(z.union([z.string(), z.number()], 'a text or a number'))
        .check(z.describe('Parent ids that mean: none; a missing one reads as "". 表示无父级的取值。')),
      ['0', ''],
    ),
    missingParent: onTreeFault(
      'A parent that is not in the snapshot: reject the child, or send it. 父级缺失时的处理。',
    ),
    cycle: onTreeFault('Parents that run in a circle: reject them all, or send them. 父级成环时的处理。'),
    rejectedParent: onTreeFault('A parent that was rejected: reject the child, or send it. 父级被拒绝时的处理。'),
  })
  .check(z.describe('No record is loaded before its parent is. 先写父级,再写子级。'));

export const transformSchema = z
  .strictObject({
    clean: z.prefault(
      z.strictObject({
        trim: z._default(
          z.boolean().check(z.describe('Spaces, full-width ones too, at both ends of texts. 去除首尾空格(含全角)。')),
          true,
        ),
        blank: z.exactOptional(blankSchema),
      }),
      {},
    ),
    duplicates: z._default(z.array(duplicateSchema), []),
    types: z._default(
      z.record(z.string(), typeRuleSchema).check(z.describe('By path in the target body. 按目标字段路径。')),
      {},
    ),
    dependsOn: z.exactOptional(dependsOnSchema),
  })
  .check(z.describe('What happens to records in between. 清洗与转换。'));

export type DuplicateRule = z.infer<typeof duplicateSchema>;

/** Which record must be loaded before which. Ids compare as texts. */
export type DependsOn = Omit<z.infer<typeof dependsOnSchema>, 'roots'> & { roots: readonly (string | number)[] };
