import type { Use } from '../../../local/stack/permissions.ts';
import type { FunctionName } from './deployed-stack.ts';
import { sortedLines } from './permissions.ts';

/** A function's permissions by who needs them. */
export type FunctionPermissions = { name: FunctionName; granted: Use[]; called: Use[]; byLambda: Use[] };

/** The page docs/permissions.md. */
export const permissionsPage = (functions: readonly FunctionPermissions[]): string =>
  [
    '# Permissions, granted and used',
    '',
    'Written by `npm run test:package -- -u`; the same run fails where this page is out of date, and where a role allows',
    'anything that is not used, or lacks anything that is. *Granted* is what the packaged template’s role allows. *Used by*',
    'says who needs it: the **function**, seen in the requests of its packaged code to AWS (test/package/runtime: two runs',
    'with a continuation, a refused record, a pause, replay and reconciliation), or **Lambda**, which polls the mapped',
    'queues and writes the log with the function’s role (Lambda developer guide, “Using Lambda with Amazon SQS”). Batches',
    'of SQS need the permission of the single call.',
    ...functions.flatMap(section),
    '',
  ].join('\n');

const section = ({ name, granted, called, byLambda }: FunctionPermissions): string[] => {
  const [isGranted, isCalled, isLambda] = [granted, called, byLambda].map((uses) => new Set(sortedLines(uses))) as [
    Set<string>,
    Set<string>,
    Set<string>,
  ];
  const rows = sortedLines([...granted, ...called, ...byLambda]).map((line) => {
    const [action, target] = line.split(' on ');
    const users = [...(isCalled.has(line) ? ['function'] : []), ...(isLambda.has(line) ? ['Lambda'] : [])];
    return `| \`${action}\` | ${target} | ${isGranted.has(line) ? 'yes' : '**no**'} | ${users.join(', ') || '**nobody**'} |`;
  });
  return ['', `## ${name}`, '', '| action | resource | granted | used by |', '| --- | --- | --- | --- |', ...rows];
};
