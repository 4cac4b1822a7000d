import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExactNumber, type JsonObject, type JsonValue, parseJson } from '../../lib/json/json.ts';
import {
  bodyText,
  checkMessage,
  type RecordMessage,
  readMessage,
  writeMessage,
} from '../../lib/messages/record-message.ts';
import { recordMessage } from '../load/message.ts';

// A bigint is one only past 2^53: that is what parsing gives back. -0 is 0 in JSON.
const scalar: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
  fc.integer(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }),
  fc.constantFrom(new ExactNumber('123456789012345678.55'), new ExactNumber('1e400')),
  fc.boolean(),
  fc.constant(null),
);
const body: fc.Arbitrary<JsonObject> = fc.dictionary(
  fc.string(),
  fc.oneof(scalar, fc.array(scalar), fc.dictionary(fc.string(), scalar)),
);
const failure = fc.record(
  { cause: fc.string(), status: fc.integer(), excerpt: fc.string({ unit: 'binary' }), atMs: fc.nat() },
  { requiredKeys: ['cause', 'atMs'] },
);
const message: fc.Arbitrary<RecordMessage> = fc.record(
  {
    v: fc.constant(1 as const),
    integration: fc.string({ minLength: 1 }),
    runId: fc.string({ minLength: 1 }),
    id: fc.string(),
    number: fc.string(),
    hash: fc.string({ minLength: 1 }),
    versionMs: fc.nat(),
    body,
    attempts: fc.nat(),
    deferrals: fc.nat(),
    firstSentMs: fc.nat(),
    lastFailure: failure,
    refresh: fc.constant(true as const),
    replayedMs: fc.nat(),
  },
  {
    requiredKeys: [
      'v',
      'integration',
      'runId',
      'id',
      'hash',
      'versionMs',
      'body',
      'attempts',
      'deferrals',
      'firstSentMs',
    ],
  },
);

describe('a record message', () => {
  it('comes back from the queue as it was sent, big integers exactly', () => {
    fc.assert(
      fc.property(message, (sent) => {
        const read = readMessage(writeMessage(sent));
        expect(read).toEqual({ kind: 'message', message: sent });
        expect(checkMessage(sent)).toEqual(read);
      }),
    );
  });

  it('is text of characters that every queue takes: those of SQS, without what is past U+FFFF', () => {
    // XML 1.0: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD
    const refused = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}]/u;
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const written = bodyText({ [text]: text });
        expect(written).not.toMatch(refused);
        expect(parseJson(written)).toEqual({ [text]: text });
      }),
    );
    expect(bodyText({ a: '\uFFFE\uFFFF\u0000\uD800' })).toBe('{"a":"\\ufffe\\uffff\\u0000\\ud800"}');
  });

  it('is written as version 1 with plain keys', () => {
    expect(parseJson(writeMessage(recordMessage({ id: '0' })))).toEqual({ ...recordMessage({ id: '0' }) });
  });
});

const nested = (levels: number): JsonValue => (levels === 0 ? 1 : [nested(levels - 1)]);

describe('what is no record message', () => {
  const whole: JsonObject = { ...recordMessage(), lastFailure: { cause: 'status', atMs: 1 } };
  it.each([
    { what: 'not JSON', value: undefined, why: 'the body is not JSON' },
    { what: 'another version', value: { ...whole, v: 2 }, why: 'version 2 of the message is unknown' },
    { what: 'a version as text', value: { ...whole, v: '1' }, why: 'version 1 of the message is unknown' },
    {
      what: 'a version that cannot be text',
      value: { v: { toString: 1 } },
      why: 'version of another kind of the message is unknown',
    },
    { what: 'a list', value: [], why: 'not a record message; missing or wrong: the whole' },
    { what: 'null', value: null, why: 'not a record message; missing or wrong: the whole' },
    { what: 'an empty integration', value: { ...whole, integration: '' }, why: /wrong: integration$/ },
    { what: 'an empty run', value: { ...whole, runId: '' }, why: /wrong: runId$/ },
    { what: 'an empty hash', value: { ...whole, hash: '' }, why: /wrong: hash$/ },
    { what: 'a number for an id', value: { ...whole, id: 0 }, why: /wrong: id$/ },
    { what: 'a list for a body', value: { ...whole, body: [] }, why: /wrong: body$/ },
    { what: 'a body that is nested too deep', value: { ...whole, body: { a: nested(200) } }, why: /wrong: body$/ },
    { what: 'attempts below 0', value: { ...whole, attempts: -1 }, why: /wrong: attempts$/ },
    { what: 'half an attempt', value: { ...whole, attempts: 0.5 }, why: /wrong: attempts$/ },
    { what: 'deferrals below 0', value: { ...whole, deferrals: -1 }, why: /wrong: deferrals$/ },
    { what: 'refresh that is not true', value: { ...whole, refresh: false }, why: /wrong: refresh$/ },
    { what: 'a failure without a cause', value: { ...whole, lastFailure: { atMs: 1 } }, why: /: lastFailure.cause$/ },
    { what: 'several faults', value: { v: 1, id: 'x' }, why: /wrong: integration, runId, hash, versionMs, body, / },
  ])('$what is unreadable, and says why', ({ value, why }) => {
    const body = value === undefined ? '{"v":1' : bodyText(value as never);
    const read = readMessage(body);
    expect(read.kind).toBe('unreadable');
    if (read.kind === 'unreadable') expect(read.why).toMatch(why);
  });

  it('takes a body that is nested as deep as a mapping may', () => {
    expect(readMessage(bodyText({ ...whole, body: { a: nested(199) } })).kind).toBe('message');
  });

  it.each(['[', '{"a":', '[1234567890123456,'])('deep nesting of %s is answered, not thrown', (opening) => {
    const closing = opening.startsWith('[') ? ']' : '}';
    for (const levels of [1_000, 100_000]) {
      const text = `${opening.repeat(levels)}1${closing.repeat(levels)}`;
      expect(readMessage(text).kind).toBe('unreadable');
      expect(readMessage(`{"v":1,"body":${text}}`).kind).toBe('unreadable');
    }
  });

  it('never throws: arbitrary text and values, and messages with one field changed or one character gone', () => {
    const anyValue = fc.oneof(fc.jsonValue(), fc.constant({ toString: 1, valueOf: 1 }), fc.anything());
    const changed = fc
      .tuple(message, fc.string(), fc.constantFrom(...Object.keys(whole)), anyValue)
      .map(([sent, other, key, value]) => ({ ...sent, [other]: value, [key]: value }));
    fc.assert(
      fc.property(fc.oneof(anyValue, changed), (value) => {
        expect(['message', 'unreadable']).toContain(checkMessage(value).kind);
      }),
      { numRuns: 1_000 },
    );
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        expect(['message', 'unreadable']).toContain(readMessage(text).kind);
      }),
    );
    fc.assert(
      fc.property(message, fc.nat(), (sent, at) => {
        const text = writeMessage(sent);
        const cut = at % text.length;
        expect(['message', 'unreadable']).toContain(readMessage(text.slice(0, cut) + text.slice(cut + 1)).kind);
        expect(readMessage(text.slice(0, cut)).kind).toBe('unreadable');
      }),
    );
  });
});
