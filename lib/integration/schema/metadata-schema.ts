import * as z from 'zod/mini';
import { methods } from '../dialect/words.ts';

// Metadata blocks are exports of 轻易云, kept as pasted: known keys are checked, unknown ones stay where they are.

const path = (description: string) => z.string().check(z.minLength(1), z.describe(description));

/** One entry of `request`: a parameter of the source, or a field of the target body. Unknown keys are kept. */
export type MetadataField = {
  field: string;
  label?: unknown;
  type?: string | null;
  value?: unknown;
  describe?: unknown;
  is_required?: boolean | null;
  parser?: unknown;
  children?: MetadataField[] | null;
  [key: string]: unknown;
};

export const fieldSchema: z.ZodMiniType<MetadataField> = z
  .looseObject({
    field: path('Name of the parameter or of the target field. 字段名。'),
    label: z.exactOptional(z.unknown()),
    type: z.exactOptional(
      z.nullable(z.string()).check(z.describe('string, int, number, float, boolean, object, array, datetime. 类型。')),
    ),
    value: z.exactOptional(z.unknown().check(z.describe('Constant, or a template such as {{id}}. 常量或模板。'))),
    describe: z.exactOptional(z.unknown()),
    is_required: z.exactOptional(z.nullable(z.boolean())),
    parser: z.exactOptional(z.unknown()),
    children: z.exactOptional(z.nullable(z.array(z.lazy(() => fieldSchema)))),
  })
  .register(z.globalRegistry, { id: 'field', description: 'One entry of the parameter tree. 参数树中的一项。' });

const shared = {
  api: path('Path or method name. 接口路径或方法名。'),
  number: z.exactOptional(path('Business code, for people. 业务编码字段。')),
  request: z.exactOptional(z.array(fieldSchema).check(z.describe('Parameter tree. 请求参数树。'))),
  otherRequest: z.exactOptional(
    z.nullable(z.array(fieldSchema).check(z.describe('Parameters of the adapter, not of the record. 适配器级参数。'))),
  ),
  otherResponse: z.exactOptional(
    z.unknown().check(z.describe('statusKey, statusValue, dataKey, pageKey: dotted paths. 响应状态与数据路径。')),
  ),
};

export const sourceMetadataSchema = z
  .looseObject({
    ...shared,
    method: z.enum(methods.source),
    effect: z.exactOptional(z.string().check(z.describe('QUERY for a source. 源平台为 QUERY。'))),
    type: z.exactOptional(z.string().check(z.describe('Older spelling of effect. effect 的旧写法。'))),
    id: z
      .string("the path of the record's primary key: here, or in source.id where the pasted block has none")
      .check(z.minLength(1), z.describe("Path of the record's primary key. 主键字段路径。")),
    idCheck: z.exactOptional(
      z.boolean().check(z.describe('As in the target block, where that says nothing. 目标块未写时生效。')),
    ),
    autoFillResponse: z.exactOptional(z.nullable(z.boolean())),
    pagination: z.exactOptional(
      z.nullable(
        z
          .looseObject({
            pageSize: z.exactOptional(
              z.union(
                [z.int().check(z.minimum(1)), z.string().check(z.regex(/^\s*[1-9]\d*\s*$/, 'a page size'))],
                'a page size',
              ),
            ),
          })
          .check(z.describe('Page size of {{PAGINATION_PAGE_SIZE}}, {{PAGINATION_START_ROW}}. 分页大小。')),
      ),
    ),
    condition: z.exactOptional(
      z.unknown().check(z.describe('[[{field, logic, value}]]: outer list OR, inner AND. 过滤条件:外层或,内层且。')),
    ),
    beatFlat: z.exactOptional(
      z.nullable(z.array(z.string())).check(z.describe('Child arrays: one record per element. 展平的明细数组。')),
    ),
    operation: z.exactOptional(
      z
        .nullable(
          z.looseObject({ method: z.string(), arrayKey: z.exactOptional(path('Array to split. 拆分的数组。')) }),
        )
        .check(z.describe('none, or splitArray: one record per element of arrayKey. 无,或拆分数组。')),
    ),
  })
  .check(z.describe('Source block of the 轻易云 export, verbatim. 源平台元数据,原样粘贴。'));

export const targetMetadataSchema = z
  .looseObject({
    ...shared,
    method: z.enum(methods.target),
    effect: z.exactOptional(z.string().check(z.describe('EXECUTE for a target. 目标平台为 EXECUTE。'))),
    type: z.exactOptional(z.string().check(z.describe('Older spelling of effect. effect 的旧写法。'))),
    id: z.exactOptional(path('Key under which the id is written. 写入主键的字段名。')),
    name: z.exactOptional(path("Key under which the record's name is written. 写入名称的字段名。")),
    idCheck: z._default(
      z
        .boolean()
        .check(z.describe('true: an id already loaded is skipped; false: it is overwritten. 是否按主键排重。')),
      true,
    ),
    operation: z.exactOptional(
      z
        .looseObject({
          method: z.string(),
          rows: z.exactOptional(
            z.union(
              [
                z.int().check(z.minimum(1), z.maximum(1000)),
                z.string().check(z.regex(/^(?:[1-9]\d{0,2}|1000)$/, 'a whole number from 1 to 1000')),
              ],
              'a whole number from 1 to 1000',
            ),
          ),
          rowsKey: z.exactOptional(path('Key under which the rows are wrapped. 批量数组的键。')),
        })
        .check(z.describe('batchArraySave: several records in one request. 批量写入。')),
    ),
  })
  .check(z.describe('Target block of the 轻易云 export, verbatim. 目标平台元数据,原样粘贴。'));

export type SourceMetadata = z.infer<typeof sourceMetadataSchema>;
