import type { JsonValue } from '../../lib/json/json.ts';

/** What the fault `dirty` puts at the end of a list: elements that are not records, or have no id. */
export const dirtyRecords: readonly JsonValue[] = [
  { name: '没有编号的分组', parent_id: 0 },
  { id: null, name: '编号为空的分组', parent_id: 0 },
  { id: '', name: '编号为空串的分组', parent_id: 0 },
  { id: { value: 1 }, name: '编号是对象的分组', parent_id: 0 },
  null,
  [{ id: 5_203_300_001, name: '数组里的分组' }],
  '照明灯具',
  5_203_300_001,
];
