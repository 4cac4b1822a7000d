import { describe, expect, test } from 'vitest';
import { checkSandboxFlags } from '../../cli/input/sandbox-options.ts';
import { connectionVariables, sandboxedSides, strangeVariables } from '../../cli/stack/sides.ts';
import { readIntegrations } from '../../lib/integration/read.ts';
import { type Side, sides } from '../../lib/runs/ends.ts';
import { parseFault } from '../../local/sandbox/sandbox.ts';

const [crm] = readIntegrations(['integrations']).integrations;
if (crm === undefined) throw new Error('no integration is shipped');
const { source, target } = crm;
const fixed = (of: typeof source.connection) => ({ ...of, baseUrl: 'https://api.example.com' });
const inFile = {
  both: {
    ...crm,
    source: { ...source, connection: fixed(source.connection) },
    target: { ...target, connection: fixed(target.connection) },
  },
  source: { ...crm, source: { ...source, connection: fixed(source.connection) } },
};

const SOURCE = { OKKI_BASE_URL: 'https://okki.example.com' };
const TARGET = { CRM_BASE_URL: 'https://crm.example.com' };
const both: readonly Side[] = sides;

describe('the sandbox stands in', () => {
  test.each<
    [what: string, env: Record<string, string>, needs: readonly Side[], sandbox: Side | undefined, expected: Side[]]
  >([
    ['for both where neither has an address', {}, both, undefined, ['source', 'target']],
    [
      'for both where the variables hold blanks only',
      { OKKI_BASE_URL: ' ', CRM_BASE_URL: '\n' },
      both,
      undefined,
      ['source', 'target'],
    ],
    ['for what is read only', {}, ['source'], undefined, ['source']],
    ['for nothing where both have one', { ...SOURCE, ...TARGET }, both, undefined, []],
    ['for the target where that is asked for', SOURCE, both, 'target', ['target']],
    ['for the source where that is asked for', TARGET, both, 'source', ['source']],
    [
      'for the target that is asked for although it has an address',
      { ...SOURCE, ...TARGET },
      both,
      'target',
      ['target'],
    ],
    ['for nothing where the only end that is read has an address', SOURCE, ['source'], undefined, []],
    ['for nothing where the only end that is written has an address', TARGET, ['target'], undefined, []],
  ])('%s', (_what, env, needs, sandbox, expected) => {
    expect(sandboxedSides(crm, env, { needs, ...(sandbox && { sandbox }) })).toEqual(expected);
  });

  test('for nothing where both addresses stand in the file', () => {
    expect(sandboxedSides(inFile.both, {}, { needs: both })).toEqual([]);
  });
});

describe('one address alone is refused with the names of both', () => {
  test.each<[env: Record<string, string>, needs: readonly Side[], advice: string]>([
    [SOURCE, both, '--sandbox target'],
    [TARGET, both, '--sandbox source'],
    [TARGET, ['source'], '--sandbox source'],
    [SOURCE, ['target'], '--sandbox target'],
  ])('%j, needed: %j', (env, needs, advice) => {
    const refused = () => sandboxedSides(crm, env, { needs });
    for (const words of ['OKKI_BASE_URL', 'CRM_BASE_URL', advice]) expect(refused).toThrow(words);
  });

  test('also where the other stands in the file', () => {
    expect(() => sandboxedSides(inFile.source, {}, { needs: both })).toThrow(
      /source\.connection\.baseUrl.*CRM_BASE_URL/,
    );
  });

  test('--sandbox for one end leaves the other to its address', () => {
    expect(() => sandboxedSides(crm, {}, { needs: both, sandbox: 'target' })).toThrow('OKKI_BASE_URL');
    expect(() => sandboxedSides(inFile.both, {}, { needs: both, sandbox: 'target' })).toThrow('in the file');
  });
});

describe('values of variables', () => {
  const env = { ...SOURCE, ...TARGET, OKKI_CLIENT_ID: 'client', OKKI_CLIENT_SECRET: ' secret\r\n' };

  test('go to the functions without the blanks around them', () => {
    const padded = { ...env, CRM_BASE_URL: ' https://crm.example.com\n', CRM_RATE_LIMIT: '60/60s ' };
    expect(connectionVariables(crm, padded, undefined)).toMatchObject({
      ...TARGET,
      OKKI_CLIENT_SECRET: 'secret',
      CRM_RATE_LIMIT: '60/60s',
    });
  });

  test.each([
    [{ CRM_BASE_URL: 'crm.example.com' }, /CRM_BASE_URL/, /https:\/\/api\.example\.com/],
    [{ OKKI_BASE_URL: 'okki' }, /OKKI_BASE_URL/, /https:\/\/api\.example\.com/],
    [{ CRM_RATE_LIMIT: '60/min' }, /CRM_RATE_LIMIT/, /60\/60s/],
    [{ CRM_RATE_LIMIT: '1/min', CRM_BASE_URL: 'x' }, /CRM_RATE_LIMIT/, /CRM_BASE_URL/],
  ])('that mean nothing are refused by name, with an example: %j', (wrong, name, example) => {
    const refused = () => connectionVariables(crm, { ...env, ...wrong }, undefined);
    expect(refused).toThrow(name);
    expect(refused).toThrow(example);
  });

  test('of an end that is not needed are not asked for', () => {
    expect(connectionVariables(crm, TARGET, undefined, ['target'])).toMatchObject(TARGET);
    expect(() => connectionVariables(crm, TARGET, undefined)).toThrow('OKKI_CLIENT_ID');
  });
});

test('variables that look like ours and that nothing reads are pointed out', () => {
  const env = { OKKI_BASEURL: 'x', CRM_BASE_URL: 'x', QINGYIYUN_TOKEN: 'x', OKKI_LABEL: 'x', HOME: '/' };
  const lines = strangeVariables(crm, env);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/OKKI_BASEURL.*did you mean "OKKI_BASE_URL"/);
  expect(lines[1]).toContain('OKKI_LABEL');
});

describe('what is for the sandbox is refused where it does not stand in', () => {
  const faults = (text: string) => ({ needs: both, faults: [parseFault(text)] });
  test.each<[text: string, sandboxed: Side[]]>([
    ['target-500', []],
    ['target-500', ['source']],
    ['source-429', ['target']],
  ])('--fault %s, sandboxed: %j', (text, sandboxed) => {
    expect(() => checkSandboxFlags(faults(text), sandboxed)).toThrow(`--fault ${text}`);
  });

  test('--groups', () => {
    expect(() => checkSandboxFlags({ needs: both, groups: [] }, ['target'])).toThrow('--groups');
  });

  test.each<[text: string, needs: readonly Side[], sandboxed: Side[]]>([
    ['target-500', both, ['target']],
    ['source-429', both, ['source']],
    ['target-500', ['source'], ['source']],
  ])('and passes where it does: --fault %s', (text, needs, sandboxed) => {
    expect(() => checkSandboxFlags({ needs, faults: [parseFault(text)] }, sandboxed)).not.toThrow();
  });
});
