import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/** Every class of errors of ours: its name, and what its body begins with. */
const classes = globSync('{lib,local,cli,functions}/**/*.ts').flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/class (\w+) extends \w*Error \{(.{0,200})/gs)].map(
    ([, name = '', body = '']) => ({
      name,
      ownName: /readonly name = '(\w+)'/.exec(body)?.[1],
      code: /readonly code = '([^']+)'/.exec(body)?.[1],
    }),
  ),
);

describe('errors', () => {
  test('are found by this test', () => {
    expect(classes.map(({ name }) => name)).toEqual(expect.arrayContaining(['UsageError', 'ConfigurationError']));
  });

  test.each(classes)('$name has its name, and a code in kebab-case', ({ name, ownName, code }) => {
    expect(ownName).toBe(name);
    expect(code).toMatch(/^[a-z]+(-[a-z0-9]+)*$/);
  });

  test('each have a code of their own', () => {
    expect(new Set(classes.map(({ code }) => code)).size).toBe(classes.length);
  });
});
