import { existsSync, globSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { program } from '../../cli/program.ts';

const pages = ['docs/deploy.md', 'docs/fixed-address.md'];
const chinese = (page: string) => page.replace(/\.md$/, '.zh-CN.md');
const textOf = (page: string) => readFileSync(page, 'utf8');

/** The fenced blocks of a page that somebody is to type or to write, without the indent of their list item. */
const blocksOf = (page: string): { language: string; lines: string[] }[] =>
  [...textOf(page).matchAll(/^( *)```(bash|powershell|yaml)\n(.*?)^ *```$/gms)].map(
    ([, indent = '', language = '', body = '']) => ({
      language,
      lines: body
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(indent.length)),
    }),
  );

/** The commands of a page, each on one line, without the comments behind them. */
const commandsOf = (page: string): string[] =>
  blocksOf(page)
    .filter(({ language }) => language !== 'yaml')
    .flatMap(({ lines }) =>
      lines
        .join('\n')
        .replace(/\\\n\s*/g, ' ')
        .split('\n'),
    )
    .map((line) => line.replace(/\s+#\s.*$/, '').trim())
    .filter((line) => line !== '');

const commands = [...new Set(pages.flatMap(commandsOf))];
/** What of a line begins with this word: behind a variable, within `$(…)` or a function, too. */
const calls = (word: RegExp) => commands.flatMap((line) => [...line.matchAll(word)].map(([call]) => ({ call })));

describe.each(pages)('%s', (page) => {
  test('gives the same commands in Chinese', () => {
    expect(commandsOf(chinese(page))).toEqual(commandsOf(page));
  });
});

describe('a command of the program', () => {
  const typed = calls(/npm start -- .*/g);
  const find = (words: string[], from: Command = program): Command => {
    const next = from.commands.find((command) => command.name() === words[0]);
    return next === undefined ? from : find(words.slice(1), next);
  };

  test.each(typed)('$call exists, with its flags', ({ call }) => {
    const words = call
      .replace(/"[^"]*"/g, 'TEXT')
      .split(' ')
      .slice(3);
    const command = find(words);
    expect(command).not.toBe(program);
    const known = command.options.map(({ long }) => long);
    expect(words.filter((word) => word.startsWith('--') && !known.includes(word))).toEqual([]);
  });

  test.each(typed.filter(({ call }) => call.includes('--stage')))('$call names the region of its stage', ({ call }) => {
    expect(call).toMatch(/--stage \S+ --region \S+/);
  });
});

const allPages = globSync(['docs/*.md', 'README*.md']);
test.each(allPages)('%s names the region beside each stage that is to be typed', (page) => {
  const typed = textOf(page).match(/(npm start --|okki-sync|osls) .*--stage [a-z].*/g) ?? [];
  expect(typed.filter((line) => /--stage [a-z-]+(?! --region)(?![a-z-])/.test(line))).toEqual([]);
});

describe('a command of the packager', () => {
  const typed = calls(/npx osls .*/g);
  const { params = {} } = parseDocument(textOf('serverless.yml').replace(/!\w+/g, '')).toJS() as {
    params?: { default?: Record<string, unknown> };
  };

  test.each(typed)('$call names stage and region, and parameters that there are', ({ call }) => {
    expect(call).toMatch(/^npx osls (deploy|deploy list|package|remove|rollback) --stage \S+ --region \S+/);
    const given = [...call.matchAll(/--param="(\w+)=/g)].map(([, name = '']) => name);
    expect(given.filter((name) => params.default?.[name] === undefined)).toEqual([]);
  });

  test.each(pages.slice(0, 1).flatMap((page) => [page, chinese(page)]))(
    '%s explains every parameter of a stage',
    (page) => {
      const rows = textOf(page)
        .split('\n')
        .filter((line) => /^\s*\| `/.test(line));
      const explained = rows.flatMap((row) =>
        [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
      );
      expect(Object.keys(params.default ?? {}).filter((name) => !explained.includes(name))).toEqual([]);
    },
  );

  test('what is written under params of a stage in yaml is a parameter', () => {
    const written = pages.flatMap(blocksOf).filter(({ language }) => language === 'yaml');
    const names = written.flatMap(({ lines }) => lines.flatMap((line) => /^\s*(\w+): \S/.exec(line)?.[1] ?? []));
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => params.default?.[name] === undefined)).toEqual([]);
  });
});

/** Services whose actions go by another name than their command line's. */
const services: Readonly<Record<string, string>> = { 'service-quotas': 'servicequotas' };
/** What only an administrator does, before there is a deployer, or for a network. */
const byAdministrator = ['iam:CreatePolicy', 'iam:AttachUserPolicy', 'ec2:ReleaseAddress'];
/** What a command needs whose name is not that of its action. */
const actionOf: Readonly<Record<string, string>> = {
  'cloudformation:Deploy': 'cloudformation:CreateChangeSet',
  'cloudformation:Wait': 'cloudformation:DescribeStacks',
  'dynamodb:Wait': 'dynamodb:DescribeTable',
  'lambda:Invoke': 'lambda:InvokeFunction',
};

describe('a command of AWS', () => {
  const typed = calls(/\baws [a-z0-9-]+ [a-z-]+(?:[^|;]|\$\([^)]*\))*/g);
  const policy = JSON.parse(textOf('serverless/policies/deployer.json')) as { Statement: { Action: string[] }[] };
  const granted = policy.Statement.flatMap(({ Action }) => Action);

  test('are found by this test', () => {
    expect(typed.length).toBeGreaterThan(20);
  });

  test.each(typed)('$call is allowed to the deployer, or is an administrator’s', ({ call }) => {
    const [, service = '', name = ''] = call.split(' ');
    const operation = name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const called = `${services[service] ?? service}:${operation}`;
    expect([...granted, ...byAdministrator]).toContain(actionOf[called] ?? called);
  });

  test.each(typed.filter(({ call }) => !/^aws (iam|sts) /.test(call)))('$call names its region', ({ call }) => {
    expect(call).toContain('--region ');
  });

  test('reads files that are there', () => {
    const files = commands.flatMap((line) => [...line.matchAll(/(?:file:\/\/|--template-file )([\w./-]+)/g)]);
    const made = ['tables.json'];
    expect(files.map(([, file = '']) => file).filter((file) => !made.includes(file) && !existsSync(file))).toEqual([]);
  });
});
