import type { HttpAnswer, HttpRequest } from '../../lib/connection/http.ts';
import { contentHash } from '../../lib/idcheck/hash.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../lib/json/json.ts';
import { answered, failed } from '../fakes/fake-http.ts';
import { REFUSED_NAME } from './groups.ts';
import { type Away, outageAt, SLOWER } from './outages.ts';
import { DELETION_PATH, REMAPPED_NAME } from './settings.ts';
import type { World } from './world.ts';

/** What a POST truly came to, whatever its worker hears of it. */
export type Truth =
  | 'success'
  | 'rejected'
  | 'failed'
  | 'throttled'
  /** There was no connection. */
  | 'unsent'
  | 'uncertain'
  /** A 2xx that nobody can read. */
  | 'unreadable'
  /** Not taken, since an earlier request under the same key is still under way; or since it was applied already. */
  | 'under-way'
  | 'applied-before';

/** One record as a request carries it. */
export type Posted = { id: string; name: string; hash: string; deletes?: true };

/** One row of the target's. */
export type Row = { name: string; hash: string };

/** How the target takes one request: when it is applied, if it is, and when which answer goes out. */
export type Reception = {
  truth: Truth;
  applies: boolean;
  applyAfterMs: number;
  answerAfterMs: number;
  answer: HttpAnswer;
};

/** A record's name as both shipped integrations write it, and the other mapping of the first. */
export const nameIn = (record: JsonObject): string => String(record.编码 ?? record.group_name ?? record[REMAPPED_NAME]);

/**
 * The records in the body of a request, as both shipped integrations write them. A deletion carries no content; it is
 * known by the hash that its claim has.
 */
export const postedIn = ({ url, body = '' }: HttpRequest): Posted[] => {
  const parsed = parseJson(body) as JsonObject;
  if (url.endsWith(DELETION_PATH)) {
    return [{ id: String(parsed.id ?? parsed.group_id), name: 'deletion', hash: '', deletes: true }];
  }
  const records = Array.isArray(parsed.array) ? parsed.array.filter(isJsonObject) : [parsed];
  return records.map((record) => ({
    id: String(record.id ?? record.group_id),
    name: nameIn(record),
    hash: contentHash(record),
  }));
};

const cutAnswer = '{"success":true,"code":0,"mess';
const fine = answered(200, { success: true, code: 0 });

/** What the target does to a request: `applied, …` with the answer that hides it. */
type Trick =
  | 'applied, reset'
  | 'applied late'
  | 'applied, 500'
  | 'applied, page'
  | 'applied, cut'
  | 'cut'
  | 'envelope'
  | 'lost'
  | 'reset'
  | 'refused'
  | '500'
  | '503'
  | '429'
  | '403'
  | '401'
  | 'business'
  | 'slow';

/** What a target that is away answers to everything, where it does nothing with it. */
const deafAnswers: Readonly<Record<Exclude<Away, 'slow' | 'lost'>, readonly [Truth, HttpAnswer]>> = {
  refused: ['unsent', failed('refused')],
  '503': ['uncertain', answered(503, 'upstream is down')],
  garbage: ['unreadable', answered(200, '<html>maintenance</html>')],
};

/** How a request is taken while the target is away. */
const receiveAway = (world: World, away: Away, key: string, timeoutMs: number, holdMs: number): Reception => {
  const { chance, scheduler, settings } = world;
  const soonMs = chance.whole(20, 2_000);
  const nothing = { applies: false, applyAfterMs: 0, answerAfterMs: soonMs };
  const late = (applyAfterMs: number): Reception => {
    if (settings.tellsUnderWay) world.underWayMs.set(key, scheduler.nowMs() + applyAfterMs);
    return { truth: 'uncertain', answer: failed('timeout'), applies: true, applyAfterMs, answerAfterMs: timeoutMs };
  };
  switch (away) {
    case 'slow':
      return SLOWER * soonMs < timeoutMs
        ? { ...nothing, truth: 'success', answer: fine, applies: true, answerAfterMs: SLOWER * soonMs }
        : late(Math.min(SLOWER * soonMs, holdMs));
    case 'lost':
      return chance.happens(0.7)
        ? { ...late(0), answer: failed('reset'), answerAfterMs: soonMs }
        : { ...nothing, truth: 'uncertain', answer: failed('timeout'), answerAfterMs: timeoutMs };
    default: {
      const [truth, answer] = deafAnswers[away];
      return { ...nothing, truth, answer };
    }
  }
};

