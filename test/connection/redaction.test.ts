import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { strikeOut } from '../../lib/connection/redaction.ts';

const unicode = (text: string): string =>
  [...Array(text.length).keys()].map((at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');

const percent = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

/** Every way in which a server may quote what it was sent. */
const forms: [name: string, quote: (secret: string) => string][] = [
  ['as it is', (secret) => secret],
  ['percent-encoded', encodeURIComponent],
  [
    'percent-encoded in small letters',
    (secret) => encodeURIComponent(secret).replace(/%../g, (one) => one.toLowerCase()),
  ],
  ['percent-encoded twice', (secret) => encodeURIComponent(encodeURIComponent(secret))],
  ['percent-encoded throughout', percent],
  ['form-encoded', (secret) => new URLSearchParams({ s: secret }).toString().slice(2)],
  ['in JSON', (secret) => JSON.stringify(secret).slice(1, -1)],
  ['in JSON with its slashes escaped', (secret) => JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/')],
  ['in JSON in JSON', (secret) => JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
  ['in JSON of ASCII alone', unicode],
  [
    'in JSON of ASCII in capitals',
    (secret) =>
      unicode(secret)
        .replace(/[a-f](?=[0-9a-f]*)/g, (one) => one.toUpperCase())
        .replaceAll('\\U', '\\u'),
  ],
  ['in HTML', (secret) => secret.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`)],
  ['in base64', (secret) => Buffer.from(secret).toString('base64')],
  ['in base64 without padding', (secret) => Buffer.from(secret).toString('base64').replace(/=+$/, '')],
  ['in base64 for URLs', (secret) => Buffer.from(secret).toString('base64url')],
  ['in hex', (secret) => Buffer.from(secret).toString('hex')],
  ['in hex in capitals', (secret) => Buffer.from(secret).toString('hex').toUpperCase()],
  ['in base64, percent-encoded', (secret) => encodeURIComponent(Buffer.from(secret).toString('base64'))],
];

// Values of the environment have no spaces around them; a backslash at the edge may be one of the encoding's own.
const secret = fc
  .oneof(
    fc.string({ unit: 'grapheme-ascii', minLength: 4, maxLength: 40 }),
    fc.string({ unit: 'grapheme', minLength: 4, maxLength: 20 }),
  )
  .filter((text) => text.isWellFormed() && /^[^\s\\].*[^\s\\]$/su.test(text) && Buffer.byteLength(text) >= 5)
  .filter((text) => [...text].length >= 4 && !'<before> *** <after>'.includes(text));

describe.each(forms)('a secret that the server quotes %s', (_, quote) => {
  it('is struck out', () => {
    const sent = 'p@ss/w0rd+secret-1234';
    expect(strikeOut(`{"said":"bad ${quote(sent)}"}`, [sent])).toBe('{"said":"bad ***"}');
    fc.assert(
      fc.property(secret, (text) => {
        expect(strikeOut(`<before> ${quote(text)} <after>`, [text])).toBe('<before> *** <after>');
      }),
    );
  });
});

describe('every secret is struck out', () => {
  const form = fc.constantFrom(...forms.map(([, quote]) => quote));
  const words = fc.constantFrom('said', 'bad token', '{"at":1}', '名称', '\n');

  it('as often as it is quoted, in whatever forms', () => {
    fc.assert(
      fc.property(secret, fc.array(fc.tuple(form, words), { minLength: 2, maxLength: 6 }), (text, quoted) => {
        fc.pre(!quoted.some(([, said]) => said.includes(text)));
        const answer = quoted.map(([quote, said]) => `<${said}> ${quote(text)} `).join('');
        expect(strikeOut(answer, [text])).toBe(quoted.map(([, said]) => `<${said}> *** `).join(''));
      }),
      { numRuns: 30 },
    );
  });

  it('however many there are, and in whatever order they are quoted', () => {
    const sent = ['p@ss/w0rd+secret-1234', '令牌-of-the-target', 'client:another one'];
    const pair = fc.tuple(fc.constantFrom(...sent), form);
    fc.assert(
      fc.property(
        fc.array(pair, { minLength: 1, maxLength: 8 }),
        fc.shuffledSubarray(sent, { minLength: 3 }),
        (all, known) => {
          const answer = all.map(([one, quote]) => `[${quote(one)}]`).join(' ');
          expect(strikeOut(answer, known)).toBe(all.map(() => '[***]').join(' '));
        },
      ),
    );
  });
});

it.each(['a', 'id', 'client-1', '中文'])(
  'within base64 of "%s:secret" a secret is struck out with what follows',
  (id) => {
    const packed = Buffer.from(`${id}:p@ss/w0rd+secret-1234`).toString('base64');
    const shown = strikeOut(`Basic ${packed}, please`, ['p@ss/w0rd+secret-1234']);
    expect(shown).toMatch(/^Basic [A-Za-z0-9+/]*\*\*\*, please$/);
    const left = Buffer.from(shown.replace(/^Basic |\*\*\*.*$/g, ''), 'base64').toString();
    expect(left.replace(/\W+$/, '').length).toBeLessThanOrEqual(`${id}:`.length + 1);
    expect(left).not.toContain('p@');
  },
);

it('a digest is struck out in either case', () => {
  const digest = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b';
  expect(strikeOut(`${digest} ${digest.toUpperCase()}`, [digest])).toBe('*** ***');
});

it('short secrets are not searched, nor is an empty one: nothing could be read any more', () => {
  expect(strikeOut('abc said: wrong abc', ['abc', ''])).toBe('abc said: wrong abc');
  expect(strikeOut('a longer word stays a word', ['word'], 16)).toBe('a longer word stays a word');
});

it('a text without secrets is left as it is, however long', () => {
  const page = JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id, name: `\u4e2d 100% ${id}` })));
  expect(strikeOut(page, ['p@ss/w0rd+secret-1234', 'another secret of ours'])).toBe(page);
});

it('of two secrets of which one holds the other, no part of the longer is left', () => {
  expect(strikeOut('it was secret-1234', ['secret', 'secret-1234'])).toBe('it was ***');
});
