import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBaseUrl, joinUrl, resolveLink } from '../../lib/connection/http.ts';

describe('a base URL', () => {
  it.each([
    ['https://api.example.com', true],
    ['http://127.0.0.1:8080/base/', true],
    ['ftp://api.example.com', false],
    ['api.example.com', false],
    ['https://user:word@api.example.com', false],
    ['https://api.example.com/?key=1', false],
    ['https://api.example.com/#here', false],
    ['', false],
  ])('%s: %s', (text, expected) => {
    expect(isBaseUrl(text)).toBe(expected);
  });

  it.each([
    ['https://api.example.com', '/v1/list', 'https://api.example.com/v1/list'],
    ['https://api.example.com/', 'v1/list', 'https://api.example.com/v1/list'],
    ['https://api.example.com/base', '/v1/list', 'https://api.example.com/base/v1/list'],
    ['https://api.example.com', '/v1/list?a=1', 'https://api.example.com/v1/list?a=1'],
    ['https://api.example.com', '//evil.example/list', 'https://api.example.com/evil.example/list'],
    ['https://api.example.com', 'https://evil.example/', 'https://api.example.com/https://evil.example/'],
    ['https://api.example.com', '/写入', 'https://api.example.com/%E5%86%99%E5%85%A5'],
  ])('%s and %s make %s', (base, path, expected) => {
    expect(joinUrl(base, path)).toBe(expected);
  });

  it('adds a query to the one that the path has, encoded', () => {
    const query = [
      ['name', '产品 A&b=c'],
      ['name', 'again'],
    ] as const;
    const url = new URL(joinUrl('https://api.example.com', '/list?fixed=1', query));
    expect([...url.searchParams]).toEqual([['fixed', '1'], ...query]);
  });

  it('never leads to another host, whatever the path', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.webPath()), (path) => {
        expect(new URL(joinUrl('https://api.example.com', path)).origin).toBe('https://api.example.com');
      }),
    );
  });
});

describe('a link to the next page', () => {
  const from = 'https://api.example.com/v1/list?page=1';
  it.each([
    ['https://api.example.com/v1/list?page=2', 'https://api.example.com/v1/list?page=2'],
    ['/v1/list?page=2', 'https://api.example.com/v1/list?page=2'],
    ['?page=2', 'https://api.example.com/v1/list?page=2'],
    // TLS ends at a proxy: the server does not know by which scheme it is reached.
    ['http://api.example.com/v1/list?page=2', 'https://api.example.com/v1/list?page=2'],
    ['http://api.example.com:443/v1/list?page=2', 'https://api.example.com/v1/list?page=2'],
    ['https://api.example.com/v1/list?page=2#rows', 'https://api.example.com/v1/list?page=2'],
  ])('%s is followed to %s', (link, expected) => {
    expect(resolveLink(from, link)).toBe(expected);
  });

  it('is followed to the port that is asked, where it names none', () => {
    const link = 'http://api.example.com/v1/list?page=2';
    expect(resolveLink('https://api.example.com:8443/v1/list', link)).toBe(
      'https://api.example.com:8443/v1/list?page=2',
    );
  });

  it.each([
    'https://evil.example/v1/list',
    '//evil.example/v1/list',
    'http://api.example.com:8080/v1/list',
    'ftp://api.example.com/v1/list',
    'https://api.example.com:8443/v1/list',
    'https://user:word@api.example.com/v1/list',
    'javascript:alert(1)',
    'https://%zz',
  ])('%s is not followed', (link) => {
    expect(resolveLink(from, link)).toBeUndefined();
  });
});
