import type { HttpAnswer, HttpRequest } from '../../lib/connection/http.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { answered, failed } from '../fakes/fake-http.ts';
import type { Chance } from './chance.ts';
import type { World } from './world.ts';

/** One group as the source lists it. */
type Group = { id: number | string; name: string; parent: number | string };

/** What the source holds now, and what it held. */
export type Groups = {
  list: Group[];
  /** When each id was there: from, and until where it was deleted again, ms. */
  presence: Map<string, { fromMs: number; untilMs: number }[]>;
  /** When rows moved up since one before them was deleted, ms. */
  shiftsMs: number[];
  edits: number;
};

/** The target refuses names that begin so, for good. */
export const REFUSED_NAME = 'refused';

const NAMES_OF_ID_0: readonly [number | string, ...(number | string)[]] = [0, '0'];

export const newGroups = ({ chance, scheduler, settings }: World): Groups => {
  const list: Group[] = [];
  for (let index = 0; index < settings.groups; index++) {
    const id = index === 0 ? chance.pick(NAMES_OF_ID_0) : index;
    list.push({ id, name: nameOf(chance.happens(0.05), index), parent: 0 });
  }
  // A parent may come after its child, and parents may run in a circle.
  if (settings.tree !== 'none') for (const group of list) group.parent = parentFrom(chance, list);
  const untilMs = Number.POSITIVE_INFINITY;
  const presence = new Map(list.map(({ id }) => [String(id), [{ fromMs: scheduler.nowMs(), untilMs }]]));
  return { list, presence, shiftsMs: [], edits: settings.groups };
};

const nameOf = (isRefused: boolean, edit: number): string => (isRefused ? `${REFUSED_NAME} ${edit}` : `name ${edit}`);

type Edit = 'rename' | 'add' | 'delete' | 'blank' | 'back';

const otherEdits: readonly [Edit, ...Edit[]] = ['rename', 'add', 'delete', 'blank', 'back'];
const favouriteEdits: Record<'renaming' | 'deleting', readonly [Edit, ...Edit[]]> = {
  renaming: ['rename', 'back', 'back'],
  deleting: ['rename', 'back', 'delete', 'add', 'add'],
};

/** Any group, or none. */
const parentFrom = (chance: Chance, list: readonly Group[]): number | string =>
  chance.happens(0.4) ? 0 : (list[chance.whole(0, Math.max(0, list.length - 1))]?.id ?? 0);

/** Somebody works in the source: a group is renamed, added, deleted, blanked or renamed back. */
export const editGroups = (world: World): void => {
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
    world.note('source', 'adds', id);
    return;
  }
  world.note('source', what, group.id, group.name);
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

const TOKEN_LIFE_SEC = 1_800;

/** OKKI: a token endpoint and a list, with all that can go wrong when they are asked. */
export const sourceServer = (world: World): ((request: HttpRequest) => HttpAnswer) => {
  const { chance, settings } = world;
  let tokens = 0;
  let valid = '';
  let validUntilMs = 0;
  let lastPage = '';

  const fault = (): HttpAnswer | undefined => {
    if (!chance.happens(world.rates.source)) return undefined;
    const kind = chance.pick([
      '429',
      '429-later',
      '503',
      '500',
      'reset',
      'timeout',
      'refused',
      'html',
      'business',
      'revoke',
    ]);
    world.note('source', 'fails', kind);
    switch (kind) {
      case '429':
        return answered(429, { code: 429, message: 'slow down' });
      case '429-later':
        return answered(429, '', { 'retry-after': String(chance.whole(1, 120)) });
      case '503':
        return answered(503, '', { 'retry-after': '20' });
      case '500':
        return answered(500, 'oops');
      case 'html':
        return answered(200, '<html><body>maintenance</body></html>');
      case 'business':
        // Behind everything that was announced a refusal is the end of the list, and these pages announce only themselves.
        return settings.capsPages ? answered(500, 'oops') : answered(200, { code: -1, message: '分组不存在' });
      case 'revoke':
        valid = '';
        return undefined;
      default:
        return failed(kind as 'reset' | 'timeout' | 'refused');
    }
  };

  const token = (): HttpAnswer => {
    const nowMs = world.scheduler.nowMs();
    if (valid === '' || validUntilMs <= nowMs) {
      valid = `token-${++tokens}`;
      validUntilMs = nowMs + TOKEN_LIFE_SEC * 1000;
    }
    return answered(200, { token_type: 'Bearer', access_token: valid, expires_in: TOKEN_LIFE_SEC });
  };

  const list = (url: URL): HttpAnswer => {
    if (chance.happens(world.rates.drift)) editGroups(world);
    const { list: all } = world.groups;
    if (settings.paging === 'single') return answered(200, { code: 0, data: all.map(recordOf) });
    const size = Math.min(Number(url.searchParams.get('count')), settings.capsPages ? settings.pageSize - 1 : Infinity);
    const first =
      settings.paging === 'offset'
        ? Number(url.searchParams.get('offset'))
        : (Number(url.searchParams.get('start_index')) - 1) * size;
    const rows = all.slice(first, first + size).map(recordOf);
    const ofPage = settings.capsPages ? { count: rows.length } : {};
    const total = settings.paging === 'numbered-without-total' ? ofPage : { totalItem: all.length };
    const page = JSON.stringify({ code: 200, data: { list: rows, ...total } });
    const repeats = lastPage !== '' && first > 0 && chance.happens(world.rates.source / 4);
    const text = repeats ? lastPage : page;
    if (repeats) world.note('source', 'repeats a page');
    lastPage = page;
    return answered(200, text);
  };

  return ({ url, headers }) => {
    const failure = fault();
    if (failure) return failure;
    const parsed = new URL(url);
    if (parsed.pathname.endsWith('access_token')) return token();
    const isAuthorized = headers.authorization === `Bearer ${valid}` && validUntilMs > world.scheduler.nowMs();
    return isAuthorized ? list(parsed) : answered(401, { code: 401, message: 'token expired' });
  };
};
