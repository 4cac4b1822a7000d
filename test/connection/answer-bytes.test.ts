import { promisify } from 'node:util';
import { brotliCompress, deflate, deflateRaw, gzip, zstdCompress } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerOf } from '../../lib/connection/answer-bytes.ts';

const MAX_BYTES = 100_000;
const read = (bytes: Uint8Array | readonly number[], headers: Record<string, string> = {}) =>
  answerOf({ status: 200, headers }, Uint8Array.from(bytes), MAX_BYTES);

const declaring = (charset: string) => ({ 'content-type': `application/json; charset=${charset}` });

describe('the charset of an answer', () => {
  it.each<[charset: string, bytes: number[], text: string]>([
    ['GBK', [0xd6, 0xd0, 0xb9, 0xfa], '中国'],
    ['gb2312', [0xd6, 0xd0, 0xb9, 0xfa], '中国'],
    ['GB18030', [0xd6, 0xd0, 0x95, 0x32, 0x82, 0x36], '中\u{20000}'],
    ['Big5', [0xa4, 0xa4, 0xb0, 0xea], '中國'],
    ['Shift_JIS', [0x93, 0xfa, 0x96, 0x7b], '日本'],
    ['EUC-KR', [0xc7, 0xd1], '한'],
    ['UTF-16', [0x2d, 0x4e], '中'],
    ['UTF-16BE', [0x4e, 0x2d], '中'],
    ['latin1', [0xe9], 'é'],
    ['ISO-8859-1', [0xe9], 'é'],
    ['windows-1252', [0x80], '€'],
    ['utf8', [0xc3, 0xa9], 'é'],
    ['UTF-8', [0xf0, 0x9f, 0x98, 0x80], '😀'],
    ['utf8mb4', [0xc3, 0xa9], 'é'],
    ['"gbk"', [0xd6, 0xd0], '中'],
    ["'GBK'", [0xd6, 0xd0], '中'],
    [' Gbk ; boundary=x', [0xd6, 0xd0], '中'],
    ['cp936', [0xd6, 0xd0], '中'],
    ['MS936', [0xd6, 0xd0], '中'],
    ['cp950', [0xa4, 0xa4], '中'],
    ['ms950', [0xa4, 0xa4], '中'],
    ['cp932', [0x92, 0x86], '中'],
  ])('%s is decoded where it is declared', async (charset, bytes, text) => {
    const answer = await read(bytes, declaring(charset));
    expect(answer).toMatchObject({ kind: 'answered', text });
    expect(answer).not.toHaveProperty('unreadable');
  });

  it.each<[name: string, mark: number[], bytes: number[]]>([
    ['UTF-8', [0xef, 0xbb, 0xbf], [0xe4, 0xb8, 0xad]],
    ['UTF-16 LE', [0xff, 0xfe], [0x2d, 0x4e]],
    ['UTF-16 BE', [0xfe, 0xff], [0x4e, 0x2d]],
  ])('a byte order mark of %s is accepted, and goes before what is declared', async (_, mark, bytes) => {
    for (const headers of [{}, declaring('gbk'), declaring('utf-16')]) {
      const answer = await read([...mark, ...bytes], headers);
      expect(answer).toMatchObject({ text: '中' });
      expect(answer).not.toHaveProperty('unreadable');
    }
  });

  it.each<[name: string, bytes: number[], headers: Record<string, string>, words: RegExp]>([
    ['undeclared bytes that are no UTF-8', [0xd6, 0xd0], {}, /no UTF-8, and it declares no charset/],
    ['a content-type without charset', [0xd6], { 'content-type': 'application/json' }, /no UTF-8/],
    ['bytes that break off', [0xe4, 0xb8], {}, /no UTF-8/],
    ['a charset that nobody knows', [0x41], declaring('x-chinese'), /charset x-chinese, which is unknown/],
    ['bytes that are not what they say', [0xff, 0xff], declaring('GBK'), /not in the charset GBK/],
    ['UTF-8 that is none', [0xd6, 0xd0], declaring('utf-8'), /not in the charset utf-8/],
  ])('%s: marked as unreadable, by name', async (_, bytes, headers, words) => {
    const answer = await read(bytes, headers);
    expect(answer).toMatchObject({ kind: 'answered', status: 200, unreadable: { why: 'charset' } });
    expect(answer !== 'tooLarge' && answer.unreadable?.message).toMatch(words);
  });

  it('UTF-8 is read whatever it says, and other bytes are never taken for text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        const bytes = Buffer.from(text);
        expect(await read(bytes)).toMatchObject({ text: text.replace(/^\uFEFF/, '') });
        const broken = await read(Buffer.concat([bytes, Buffer.from([0xff])]));
        expect(broken).toHaveProperty('unreadable');
      }),
    );
  });
});

const codings: [name: string, pack: (bytes: Buffer) => Promise<Buffer>][] = [
  ['gzip', promisify<Buffer, Buffer>(gzip)],
  ['x-gzip', promisify<Buffer, Buffer>(gzip)],
  ['deflate', promisify<Buffer, Buffer>(deflate)],
  ['deflate', promisify<Buffer, Buffer>(deflateRaw)],
  ['br', promisify<Buffer, Buffer>(brotliCompress)],
  ['zstd', promisify<Buffer, Buffer>(zstdCompress)],
];

describe.each(codings)('an answer that is declared as %s', (name, pack) => {
  const text = JSON.stringify({ data: Array.from({ length: 200 }, (_, index) => ({ id: index, name: '分组' })) });
  const headers = { 'content-encoding': name };

  it('is unpacked', async () => {
    expect(await read(await pack(Buffer.from(text)), headers)).toMatchObject({ text });
    const gbk = { ...declaring('gbk'), ...headers };
    expect(await read(await pack(Buffer.from([0xd6, 0xd0])), gbk)).toMatchObject({ text: '中' });
  });

  it('is read for what it is where it is plain JSON, or empty', async () => {
    for (const plain of [text, '{}', '{"code":0}', ' [1]', '<html></html>', '']) {
      expect(await read(Buffer.from(plain), headers), plain).toMatchObject({ text: plain });
    }
  });

  it('is unreadable where it breaks off: no part of it is taken for the whole', async () => {
    const packed = await pack(Buffer.from(text));
    for (const kept of [4, packed.length >> 1, packed.length - 1]) {
      expect(await read(packed.subarray(0, kept), headers), `${kept}`).toMatchObject({
        status: 200,
        text: '',
        unreadable: { why: 'packing' },
      });
    }
  });

  it('may not be larger than allowed once it is unpacked', async () => {
    const large = Buffer.alloc(MAX_BYTES + 1, 'x');
    expect(await read(await pack(large), headers)).toBe('tooLarge');
    expect(await read(await pack(large.subarray(1)), headers)).toMatchObject({ kind: 'answered' });
  });
});

it('several codings are undone in turn, and one that nobody knows is left alone', async () => {
  const packed = await promisify<Buffer, Buffer>(brotliCompress)(
    await promisify<Buffer, Buffer>(gzip)('{"a":1}' as never),
  );
  expect(await read(packed, { 'content-encoding': 'gzip, br' })).toMatchObject({ text: '{"a":1}' });
  expect(await read(Buffer.from('{}'), { 'content-encoding': 'identity' })).toMatchObject({ text: '{}' });
  expect(await read(Buffer.from('{}'), { 'content-encoding': 'foo' })).toMatchObject({ text: '{}' });
});
