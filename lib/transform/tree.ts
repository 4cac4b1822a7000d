import type { DependsOn } from '../integration/schema/schema.ts';
import { isCompound, type JsonObject, type JsonValue } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import { kindOf } from './values.ts';

/** A record that is ready, as the tree sees it; `parentId` absent: a root. */
export type TreeNode = { id: string; parentId?: string };

/** Where a record belongs that was postponed until the end of the snapshot. */
export type Placement =
  /** Below its parent: it is sent, and loaded once that one is. */
  | { kind: 'child' }
  /** Nowhere below: it is sent without waiting for anything, as configured. */
  | { kind: 'root' }
  | { kind: 'rejected'; reason: string };

const textOf = (value: JsonValue | undefined): string | undefined => {
  if (value === undefined || value === null) return '';
  return isCompound(value) || typeof value === 'boolean' ? undefined : String(value);
};

/**
 * The parent that a record must wait for: none for a root, which is a record whose parent is among `roots` (a missing
 * one reads as "") or the record itself.
 */
export const parentOf = (
  record: JsonObject,
  id: string,
  { parent, roots }: DependsOn,
): { parentId?: string } | { reason: string } => {
  const value = readPath(record, parent);
  const parentId = textOf(value);
  if (parentId === undefined) return { reason: `${parent}: is ${kindOf(value)}, not the id of a parent` };
  return parentId === id || roots.some((root) => String(root) === parentId) ? {} : { parentId };
};

/**
 * Which records of a page cannot be placed in the tree yet: those with an ancestor that has not been seen, and those
 * whose parents run in a circle. Where they belong is known when the snapshot has been read to its end.
 *
 * `isThere`: whether an id is, or surely will be, in the target: an earlier page placed it, or it was loaded before.
 */
export const postponedOf = (page: readonly TreeNode[], isThere: (id: string) => boolean): Set<string> => {
  const parents = new Map(page.map(({ id, parentId }) => [id, parentId]));
  const placed = new Map<string, boolean>();
  for (const { id } of page) {
    const path = new Set<string>();
    let at: string | undefined = id;
    let isPlaced: boolean | undefined;
    while (isPlaced === undefined) {
      if (at === undefined) isPlaced = true;
      else if (path.has(at)) isPlaced = false;
      else if (placed.has(at)) isPlaced = placed.get(at) === true;
      // The record itself is looked up in the page, its ancestors wherever they are.
      else if (at !== id && isThere(at)) isPlaced = true;
      else if (!parents.has(at)) isPlaced = false;
      else {
        path.add(at);
        at = parents.get(at);
      }
    }
    for (const member of path) placed.set(member, isPlaced);
  }
  return new Set(page.filter(({ id }) => placed.get(id) !== true).map(({ id }) => id));
};

const SHOWN_IN_CIRCLE = 5;

/** The same words whichever member was asked for first. */
const circleReason = (circle: readonly string[]): string => {
  const first = circle.reduce((least, id, index) => (id < (circle[least] ?? id) ? index : least), 0);
  const shown = [...circle.slice(first), ...circle.slice(0, first)].slice(0, SHOWN_IN_CIRCLE);
  return `parents run in a circle: ${shown.join(' → ')} → ${circle.length > SHOWN_IN_CIRCLE ? '…' : shown[0]}`;
};

/**
 * Places the records that were postponed, now that the whole snapshot is known. `parents`: each of them with its
 * parent; `isThere` as above, for all other ids. The answer for an id does not depend on the order of questions.
 */
export const placePostponed = (
  parents: ReadonlyMap<string, string>,
  isThere: (id: string) => boolean,
  { missingParent, cycle, rejectedParent }: DependsOn,
): ((id: string) => Placement) => {
  const placements = new Map<string, Placement>();
  const onFault = (action: 'reject' | 'root', reason: string): Placement =>
    action === 'root' ? { kind: 'root' } : { kind: 'rejected', reason };

  /** By its parent, which is placed already, or is not among the postponed ones. */
  const place = (id: string): Placement => {
    const parent = parents.get(id);
    if (parent === undefined) return { kind: 'root' };
    if (!parents.has(parent)) {
      return isThere(parent)
        ? { kind: 'child' }
        : onFault(missingParent, `parent ${parent} is missing: it is not among the records to be loaded`);
    }
    return placements.get(parent)?.kind === 'rejected'
      ? onFault(rejectedParent, `parent ${parent} was rejected`)
      : { kind: 'child' };
  };

  return (asked) => {
    // Upwards until something is known, then down again: a chain may be as long as the list.
    const path: string[] = [];
    const steps = new Map<string, number>();
    let at: string | undefined = asked;
    while (at !== undefined && parents.has(at) && !placements.has(at) && !steps.has(at)) {
      steps.set(at, path.length);
      path.push(at);
      at = parents.get(at);
    }
    const circleFrom = at === undefined ? undefined : steps.get(at);
    if (circleFrom !== undefined && !placements.has(path[circleFrom] ?? '')) {
      const circle = path.splice(circleFrom);
      const placement = onFault(cycle, circleReason(circle));
      for (const member of circle) placements.set(member, placement);
    }
    for (const id of path.reverse()) placements.set(id, place(id));
    return placements.get(asked) ?? place(asked);
  };
};
