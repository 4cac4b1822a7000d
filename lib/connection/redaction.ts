/** Shorter secrets are not searched: they stand in many a text by chance, and nothing could be read any more. */
export const MIN_SECRET_CHARACTERS = 4;

const HIDDEN = '***';
const HEX_DIGEST = /^[0-9a-f]{32,}$/i;
const BASE64 = '(?:[A-Za-z0-9+/_=-]|%(?:25)*(?:2[bBfF]|3[dD]))*';

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

const inEitherCase = (text: string): string =>
  text.replace(/[a-f]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`);

const hex = (code: number, digits: number): string => inEitherCase(code.toString(16).padStart(digits, '0'));

/** One character in every way in which a server may write it: as it is, percent-encoded, in JSON and in HTML. */
const anyFormOf = (character: string, plain: string): string => {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  const forms = [
    // A text that was encoded twice has %25 for each %.
    [...Buffer.from(character)].map((byte) => `%(?:25)*${hex(byte, 2)}`).join(''),
    units.map((unit) => `\\\\{1,8}u${hex(unit, 4)}`).join(''),
    `&#(?:${character.codePointAt(0)}|[xX]0*${hex(character.codePointAt(0) ?? 0, 1)});`,
  ];
  if (character === ' ') forms.push('\\+');
  if ('"\\/'.includes(character)) forms.push(`\\\\{1,8}${escaped(character)}`);
  const entity = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' }[character];
  if (entity !== undefined) forms.push(`&${entity};`);
  // The character itself comes last: a % is the beginning of %25, and may stand for itself.
  return `(?:${[...forms, plain].join('|')})`;
};

const patternOf = (text: string): string =>
  [...text].map((one) => anyFormOf(one, HEX_DIGEST.test(text) ? inEitherCase(escaped(one)) : escaped(one))).join('');

const either: Readonly<Record<string, string>> = { '+': '[+-]', '/': '[/_]' };

/** Characters of base64 that stand for a secret whatever stands before it, with all that follows. */
const base64Pattern = (text: string): string =>
  [...text].map((one) => anyFormOf(one, either[one] ?? escaped(one))).join('') + BASE64;

/** A secret within a longer text in base64 begins at one of three places of a group: what is surely its own. */
const inBase64 = (secret: string): string[] => {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const own = encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
    return own.length > MIN_SECRET_CHARACTERS ? [own] : [];
  });
};

/** The longest run of letters and digits. Encodings leave these as they are, unless they escape everything. */
const runIn = (text: string): string =>
  (text.match(/[A-Za-z0-9]+/g) ?? []).reduce((longest, run) => (run.length > longest.length ? run : longest), '');

const ESCAPES = /%|\\u|&#/;

/**
 * Strikes out of a server's text what was sent to it as a secret, in every form in which it can quote it: as it is,
 * percent- and form-encoded, in base64 (also within a longer text, such as `id:secret`), in hex, in escapes of JSON and HTML.
 * Secrets with fewer than `minCharacters` are left: they may stand in the text by chance.
 */
export const strikeOut = (
  text: string,
  secrets: readonly string[],
  minCharacters: number = MIN_SECRET_CHARACTERS,
): string => {
  const searched = [...new Set(secrets)].filter((secret) => [...secret].length >= minCharacters);
  const plain = searched.map((secret) => ({ secret, pattern: patternOf }));
  const packed = searched.flatMap(inBase64).map((secret) => ({ secret, pattern: base64Pattern }));
  const escapes = ESCAPES.test(text);
  const lower = text.toLowerCase();
  const dumped = searched
    .map((secret) => ({ secret: Buffer.from(secret).toString('hex'), pattern: inEitherCase }))
    .filter(({ secret }) => lower.includes(secret));
  const likely = [...plain, ...packed]
    .filter(({ secret }) => {
      const run = HEX_DIGEST.test(secret) ? '' : runIn(secret);
      return escapes || text.includes(run);
    })
    .concat(dumped)
    .sort((a, b) => b.secret.length - a.secret.length);
  if (likely.length === 0) return text;
  return text.replace(new RegExp(likely.map(({ secret, pattern }) => pattern(secret)).join('|'), 'g'), HIDDEN);
};
