import type { HttpAnswer } from '../../lib/connection/http.ts';
import { ExactNumber, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { answered, answeredBytes, failed } from '../fakes/fake-http.ts';
import type { World } from './world.ts';

/** "Too many" and "this token is over", as the simulated integrations name them. */
export const codes = { throttled: 42_901, tokenOver: 40_101 };

/** What a source means by an answer, whatever its words. */
type Said = 'answer' | 'throttled' | 'token refused' | 'failure';

export type Reply = { said: Said; answer: HttpAnswer | Promise<HttpAnswer> };

const kinds = [
  '429',
  '429-later',
  '503',
  '403-later',
  '403-used-up',
  'code-later',
  '500',
  'reset',
  'timeout',
  'refused',
  'html',
  'business',
  'revoke',
  'cut',
  'other-charset',
] as const;

/** What a page of the source suffers on its way; the other faults come instead of it. */
type Damage = 'revoke' | 'business' | 'cut' | 'other-charset';

const later = (sec: number): Record<string, string> => ({ 'retry-after': String(sec) });

/** Draws what goes wrong with one request: an answer in place of the right one, what befalls that one, or nothing. */
export const drawFault = ({ chance, weather: { rates }, note }: World): Reply | Damage | undefined => {
  if (!chance.happens(rates.source)) return undefined;
  const kind = chance.pick(kinds);
  note('source', 'fails', kind);
  const throttled = (answer: HttpAnswer): Reply => ({ said: 'throttled', answer });
  const failure = (answer: HttpAnswer): Reply => ({ said: 'failure', answer });
  switch (kind) {
    case '429':
      return throttled(answered(429, { code: 429, message: 'slow down' }));
    case '429-later':
      return throttled(answered(429, '', later(chance.whole(1, 120))));
    case '503':
      return throttled(answered(503, '', later(20)));
    case '403-later':
      return throttled(answered(403, '', later(chance.whole(1, 120))));
    case '403-used-up':
      return throttled(answered(403, { message: 'rate limit exceeded' }, { 'x-ratelimit-remaining': '0' }));
    case 'code-later':
      return throttled(answered(200, { code: codes.throttled, message: '请求过于频繁' }, chance.pick([{}, later(10)])));
    case '500':
      return failure(answered(500, 'oops'));
    case 'html':
      return failure(answered(200, '<html><body>maintenance</body></html>'));
    case 'reset':
    case 'timeout':
    case 'refused':
      return failure(failed(kind));
    default:
      return kind satisfies Damage;
  }
};

/** The characters of the simulated names that ASCII lacks. */
const gbk: ReadonlyMap<string, readonly number[]> = new Map([
  ['名', [0xc3, 0xfb]],
  ['称', [0xb3, 0xc6]],
]);

const inGbk = (text: string): Uint8Array =>
  Uint8Array.from([...text].flatMap((character) => gbk.get(character) ?? character.charCodeAt(0)));

const PLAIN = { 'content-type': 'application/json' };

/** A page's text in the bytes that this source writes, damaged or not. */
export const asBytes = (
  { settings, chance }: World,
  text: string,
  damage: 'cut' | 'other-charset' | undefined,
): HttpAnswer | Promise<HttpAnswer> => {
  // No more than the brackets may be missing.
  if (damage === 'cut') return answered(200, text.slice(0, chance.whole(1, text.length - 1)), PLAIN);
  if (damage === 'other-charset') return answeredBytes(200, inGbk(text), PLAIN);
  switch (settings.manners.bytes) {
    case 'plain':
      return answered(200, text, PLAIN);
    case 'declared GBK':
      return answeredBytes(200, inGbk(text), { 'content-type': 'application/json; charset=GBK' });
    case 'gzip only in its header':
      return answeredBytes(200, Buffer.from(text), { ...PLAIN, 'content-encoding': 'gzip' });
    default:
      return settings.manners.bytes satisfies never;
  }
};

/** More levels than a record may have. */
const nested = (levels: number): JsonValue => (levels === 0 ? 0 : [nested(levels - 1)]);

const spoils: readonly [name: string, spoil: (row: JsonObject) => JsonValue][] = [
  ['null', ({ id: _, ...row }) => ({ ...row, id: null })],
  ['missing', ({ id: _, ...row }) => row],
  ['blank', (row) => ({ ...row, id: ' ' })],
  ['an object', (row) => ({ ...row, id: { value: row.id ?? null } })],
  ['a list', (row) => ({ ...row, id: [row.id ?? null] })],
  ['a flag', (row) => ({ ...row, id: true })],
  ['not exact', (row) => ({ ...row, id: new ExactNumber('1.5e300') })],
  ['no row', ({ name }) => name ?? null],
  // What follows has its id.
  ['as text', (row) => ({ ...row, id: String(row.id) })],
  ['with zeros', (row) => ({ ...row, id: new ExactNumber(`${String(row.id)}.000`) })],
  ['nested too deep', (row) => ({ ...row, more: nested(150) })],
];

/** Rows of a page come otherwise than they are: without a readable id, with one of another type, or unfit for loading. */
export const spoilRows = ({ chance, weather: { rates }, note }: World, rows: readonly JsonObject[]): JsonValue[] => {
  if (rows.length === 0 || !chance.happens(rates.rows)) return [...rows];
  const isWhole = chance.happens(0.2);
  const at = chance.whole(0, rows.length - 1);
  const [name, spoil] = spoils[chance.whole(0, spoils.length - 1)] ?? ['', (row: JsonObject) => row];
  note('source', isWhole ? 'spoils a page' : `spoils row ${at + 1}`, `id ${name}`);
  return rows.map((row, index) => (isWhole || index === at ? spoil(row) : row));
};
