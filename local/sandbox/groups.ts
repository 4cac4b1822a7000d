import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import { catalogue } from './catalogue.ts';
import { type GroupPath, groupRecord, groupsFromPaths } from './group-tree.ts';

/** What is in the built-in groups, in numbers; a test holds them to it. */
export const builtInFacts = {
  /** Records in the list. */
  records: 362,
  /** Records with a blank name: "", two spaces, one ideographic space. */
  blankNames: 3,
  /** Records that repeat an earlier id (compared as text). Three are identical; two have the id in the other type. */
  repeatedIds: 5,
  /** Records left when blank names are filtered and repeated ids merged. */
  clean: 354,
  /** Groups with the name of a sibling that came before, under another id. */
  repeatedNamesUnderOneParent: 2,
  /** Names that occur under more than one parent. Each of these groups is a record of its own. */
  namesUnderSeveralParents: 3,
  /** Records whose id is a string of digits. */
  stringIds: 7,
  /** Records that stand before their parent. */
  childrenBeforeParent: 9,
  /** Names with spaces around them. */
  paddedNames: 2,
} as const;

const FIRST_ID = 5_203_300_076;

/** Ids grow unevenly, as those of a shared numbering do. */
const idAt = (n: number): number => FIRST_ID + n * 41 + ((n * n) % 37);

const cataloguePaths = (): string[][] => {
  const paths: string[][] = [];
  let top = '';
  for (const line of catalogue.split('\n').filter(Boolean)) {
    if (!line.startsWith(' ')) {
      top = line;
      paths.push([top]);
      continue;
    }
    const [group = '', leaves = ''] = line.trim().split(': ');
    paths.push([top, group], ...leaves.split('、').map((leaf) => [top, group, leaf]));
  }
  return paths;
};

/** Added at the end, as if entered later: blank names, and names that a sibling has already. */
const laterPaths: readonly string[][] = [
  ['照明灯具', ''],
  ['家居用品', '厨房用品', '  '],
  ['办公文具', '\u3000'],
  ['照明灯具', '室内照明', 'LED 面板灯'],
  ['五金工具', '手动工具', '扳手'],
];

const STRING_ID_EVERY = 70;
const REPEATED_AT = [12, 140, 251];
const REPEATED_IN_OTHER_TYPE_AT = [33, 199];
const PADDED_AT = [88, 301];
/** Groups that OKKI lists after the groups under them. */
const LISTED_LATE = ['运动户外/球类', '玩具礼品'];

const otherType = (id: JsonValue | undefined): JsonValue => (typeof id === 'string' ? Number(id) : String(id));

const build = (): JsonValue[] => {
  const paths: GroupPath[] = [...cataloguePaths(), ...laterPaths].map((path, n) => ({ id: idAt(n), path }));
  const records = groupsFromPaths(paths).map(
    (record, n): JsonObject => ({
      ...record,
      ...(n % STRING_ID_EVERY === STRING_ID_EVERY - 1 ? { id: String(record.id) } : {}),
      ...(PADDED_AT.includes(n) ? { name: ` ${record.name}  ` } : {}),
    }),
  );
  const isLate = (n: number): boolean => LISTED_LATE.includes(paths[n]?.path.join('/') ?? '');
  const ungrouped = groupRecord({ id: 0, parentId: 0, layer: 1, prefix: '0-', name: '未分组', rank: 0 }, true);
  return [
    ungrouped,
    ...records.filter((_, n) => !isLate(n)),
    ...records.filter((_, n) => isLate(n)),
    ...records.filter((_, n) => REPEATED_AT.includes(n)),
    ...records
      .filter((_, n) => REPEATED_IN_OTHER_TYPE_AT.includes(n))
      .map((record) => ({ ...record, id: otherType(record.id) })),
  ];
};

/** The product groups of a trading company as OKKI lists them, the awkward cases included (`builtInFacts`). */
export const builtInGroups: readonly JsonValue[] = build();
