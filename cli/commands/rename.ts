import { integrationName } from '../../lib/integration/schema/schema.ts';
import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import { type Renaming, rename, type Unrenamable } from '../../lib/operate/rename.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import { operatorName } from '../input/ask.ts';
import type { StackFlags } from '../input/flags.ts';
import { UsageError } from '../input/usage-error.ts';
import { withStores } from '../stack/with-stores.ts';
import { print } from '../terminal/print.ts';

export type RenameFlags = StackFlags & { why?: string; by?: string; json?: boolean };

const WHY = 'renamed';

/** The timeout of `load` (serverless.yml), and what an invocation needs to end. */
const BATCH_MS = 70_000;

/**
 * Lets an integration go on under another name; its file is renamed by the operator. Repeated, it finishes what broke off.
 * Throws UsageError where it cannot be renamed now, and RenameBusyError.
 */
export const renameCommand = async (from: string, to: string, flags: RenameFlags): Promise<ExitCode> => {
  for (const name of [from, to]) {
    if (integrationName.test(name)) continue;
    throw new UsageError(`${JSON.stringify(name)} is no name of an integration. 不是集成名。`);
  }
  if (from === to) throw new UsageError('The two names are the same. 新旧名称相同。');
  const renaming = { from, to };
  const signature = { by: flags.by ?? operatorName(), why: flags.why ?? WHY };
  const end = await withStores(flags, (stores) => rename(renaming, signature, { ...stores, clock, batchMs: BATCH_MS }));
  if (end.kind === 'refused') throw new UsageError(refusedWords(renaming, end));
  const { items, letters } = end;
  print(flags.json ? `${JSON.stringify({ ...renaming, items, letters })}\n` : renamedText(renaming, items, letters));
  return exitCodes.ok;
};

const renamedText = ({ from, to }: Renaming, items: number, letters: number): string =>
  [
    `✓ ${from} goes on as ${to}: ${items} records, ${letters} dead letters. 已改名。`,
    `  Now rename integrations/${from}.json to ${to}.json, and "name" in it;`,
    '  deployed: deploy it. Until then nothing is sent under the old name.',
    `  请将集成文件及其中的 "name" 改为 ${to};已部署的请重新部署。`,
    '',
  ].join('\n');

const refusedWords = ({ from, to }: Renaming, refused: Unrenamable): string => {
  switch (refused.why) {
    case 'nothing-known':
      return `Nothing is kept of ${from}: rename its file, and that is all. 没有该集成的状态,直接改文件名即可。`;
    case 'name-taken':
      return `${to} has a state of its own: choose another name. 新名称已有状态,请换一个。`;
    case 'renamed-before':
      return `${from} was renamed to ${refused.name}: rename ${refused.name}. 已改名为 ${refused.name}。`;
    case 'run-under-way':
      return `The run ${refused.runId} is under way: disable the schedule, and try again when it is over. 运行进行中,请停用调度,结束后再试。`;
    case 'in-doubt': {
      const more = refused.count - refused.ids.length;
      const ids = `${refused.ids.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
      return `Requests of ${refused.count} records have an unknown outcome, and under another name a target that knows them by their Idempotency-Key would take them twice: ${ids}. Wait until they are settled (status last --watch), or "dlq resolve" them. 部分记录的请求结果未知,请等待其结清。`;
    }
    default:
      return refused satisfies never;
  }
};
