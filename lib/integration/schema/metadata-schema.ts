import * as z from 'zod/mini';
import type { JsonValue } from '../../json/json.ts';
import { methods, operations } from '../dialect/words.ts';
import { json, needed, text } from './parts.ts';

// Metadata blocks are exports of 轻易云, kept as pasted: known keys are checked, unknown ones stay where they are.

/** An object whose unknown keys are kept. */
const block = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => z.catchall(z.object(shape), json);

/** One entry of `request`: a parameter of the source, or a field of the target body. Unknown keys are kept. */
export type MetadataField = {
  field: string;
  type?: string | null;
  value?: JsonValue;
  is_required?: boolean | null;
  parser?: JsonValue;
  children?: MetadataField[] | null;
  [key: string]: JsonValue;
};

export const fieldSchema: z.ZodMiniType<MetadataField> = block({
  field: text('Name of the parameter or of the target field. 字段名。'),
  label: z.exactOptional(json),
  type: z.exactOptional(
    z.nullable(z.string()).check(z.describe('string, int, number, float, boolean, object, array, datetime. 类型。')),
  ),
  value: z.exactOptional(json.check(z.describe('Constant, or a template such as {{id}}. 常量或模板。'))),
  describe: z.exactOptional(json),
  is_required: z.exactOptional(z.nullable(z.boolean())),
  parser: z.exactOptional(json),
  children: z.exactOptional(z.nullable(z.array(z.lazy(() => fieldSchema)))),
}).register(z.globalRegistry, { id: 'field', description: 'One entry of the parameter tree. 参数树中的一项。' });

const shared = {
  api: text('Path or method name. 接口路径或方法名。'),
  number: z.exactOptional(text('Business code, for people. 业务编码字段。')),
  request: z.exactOptional(z.array(fieldSchema).check(z.describe('Parameter tree. 请求参数树。'))),
  otherRequest: z.exactOptional(
    z.nullable(z.array(fieldSchema).check(z.describe('Parameters of the adapter, not of the record. 适配器级参数。'))),
  ),
  otherResponse: z.exactOptional(
    json.check(z.describe('statusKey, statusValue, dataKey, pageKey: dotted paths. 响应状态与数据路径。')),
  ),
};

const othersNotCarriedOut =
  (known: readonly string[]) =>
  ({ code }: { code: string }): string | undefined =>
    code === 'invalid_union'
      ? `${known.map((one) => JSON.stringify(one)).join(', ')}; others are not carried out yet`
      : undefined;

const ARRAY_KEY = 'Array to split. 拆分的数组。';

export const sourceMetadataSchema = block({
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
      block({
        pageSize: z.exactOptional(
          z.union(
            [z.int().check(z.minimum(1)), z.string().check(z.regex(/^\s*[1-9]\d*\s*$/, 'a page size'))],
            'a page size',
          ),
        ),
      }).check(z.describe('Page size of {{PAGINATION_PAGE_SIZE}}, {{PAGINATION_START_ROW}}. 分页大小。')),
    ),
  ),
  condition: z.exactOptional(
    json.check(z.describe('[[{field, logic, value}]]: outer list OR, inner AND. 过滤条件:外层或,内层且。')),
  ),
  beatFlat: z.exactOptional(
    z.nullable(z.array(z.string())).check(z.describe('Child arrays: one record per element. 展平的明细数组。')),
  ),
  operation: z.exactOptional(
    z
      .nullable(
        z.discriminatedUnion(
          'method',
          [
            block({ method: z.literal('none'), arrayKey: z.exactOptional(text(ARRAY_KEY)) }),
            block({
              method: z.literal('splitArray'),
              arrayKey: needed(ARRAY_KEY, 'the array whose elements are the records'),
            }),
          ],
          { error: othersNotCarriedOut(operations.source) },
        ),
      )
      .check(z.describe('none, or splitArray: one record per element of arrayKey. 无,或拆分数组。')),
  ),
}).check(z.describe('Source block of the 轻易云 export, verbatim. 源平台元数据,原样粘贴。'));

const ROWS = 'a whole number from 1 to 1000';
const ROWS_KEY = 'Key under which the rows are wrapped. 批量数组的键。';

const rows = (error: string | ((issue: { input?: unknown }) => string)) =>
  z.union([z.int().check(z.minimum(1), z.maximum(1000)), z.string().check(z.regex(/^(?:[1-9]\d{0,2}|1000)$/, ROWS))], {
    error,
  });

export const targetMetadataSchema = block({
  ...shared,
  method: z.enum(methods.target),
  effect: z.exactOptional(z.string().check(z.describe('EXECUTE for a target. 目标平台为 EXECUTE。'))),
  type: z.exactOptional(z.string().check(z.describe('Older spelling of effect. effect 的旧写法。'))),
  id: z.exactOptional(text('Key under which the id is written. 写入主键的字段名。')),
  name: z.exactOptional(text("Key under which the record's name is written. 写入名称的字段名。")),
  idCheck: z._default(
    z.boolean().check(z.describe('true: an id already loaded is skipped; false: it is overwritten. 是否按主键排重。')),
    true,
  ),
  operation: z.exactOptional(
    z
      .discriminatedUnion(
        'method',
        [
          block({
            method: z.literal('none'),
            rows: z.exactOptional(rows(ROWS)),
            rowsKey: z.exactOptional(text(ROWS_KEY)),
          }),
          block({
            method: z.literal('batchArraySave'),
            rows: rows(({ input }) => (input === undefined ? 'how many records go into one request' : ROWS)),
            rowsKey: needed(ROWS_KEY, 'the key under which the records of a request are wrapped'),
          }),
        ],
        { error: othersNotCarriedOut(operations.target) },
      )
      .check(z.describe('batchArraySave: several records in one request. 批量写入。')),
  ),
}).check(z.describe('Target block of the 轻易云 export, verbatim. 目标平台元数据,原样粘贴。'));
