import type { JsonObject } from '../../lib/json/json.ts';
import type { Chance } from './chance.ts';
import { CEILING } from './manners.ts';
import type { World } from './world.ts';

/** One group as the source lists it. */
type Group = { id: number | string | bigint; name: string; parent: number | string | bigint };

/** What the source holds now, and what it held. */
export type Groups = {
  list: Group[];
  /** When each id was there: from, and until where it was deleted again, ms. */
  presence: Map<string, { fromMs: number; untilMs: number }[]>;
  /** `id name` of every content that it ever had. */
  given: Set<string>;
  /** When rows moved up since one before them was deleted, ms. */
  shiftsMs: number[];
  edits: number;
};

/** The target refuses names that begin so, for good. */
export const REFUSED_NAME = 'refused';

const NAMES_OF_ID_0: readonly [number | string, ...(number | string)[]] = [0, '0'];

/** Ids of rows that are there to make a list long. */
const FIRST_FILLER = 10_000;
/** Its neighbours are the same double. */
const LONG_ID = 9_007_199_254_740_992n;

export const newGroups = ({ chance, scheduler, settings }: World): Groups => {
  const list: Group[] = [];
  for (let index = 0; index < settings.groups; index++) {
    const id = index === 0 ? chance.pick(NAMES_OF_ID_0) : settings.manners.hasLongIds ? LONG_ID + BigInt(index) : index;
    list.push({ id, name: nameOf(chance.happens(0.05), index), parent: 0 });
  }
  // What fills a list up to its ceiling is filtered: only the last rows are loaded.
  const fillers = settings.manners.hasCeiling ? CEILING - 2 : 0;
  const before = Array.from({ length: fillers }, (_, index) => ({ id: FIRST_FILLER + index, name: ' ', parent: 0 }));
  list.unshift(...before);
  // A parent may come after its child, and parents may run in a circle.
  if (settings.tree !== 'none') for (const group of list) group.parent = parentFrom(chance, list);
  const untilMs = Number.POSITIVE_INFINITY;
  const presence = new Map(list.map(({ id }) => [String(id), [{ fromMs: scheduler.nowMs(), untilMs }]]));
  return { list, presence, given: new Set(list.map(contentOf)), shiftsMs: [], edits: settings.groups };
};

const contentOf = ({ id, name }: Group): string => `${id} ${name}`;

const nameOf = (isRefused: boolean, edit: number): string => (isRefused ? `${REFUSED_NAME} ${edit}` : `名称 ${edit}`);

type Edit = 'rename' | 'add' | 'delete' | 'blank' | 'back';

const otherEdits: readonly [Edit, ...Edit[]] = ['rename', 'add', 'delete', 'blank', 'back'];
const favouriteEdits: Record<'renaming' | 'deleting', readonly [Edit, ...Edit[]]> = {
  renaming: ['rename', 'back', 'back'],
  deleting: ['rename', 'back', 'delete', 'add', 'add'],
};

/** Any group, or none. */
const parentFrom = (chance: Chance, list: readonly Group[]): Group['id'] =>
  chance.happens(0.4) ? 0 : (list[chance.whole(0, Math.max(0, list.length - 1))]?.id ?? 0);

/** Somebody works in the source: a group is renamed, added, deleted, blanked or renamed back. */
export const editGroups = (world: World): void => {
  edit(world);
  for (const group of world.groups.list) world.groups.given.add(contentOf(group));
};

const edit = (world: World): void => {
  const { chance, groups, scheduler, settings } = world;
  const { list } = groups;
  const nowMs = scheduler.nowMs();
  groups.edits += 1;
  // Where one group is edited again and again, its changes meet each other on the way.
  const isFavourite = settings.hasFavourite && chance.happens(0.8);
  const index = isFavourite ? 0 : chance.whole(0, Math.max(0, list.length - 1));
  const group = list[index];
  const what = chance.pick(
    isFavourite ? favouriteEdits[settings.deletes ? 'deleting' : 'renaming'] : ['rename', 'rename', ...otherEdits],
  );
  if (what === 'add' || group === undefined) {
    const back = [...groups.presence.keys()].find((id) => !list.some((one) => String(one.id) === id));
    const id = back !== undefined && chance.happens(0.5) ? back : groups.edits + 100;
    const parent = settings.tree === 'none' ? 0 : parentFrom(chance, list);
    list.splice(chance.whole(0, list.length), 0, { id, name: nameOf(chance.happens(0.1), groups.edits), parent });
    const earlier = groups.presence.get(String(id)) ?? [];
    groups.presence.set(String(id), [...earlier, { fromMs: nowMs, untilMs: Number.POSITIVE_INFINITY }]);
    world.note('source', 'adds', String(id));
    return;
  }
  world.note('source', what, String(group.id), group.name);
  if (what === 'delete') {
    list.splice(index, 1);
    const last = groups.presence.get(String(group.id))?.at(-1);
    if (last) last.untilMs = nowMs;
    groups.shiftsMs.push(nowMs);
  } else if (what === 'back') {
    const was = world.earlierNames.get(String(group.id));
    if (was !== undefined) list[index] = { ...group, name: was };
  } else {
    world.earlierNames.set(String(group.id), group.name);
    const parent = settings.tree !== 'none' && chance.happens(0.3) ? parentFrom(chance, list) : group.parent;
    list[index] = { ...group, name: what === 'blank' ? ' ' : nameOf(chance.happens(0.1), groups.edits), parent };
  }
};

export const recordOf = ({ id, name, parent }: Group): JsonObject => ({ id, name, parent_id: parent });
