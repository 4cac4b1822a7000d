import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { IdCheck, TroubleKind } from '../../idcheck/item.ts';
import { type Item, type ItemReader, MalformedItemError, number, readItem, text } from './attributes.ts';
import { keyName } from './table.ts';

type Kind<Value> = Value extends number ? 'number' : 'text';

/** For every field of a part its attribute type; `?` where it may be absent. The compiler misses none. */
type FieldKinds<Part> = {
  [Name in keyof Part]-?: Record<never, never> extends Pick<Part, Name>
    ? `${Kind<Exclude<Part[Name], undefined>>}?`
    : Kind<Part[Name]>;
};

type Parts = Omit<Required<IdCheck>, 'id' | 'rev' | 'turn'>;

// Names are written out: a typical item still has about 170 bytes, and 409 would be too many to scan a record for
// 0.05 read units (eventually consistent: half a unit per 4 KB).
const PARTS: { [Name in keyof Parts]: FieldKinds<Parts[Name]> } = {
  loaded: { hash: 'text', versionMs: 'number', atMs: 'number', unsureSinceMs: 'number?' },
  deleted: { hash: 'text', versionMs: 'number', atMs: 'number' },
  claim: { owner: 'text', hash: 'text', versionMs: 'number', sinceMs: 'number', untilMs: 'number' },
  trouble: {
    kind: 'text',
    hash: 'text',
    versionMs: 'number',
    sinceMs: 'number',
    reason: 'text',
    letterMs: 'number?',
    parentId: 'text?',
  },
  doubt: { hash: 'text', untilMs: 'number' },
};

type Field = string | number;

const toMap = (part: object): AttributeValue => ({
  M: Object.fromEntries(
    Object.entries<Field>(part as Record<string, Field>).map(([name, value]) => [
      name,
      typeof value === 'number' ? number(value) : text(value),
    ]),
  ),
});

const fromMap = (map: ItemReader, kinds: Record<string, string>): Record<string, Field> => {
  const part: Record<string, Field> = {};
  for (const [name, kind] of Object.entries(kinds)) {
    if (kind.endsWith('?') && !map.has(name)) continue;
    part[name] = kind.startsWith('number') ? map.number(name) : map.text(name);
  }
  return part;
};

const TROUBLE_KINDS: Record<TroubleKind, true> = { rejected: true, uncertain: true, parked: true, exhausted: true };

/** An item's attributes but for the partition key; the sort key `sk` is the id. */
export const toAttributes = ({ id, rev, turn, ...parts }: IdCheck): Item => {
  const item: Item = { sk: text(id), rev: number(rev), ...(turn === undefined ? {} : { turn: number(turn) }) };
  for (const [name, part] of Object.entries(parts)) if (part) item[name] = toMap(part);
  return item;
};

/** Reads an item back; throws `MalformedItemError` with the item's key. */
export const fromAttributes = (item: Item): IdCheck => {
  const key = keyName(item);
  const reader = readItem(item, key);
  const parts: Record<string, Record<string, Field>> = {};
  for (const [name, kinds] of Object.entries(PARTS)) {
    const map = reader.map(name);
    if (map) parts[name] = fromMap(map, kinds);
  }
  const kind = parts.trouble?.kind;
  if (kind !== undefined && !Object.hasOwn(TROUBLE_KINDS, kind)) {
    throw new MalformedItemError(key, `trouble.kind must be one of ${Object.keys(TROUBLE_KINDS).join(', ')}`);
  }
  // PARTS names every field with its type, so what was read through it is an IdCheck's.
  return {
    id: reader.text('sk'),
    rev: reader.number('rev'),
    ...(reader.has('turn') ? { turn: reader.number('turn') } : {}),
    ...(parts as Omit<IdCheck, 'id' | 'rev' | 'turn'>),
  };
};
