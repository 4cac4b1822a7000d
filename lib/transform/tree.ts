import type { DependsOn } from '../integration/schema/schema.ts';
import type { JsonObject, JsonValue } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import { kindOf } from './words.ts';

/** A record that is ready, as the tree sees it; `parentId` absent: a root. */
export type TreeNode = { id: string; parentId?: string };

/** What becomes of a record that was held back until the end of the snapshot. */
export type TreeVerdict =
  /** It is sent, and loaded once its parent is. */
  | { kind: 'waits' }
  /** It is sent without waiting for anything, as configured. */
  | { kind: 'root' }
  | { kind: 'rejected'; reason: string };

const textOf = (value: JsonValue | undefined): string | undefined => {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' || typeof value === 'boolean' ? undefined : String(value);
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
export const heldBack = (page: readonly TreeNode[], isThere: (id: string) => boolean): Set<string> => {
  const parents = new Map(page.map(({ id, parentId }) => [id, parentId]));
  const verdicts = new Map<string, boolean>();
  for (const { id } of page) {
    const path = new Set<string>();
    let at: string | undefined = id;
    let isPlaced: boolean | undefined;
    while (isPlaced === undefined) {
      if (at === undefined) isPlaced = true;
      else if (path.has(at)) isPlaced = false;
      else if (verdicts.has(at)) isPlaced = verdicts.get(at) === true;
      // The record itself is looked up in the page, its ancestors wherever they are.
      else if (at !== id && isThere(at)) isPlaced = true;
      else if (!parents.has(at)) isPlaced = false;
      else {
        path.add(at);
        at = parents.get(at);
      }
    }
    for (const member of path) verdicts.set(member, isPlaced);
  }
  return new Set(page.filter(({ id }) => verdicts.get(id) !== true).map(({ id }) => id));
};

const SHOWN_IN_CIRCLE = 5;

/** The same words whichever member was asked for first. */
const circleReason = (circle: readonly string[]): string => {
  const first = circle.reduce((least, id, index) => (id < (circle[least] ?? id) ? index : least), 0);
  const shown = [...circle.slice(first), ...circle.slice(0, first)].slice(0, SHOWN_IN_CIRCLE);
  return `parents run in a circle: ${shown.join(' → ')} → ${circle.length > SHOWN_IN_CIRCLE ? '…' : shown[0]}`;
};

/**
 * Judges the records that were held back, now that the whole snapshot is known. `parents`: each of them with its
 * parent; `isThere` as above, for all other ids. The answer for an id does not depend on the order of questions.
 */
export const judgeHeld = (
  parents: ReadonlyMap<string, string>,
  isThere: (id: string) => boolean,
  { missingParent, cycle, rejectedParent }: DependsOn,
): ((id: string) => TreeVerdict) => {
  const verdicts = new Map<string, TreeVerdict>();
  const onFault = (action: 'reject' | 'root', reason: string): TreeVerdict =>
    action === 'root' ? { kind: 'root' } : { kind: 'rejected', reason };

  /** By its parent, which is judged already, or is not among the held ones. */
  const judge = (id: string): TreeVerdict => {
    const parent = parents.get(id);
    if (parent === undefined) return { kind: 'root' };
    if (!parents.has(parent)) {
      return isThere(parent)
        ? { kind: 'waits' }
        : onFault(missingParent, `parent ${parent} is missing: it is not among the records to be loaded`);
    }
    return verdicts.get(parent)?.kind === 'rejected'
      ? onFault(rejectedParent, `parent ${parent} was rejected`)
      : { kind: 'waits' };
  };

  return (asked) => {
    // Upwards until something is known, then down again: a chain may be as long as the list.
    const path: string[] = [];
    const places = new Map<string, number>();
    let at: string | undefined = asked;
    while (at !== undefined && parents.has(at) && !verdicts.has(at) && !places.has(at)) {
      places.set(at, path.length);
      path.push(at);
      at = parents.get(at);
    }
    const circleFrom = at === undefined ? undefined : places.get(at);
    if (circleFrom !== undefined && !verdicts.has(path[circleFrom] ?? '')) {
      const circle = path.splice(circleFrom);
      const verdict = onFault(cycle, circleReason(circle));
      for (const member of circle) verdicts.set(member, verdict);
    }
    for (const id of path.reverse()) verdicts.set(id, judge(id));
    return verdicts.get(asked) ?? judge(asked);
  };
};
