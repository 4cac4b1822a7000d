import * as z from 'zod/mini';
import type { JsonValue } from '../../json/json.ts';
import { valueAt } from '../../json/path.ts';
import type { FaultPath } from '../../runtime/fault.ts';
import { suggestion } from '../../runtime/nearest.ts';
import { type Integration, integrationSchema } from '../schema/schema.ts';

/** Something to say about a place in the file; `warning`: kept as it is. */
export type Finding = { kind: 'fault' | 'warning'; path: FaultPath; expected: string };

/** Something that is refused. */
export const fault = (path: FaultPath, expected: string): Finding => ({ kind: 'fault', path, expected });

/** Something that does not do what one may expect of it. */
export const warning = (path: FaultPath, expected: string): Finding => ({ kind: 'warning', path, expected });

type Issue = z.core.$ZodIssue;

const typeWords: Readonly<Record<string, string>> = {
  string: 'a text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

const listed = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join(', ');
const oneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? listed(values) : `one of ${listed(values)}`;

const optionWords = (all: readonly unknown[], { discriminator, input }: z.core.$ZodRawIssue): string => {
  // Where the word may be missing, that is one of the options.
  const options = all.filter((option) => option !== undefined);
  const word = typeof discriminator === 'string' ? valueAt(input, [discriminator]) : input;
  return `${oneOf(options)}${typeof word === 'string' ? suggestion(word, options.map(String)) : ''}`;
};

/** Puts an issue of zod into plain words; texts that a schema states itself come first. */
const words = (issue: z.core.$ZodRawIssue): string => {
  switch (issue.code) {
    case 'invalid_type':
      return typeWords[issue.expected] ?? issue.expected;
    case 'too_small':
      if (issue.origin === 'string') return 'a text that is not empty';
      return issue.origin === 'array' ? `at least ${issue.minimum} entry` : `${issue.minimum} or more`;
    case 'too_big':
      return `${issue.maximum} or less`;
    case 'invalid_value':
      return optionWords(issue.values, issue);
    case 'invalid_union':
      // A discriminated union names its options; the others state their words.
      return 'options' in issue && Array.isArray(issue.options) ? optionWords(issue.options, issue) : 'another form';
    case 'unrecognized_keys': {
      const { inst } = issue;
      const known = inst !== undefined && 'shape' in inst._zod.def ? Object.keys(inst._zod.def.shape as object) : [];
      return known.join(' ');
    }
    default:
      return 'another value';
  }
};

/** What a branch says against a key of the value, in a form that compares. */
const objection = ({ code, path, message }: Issue): string => JSON.stringify([code, path, message]);

/** Whether the value has the form of this branch of a union and is only wrong in details. */
const isMeant = (issues: readonly Issue[], value: unknown): boolean =>
  issues.every((issue) => {
    if (issue.code === 'invalid_union' && issue.path.length === 0) return meantBranch(issue, value) !== undefined;
    if (issue.code === 'invalid_type') return issue.path.length > 0 && valueAt(value, issue.path) !== undefined;
    return true;
  });

/** The branch of a union that a value is meant for. Complaints that all branches share do not help to find it. */
const meantBranch = ({ errors }: z.core.$ZodIssueInvalidUnion, value: unknown): readonly Issue[] | undefined => {
  const said = errors.map((branch) => new Set(branch.map(objection)));
  const isOfAll = (issue: Issue): boolean => issue.path.length > 0 && said.every((one) => one.has(objection(issue)));
  return errors.find((branch) =>
    isMeant(
      branch.filter((issue) => !isOfAll(issue)),
      value,
    ),
  );
};

const findings = (issue: Issue, value: unknown, around: FaultPath): Finding[] => {
  const here = issue.path as (string | number)[];
  const path = [...around, ...here];
  if (issue.code === 'unrecognized_keys') {
    const known = issue.message.split(' ');
    return issue.keys.map((key) => ({
      kind: 'fault',
      path: [...path, key],
      expected: `no such key${suggestion(key, known)}, known here: ${known.join(', ')}`,
    }));
  }
  if (issue.code === 'invalid_union') {
    const inside = valueAt(value, here);
    const branch = meantBranch(issue, inside);
    if (branch !== undefined) return branch.flatMap((inner) => findings(inner, inside, path));
  }
  return [{ kind: 'fault', path, expected: issue.message }];
};

/** Checks the form of a file: the integration with its defaults, or everything that is wrong with it. */
export const checkShape = (raw: JsonValue): { integration: Integration } | { findings: Finding[] } => {
  const result = z.safeParse(integrationSchema, raw, { error: words });
  return result.success
    ? { integration: result.data }
    : { findings: result.error.issues.flatMap((issue) => findings(issue, raw, [])) };
};
