import type { JsonObject } from '../../lib/json/json.ts';
import { beijingTime } from './okki-time.ts';

/** A group by its place: its id, and the names from the top down to its own. */
export type GroupPath = { id: string | number | bigint; path: readonly string[] };

type Placed = { id: GroupPath['id']; layer: number; prefix: string };

const CREATED_MS = Date.parse('2025-03-03T01:00:00Z');
const HOUR_MS = 60 * 60 * 1000;
const ACCOUNT = { client_id: 14_119, user_id: 55_287_431 };

/** Names may hold any character, so the key is unambiguous only as JSON. */
const keyOf = (path: readonly string[]): string => JSON.stringify(path);

/** OKKI's published fields of one product group. `rank` is its place in the list, from 0. */
export const groupRecord = (
  at: { id: GroupPath['id']; parentId: GroupPath['id']; layer: number; prefix: string; name: string; rank: number },
  isSystem = false,
): JsonObject => ({
  id: at.id,
  parent_id: at.parentId,
  layer: at.layer,
  prefix: at.prefix,
  name: at.name,
  name_info: { info_label: 'name', info_value: at.name },
  description: '',
  client_id: ACCOUNT.client_id,
  user_id: ACCOUNT.user_id,
  create_user: ACCOUNT.user_id,
  order_rank: at.rank,
  create_time: beijingTime(CREATED_MS + at.rank * HOUR_MS),
  update_time: beijingTime(CREATED_MS + at.rank * 2 * HOUR_MS),
  relate_id: 0,
  system_flag: isSystem ? 1 : 0,
  is_sys: isSystem ? 1 : 0,
  rank: at.rank,
});

/**
 * The flat list for a tree that is given by these paths, in their order. A group's parent is the first group at the
 * longest part of its path that is in the list. Without one it is a top group (`parent_id` 0, layer 1, prefix `0-`).
 * Parents may come after their children.
 */
export const groupsFromPaths = (groups: readonly GroupPath[]): JsonObject[] => {
  const firstAt = new Map<string, GroupPath['id']>();
  for (const { id, path } of groups) {
    const key = keyOf(path);
    if (!firstAt.has(key)) firstAt.set(key, id);
  }

  const placed = new Map<string, Placed>();
  const top: Placed = { id: 0, layer: 0, prefix: '' };
  const place = (path: readonly string[]): Placed => {
    if (path.length === 0) return top;
    const key = keyOf(path);
    const known = placed.get(key);
    if (known !== undefined) return known;
    const parent = place(path.slice(0, -1));
    const id = firstAt.get(key);
    const here = id === undefined ? parent : { id, layer: parent.layer + 1, prefix: `${parent.prefix}${parent.id}-` };
    placed.set(key, here);
    return here;
  };

  return groups.map(({ id, path }, rank) => {
    const parent = place(path.slice(0, -1));
    return groupRecord({
      id,
      parentId: parent.id,
      layer: parent.layer + 1,
      prefix: `${parent.prefix}${parent.id}-`,
      name: path.at(-1) ?? '',
      rank,
    });
  });
};