/** Decides how a request that arrived is taken; `holdMs`: for so long it may be under way at the most. */
export const receive = (
  world: World,
  posted: readonly Posted[],
  key: string,
  timeoutMs: number,
  holdMs: number,
): Reception => {
  const { chance } = world;
  const { rates } = world.weather;
  const soonMs = chance.whole(20, 2_000);
  const plain = (truth: Truth, answer: HttpAnswer, applies = false): Reception => ({
    truth,
    applies,
    applyAfterMs: 0,
    answerAfterMs: soonMs,
    answer,
  });
  const isDay = world.scheduler.nowMs() < world.throttledUntilMs;
  if (isDay) return plain('throttled', throttledAnswer(world));
  const away = outageAt(world.settings.outages, world.scheduler.nowMs() - world.startMs);
  if (away !== undefined && away !== 'slow' && away !== 'lost') return receiveAway(world, away, key, timeoutMs, holdMs);
  if ((world.underWayMs.get(key) ?? 0) > world.scheduler.nowMs()) {
    return plain('under-way', answered(409, { message: 'a request under this key is outstanding' }));
  }
  if (away !== undefined) return receiveAway(world, away, key, timeoutMs, holdMs);
  if (chance.happens(rates.target)) {
    // A target that says what it is at is one that takes its time.
    const slow: Trick[] = world.settings.tellsUnderWay ? ['applied late', 'applied late'] : [];
    const kind = chance.pick<Trick>([
      'applied, reset',
      'applied late',
      'applied, 500',
      'applied, page',
      'applied, cut',
      'cut',
      'envelope',
      'lost',
      'reset',
      'refused',
      '500',
      '503',
      '429',
      '429',
      '403',
      'business',
      '401',
      'slow',
      ...slow,
    ]);
    world.note('target', kind, posted.map(({ id }) => id).join(' '));
    switch (kind) {
      case 'applied, reset':
        return plain('uncertain', failed('reset'), true);
      case 'applied late': {
        const late = { applyAfterMs: chance.whole(0, holdMs), answerAfterMs: timeoutMs };
        if (world.settings.tellsUnderWay) world.underWayMs.set(key, world.scheduler.nowMs() + late.applyAfterMs);
        return { ...plain('uncertain', failed('timeout'), true), ...late };
      }
      case 'applied, 500':
        return plain('uncertain', answered(500, 'oops'), true);
      case 'applied, page':
        return plain('unreadable', answered(200, '<html>bye</html>'), true);
      case 'applied, cut':
        return plain('unreadable', answered(200, cutAnswer), true);
      case 'cut':
        return plain('unreadable', answered(200, cutAnswer));
      case 'envelope':
        return plain('rejected', answered(200, { errcode: 40_014, errmsg: '不合法的access_token' }));
      case 'lost':
        return { ...plain('uncertain', failed('timeout')), answerAfterMs: timeoutMs };
      case 'reset':
        return plain('uncertain', failed('reset'));
      case 'refused':
        return plain('unsent', failed('refused'));
      case '500':
        return plain('uncertain', answered(500, 'oops'));
      case '503':
        return plain('throttled', answered(503, '', { 'retry-after': '30' }));
      case '429':
        return plain('throttled', throttledAnswer(world));
      case '403':
        return plain('failed', answered(403, ''));
      case '401':
        return plain('failed', answered(401, ''));
      case 'business':
        return plain('rejected', answered(200, { success: false, code: 500, message: '父级节点不存在' }));
      case 'slow':
        return { ...plain('success', fine, true), answerAfterMs: timeoutMs - 1 };
      default:
        return kind satisfies never;
    }
  }
  if (posted.some(({ name }) => name.startsWith(REFUSED_NAME))) {
    return plain('rejected', answered(422, { message: 'name is not allowed' }));
  }
  const hasAlready = posted.some(({ id }) => world.keys.get(id)?.has(key));
  if (world.settings.targetKind === 'conflicts' && hasAlready) {
    return plain('applied-before', answered(409, { message: 'was received before' }));
  }
  return plain('success', fine, true);
};

const throttledAnswer = ({ chance, scheduler }: World): HttpAnswer => {
  const date = () => new Date(Math.ceil(scheduler.nowMs() / 1000) * 1000 + 45_000).toUTCString();
  const headers = chance.pick<Record<string, string>>([{}, { 'retry-after': '30' }, { 'retry-after': date() }]);
  return answered(429, '', headers);
};

/** Applies one record as this kind of target does. Returns whether anything changed. */
export const applyTo = (world: World, { id, name, hash, deletes }: Posted, key: string): boolean => {
  const rows = world.rows.get(id) ?? [];
  const keys = world.keys.get(id) ?? new Set();
  world.rows.set(id, rows);
  world.keys.set(id, keys);
  const isRepeat = keys.has(key);
  keys.add(key);
  if (world.settings.targetKind === 'honours-key' && isRepeat) return false;
  if (deletes) {
    rows.length = 0;
    return true;
  }
  switch (world.settings.targetKind) {
    case 'upserts':
    case 'conflicts':
      rows.splice(0, rows.length, { name, hash });
      return true;
    case 'honours-key':
    case 'adds-rows':
      rows.push({ name, hash });
      return true;
  }
};
