// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the framework’s variables are written like this.
import { describe, expect, test } from 'vitest';
import { resolveVariables } from '../../../local/stack/variables.ts';

const raw = {
  service: 'okki',
  custom: {
    prefix: `\${self:service}-\${sls:stage}`,
    sizes: { dev: 1, prod: { workers: 5 } },
    list: ['first', 'second'],
    loop: `\${self:custom.loop}`,
    zero: 0,
  },
  params: { default: { url: 'https://default.invalid', only: 'default' }, prod: { url: 'https://prod.invalid' } },
  provider: { stage: 'dev' },
};
const resolve = (value: unknown, stage = 'prod') =>
  resolveVariables(value, { raw, stage, region: 'us-east-1', accountId: '000000000000' });

describe('a variable is replaced', () => {
  test.each([
    ['no variable at all', 'plain', 'plain'],
    ['the stage', '${sls:stage}', 'prod'],
    ['the stage, under the name that the provider section gives it', '${self:provider.stage}', 'prod'],
    ['a value of the file, which has variables itself', '${self:custom.prefix}', 'okki-prod'],
    ['within a text', 'queue-${self:service}-x', 'queue-okki-x'],
    ['two in one text', '${self:service}/${sls:stage}', 'okki/prod'],
    ['nested, the inner one first', '${self:custom.sizes.${sls:stage}.workers}', 5],
    ['a list element', '${self:custom.list.1}', 'second'],
    ['a whole structure', '${self:custom.sizes.prod}', { workers: 5 }],
    ['zero, which is a value', '${self:custom.zero, 7}', 0],
    ['a parameter of the stage', '${param:url}', 'https://prod.invalid'],
    ['a parameter that only the default has', '${param:only}', 'default'],
    ['a fallback in quotes, comma and all', "${opt:absent, 'a, b'}", 'a, b'],
    ['a fallback that is a variable', '${opt:absent, self:service}', 'okki'],
    ['a number and a boolean as fallback', ['${opt:a, 3}', '${opt:b, true}'], [3, true]],
    ['region and account', '${aws:region} ${aws:accountId}', 'us-east-1 000000000000'],
    ['the host’s environment, by its fallback only', "${env:PATH, 'fallback'}", 'fallback'],
    ['what is CloudFormation’s, not at all', 'arn:${AWS::Region}:${Queue.Arn}', 'arn:${AWS::Region}:${Queue.Arn}'],
    ['within mappings and lists', { a: ['${sls:stage}'] }, { a: ['prod'] }],
  ])('%s', (_title, value, expected) => {
    expect(resolve(value)).toEqual(expected);
  });

  test('a parameter that the stage does not override comes from the defaults', () => {
    expect(resolve('${param:url}', 'local')).toBe('https://default.invalid');
  });
});

test.each([
  ['absent', '${self:custom.absent}', '${self:custom.absent} has no value on the local stack'],
  ['from a secret store', '${ssm:/secret}', '${ssm:/secret} has no value on the local stack'],
  ['from a file', '${file(other.yml):key}', '${file(other.yml):key} has no value on the local stack'],
  ['a circle', '${self:custom.loop}', 'variables refer to each other in a circle'],
  ['a structure within a text', 'x${self:custom.list}', 'is not a plain value but stands within a text'],
])('%s: is refused with the variable in the message', (_title, value, message) => {
  expect(() => resolve(value)).toThrow(message);
});
