import { describe, expect, test } from 'vitest';
import { checkNpmOptions } from '../../cli/input/npm-options.ts';
import { program, sendingCommands } from '../../cli/program.ts';

type Env = Record<string, string>;
const check = (words: string, env: Env) => () =>
  checkNpmOptions(program, words.split(' ').filter(Boolean), env, sendingCommands);

describe('an option that npm kept for itself stops the program, which prints what should be typed', () => {
  test.each<[typed: string, words: string, env: Env, expected: string]>([
    ['runs --stage=prod', 'runs', { npm_config_stage: 'prod' }, 'npm start -- runs --stage prod'],
    ['runs --stage prod', 'runs prod', { npm_config_stage: 'true' }, 'npm start -- runs --stage prod'],
    ['--integration=x.json', '', { npm_config_integration: 'x.json' }, 'npm start -- --integration x.json'],
    ['--data-dir /tmp/x', '/tmp/x', { npm_config_data_dir: 'true' }, 'npm start -- --data-dir /tmp/x'],
    ['--data-dir', '', { npm_config_data_dir: 'true' }, 'npm start -- --data-dir <dir>'],
    ['run crm --stage prod', 'run crm prod', { npm_config_stage: 'true' }, 'npm start -- run crm --stage prod'],
    ['plan --id=5 --id=6', 'plan', { npm_config_id: '5\n\n6' }, 'npm start -- plan --id 5 --id 6'],
    ['adopt crm --dry-run', 'adopt crm', { npm_config_dry_run: 'true' }, 'npm start -- plan'],
    ['--fresh', '', { npm_config_fresh: 'true' }, 'npm start -- --fresh'],
    ['status last --stage prod', 'status last prod', { npm_config_stage: 'true' }, 'status last --stage prod'],
    ['--fault a --fault b', 'a b', { npm_config_fault: 'true\n\ntrue' }, 'npm start -- --fault a --fault b'],
    ['dlq replay --dry-run', 'dlq replay', { npm_config_dry_run: 'true' }, 'npm start -- dlq replay --dry-run'],
    ['dlq resolve 5 --dry-run', 'dlq resolve 5', { npm_config_dry_run: 'true' }, 'npm start -- plan'],
    ['--dry-run', '', { npm_config_dry_run: 'true' }, 'npm start -- plan'],
    ["dlq discard --why='so what'", 'dlq discard', { npm_config_why: 'so what' }, "dlq discard --why 'so what'"],
    ['init --target=t.json', 'init', { npm_config_target: 't.json' }, 'npm start -- init --target t.json'],
  ])('npm start %s', (_typed, words, env, expected) => {
    expect(check(words, env)).toThrow(expect.objectContaining({ name: 'UsageError' }));
    expect(check(words, env)).toThrow(expected);
  });
});

describe('what npm may have set for itself stops nothing', () => {
  test.each<[words: string, env: Env]>([
    [
      '',
      { npm_config_fund: 'false', npm_config_yes: 'true', npm_config_json: 'true', npm_config_user_agent: 'npm/11' },
    ],
    ['dlq discard', { npm_config_all: 'true', npm_config_force: 'true', npm_config_yes: '' }],
    ['runs', { npm_config_dry_run: 'true' }],
    ['plan', { npm_config_dry_run: 'true' }],
    ['dlq replay --dry-run', { npm_config_dry_run: 'true' }],
    ['', { npm_config_fresh: '', npm_config_target: '30.0.0' }],
    ['', { INTEGRATION: 'x', npm_package_config_stage: 'prod' }],
  ])('npm start %s with %j', (words, env) => {
    expect(check(words, env)).not.toThrow();
  });
});
