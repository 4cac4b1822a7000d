import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { resolveIntrinsics } from '../../local/stack/intrinsics.ts';
import { copyService, packageService, removeServiceCopy } from './packaging.ts';
import { readTemplate, resourcesOf, type Template } from './template.ts';

const dev = await readTemplate(inject('packagedDir'));

describe('two stages in one account', () => {
  let dir: string;
  let prod: Template;
  beforeAll(async () => {
    dir = await copyService();
    prod = await readTemplate(await packageService(dir, 'prod'));
  });
  afterAll(() => removeServiceCopy(dir));

  test('have the same resources under the same logical ids', () => {
    const kinds = (template: Template) => Object.entries(template.Resources).map(([id, { Type }]) => `${id} ${Type}`);
    expect(kinds(prod).sort()).toEqual(kinds(dev).sort());
  });

  test('share nothing: no name of the one stands in the other', () => {
    expect(JSON.stringify(prod.Resources)).not.toMatch(/okki-sync[-/]dev\b/);
    expect(JSON.stringify(dev.Resources)).not.toMatch(/okki-sync[-/]prod\b/);
  });

  test('differ in what belongs to a stage, and in nothing else of their functions', () => {
    const environments = (template: Template) =>
      resourcesOf(template, 'AWS::Lambda::Function').map(
        ({ id, properties: { Environment, FunctionName, ...rest } }) => ({
          id,
          variables: Object.keys(Environment.Variables).sort(),
          timeout: rest.Timeout,
          memory: rest.MemorySize,
          handler: rest.Handler,
          runtime: rest.Runtime,
        }),
      );
    expect(environments(prod)).toEqual(environments(dev));
  });
});

// IAM user guide, "Amazon Resource Names (ARNs)": the partition is aws, aws-cn for the Beijing and Ningxia regions.
test('in China every ARN that the template builds is one of its own partition', () => {
  const pseudoParameters = {
    'AWS::Partition': 'aws-cn',
    'AWS::Region': 'cn-northwest-1',
    'AWS::AccountId': '123456789012',
  };
  const built = subsIn(dev.Resources).flatMap((sub) => {
    const text = JSON.stringify(sub);
    // Subs of other resources' attributes take their partition from those.
    if (/\$\{(?!AWS::(Partition|Region|AccountId)\})/.test(text)) return [];
    return [String(resolveIntrinsics(sub, { resources: new Map(), pseudoParameters }))];
  });
  const arns = built.filter((value) => value.startsWith('arn:'));
  expect(arns.length).toBeGreaterThan(3);
  for (const arn of arns) expect(arn).toMatch(/^arn:aws-cn:[a-z]+:cn-northwest-1:123456789012:/);
});

/** Every `Fn::Sub` anywhere in a value. */
const subsIn = (value: unknown): unknown[] => {
  if (typeof value !== 'object' || value === null) return [];
  if ('Fn::Sub' in value) return [value];
  return Object.values(value).flatMap(subsIn);
};
