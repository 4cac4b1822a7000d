import type { HttpAnswer, HttpRequest } from '../../lib/connection/http.ts';
import { stringifyJson } from '../../lib/json/json.ts';
import { answered } from '../fakes/fake-http.ts';
import { editGroups, recordOf } from './groups.ts';
import { announcedBy, CEILING } from './manners.ts';
import { asBytes, codes, drawFault, type Reply, spoilRows } from './source-faults.ts';
import type { World } from './world.ts';

const TOKEN_LIFE_SEC = 1_800;
/** An environment may stand still between a token and its use. */
const JUST_GIVEN_MS = 150_000;

/** The tokens of one source: which one is valid, when each was new, and when a new one was last refused. */
export type SourceTokens = { valid: string; validUntilMs: number; newMs: Map<string, number>; newRefusedMs: number };

export const noTokens = (): SourceTokens => ({
  valid: '',
  validUntilMs: 0,
  newMs: new Map(),
  newRefusedMs: Number.NEGATIVE_INFINITY,
});

/** OKKI: a token endpoint and a list, with all that can go wrong when they are asked. */
export const sourceServer = (world: World): ((request: HttpRequest) => Reply) => {
  const { chance, settings, sourceTokens: tokens } = world;
  const { manners } = settings;
  let lastPage = '';
  /** The list that is being read breaks off at its ceiling. */
  let isCut = false;
  const { announcesTotal, announcesPages } = announcedBy(settings);

  const firstRow = (url: URL, size: number): number => {
    if (settings.paging === 'single') return 0;
    if (settings.paging === 'offset') return Number(url.searchParams.get('offset'));
    return (Number(url.searchParams.get('start_index')) - 1) * size;
  };

  const token = (): Reply => {
    const nowMs = world.scheduler.nowMs();
    if (tokens.valid === '' || tokens.validUntilMs <= nowMs) {
      tokens.valid = `token-${tokens.newMs.size + 1}`;
      tokens.validUntilMs = nowMs + TOKEN_LIFE_SEC * 1000;
      tokens.newMs.set(tokens.valid, nowMs);
    }
    const answer = answered(200, { token_type: 'Bearer', access_token: tokens.valid, expires_in: TOKEN_LIFE_SEC });
    return { said: 'answer', answer };
  };

  const tokenRefused = (): HttpAnswer => {
    switch (manners.refusesTokenBy) {
      case 'status 401':
        return answered(401, { code: 401, message: 'token expired' });
      case 'status 403':
        return answered(403, { message: 'forbidden' });
      case 'code in a 200':
        return answered(200, { code: codes.tokenOver, message: 'token expired' });
      default:
        return manners.refusesTokenBy satisfies never;
    }
  };

  const refusal = answered(200, { code: -1, message: '分组不存在' });

  /** What comes where no page is any more. */
  const pastEnd = (): HttpAnswer => {
    switch (manners.pastEnd) {
      case 'empty':
        return answered(200, { code: 200, data: { list: [] } });
      case '204':
        return answered(204);
      case '404':
      case '416':
        return answered(Number(manners.pastEnd), { message: 'no such page' });
      case 'refusal':
        return refusal;
      case 'null':
        return answered(200, { code: 200, data: null });
      case 'no list':
        return answered(200, { code: 200, data: {} });
      default:
        return manners.pastEnd satisfies never;
    }
  };

  const list = (url: URL, damage: 'business' | 'cut' | 'other-charset' | undefined): Reply => {
    if (chance.happens(world.weather.rates.drift)) editGroups(world);
    const { list: all } = world.groups;
    const isSingle = settings.paging === 'single';
    const asked = isSingle ? Infinity : Number(url.searchParams.get('count'));
    const size = Math.min(asked, settings.capsPages && !isSingle ? settings.pageSize - 1 : Infinity);
    const first = firstRow(url, size);
    if (damage === 'business') {
      // Behind all that was announced a refusal is the end of the list, and a first page that announces only itself may
      // be all of it.
      const isEnd = announcesPages && first > 0 && first <= size;
      return { said: 'failure', answer: isEnd ? answered(500, 'oops') : refusal };
    }
    if (first === 0) isCut = manners.hasCeiling && chance.happens(world.weather.rates.ceiling);
    if (isCut) world.note('source', 'breaks off at its ceiling');
    const listed = all.slice(first, Math.min(first + size, isCut ? CEILING : Infinity));
    const hasMore = first + listed.length < all.length;
    const total = announcesPages ? { count: listed.length } : announcesTotal ? { totalItem: all.length } : {};
    // Where it breaks off, nothing tells.
    const more = (manners.tellsMore || manners.hasCeiling) && !isCut ? { has_more: hasMore } : {};
    if (listed.length === 0 && first > 0 && manners.pastEnd !== 'empty') return { said: 'answer', answer: pastEnd() };
    const rows = spoilRows(world, listed.map(recordOf));
    const data = isSingle ? rows : { list: rows, ...total };
    const page = stringifyJson({ code: isSingle ? 0 : 200, data, ...more });
    const repeats = lastPage !== '' && first > 0 && chance.happens(world.weather.rates.source / 4);
    const text = repeats ? lastPage : page;
    if (repeats) world.note('source', 'repeats a page');
    lastPage = page;
    return { said: damage === undefined ? 'answer' : 'failure', answer: asBytes(world, text, damage) };
  };

  return ({ url, headers }) => {
    const fault = drawFault(world);
    if (typeof fault === 'object') return fault;
    const parsed = new URL(url);
    const isToken = parsed.pathname.endsWith('access_token');
    if (fault === 'revoke') tokens.valid = '';
    if (isToken) return token();
    const isAuthorized =
      headers.authorization === `Bearer ${tokens.valid}` && tokens.validUntilMs > world.scheduler.nowMs();
    if (isAuthorized) return list(parsed, fault === 'revoke' ? undefined : fault);
    // Who has only just been given a new token need not ask for another.
    const ageMs =
      world.scheduler.nowMs() - (tokens.newMs.get(headers.authorization?.slice('Bearer '.length) ?? '') ?? 0);
    const nowMs = world.scheduler.nowMs();
    if (ageMs <= JUST_GIVEN_MS) tokens.newRefusedMs = nowMs;
    // Nor need who was refused with a new one: a want of rights is not cured by many.
    const isLasting = nowMs - tokens.newRefusedMs <= settings.tuning.connection.refusedAnewMs.forbidden;
    return { said: isLasting ? 'failure' : 'token refused', answer: tokenRefused() };
  };
};
