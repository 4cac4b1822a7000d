import type { Unresolvable, Verdict } from '../../lib/idcheck/by-hand.ts';
import {
  type Discarded,
  discard,
  type Resolved,
  resolveRecords,
  type Signature,
} from '../../lib/operate/close-letters.ts';
import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import { countByReason } from '../../lib/operate/letters.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import { ask, operatorName } from '../input/ask.ts';
import { filterOf, type LetterFlags, type StackFlags } from '../input/flags.ts';
import { chooseIntegration, DEFAULT_INTEGRATION, integrationsMeant } from '../input/integration-choice.ts';
import { UsageError } from '../input/usage-error.ts';
import { countWords, doubtWords } from '../screen/letters.ts';
import { isSandboxOnly } from '../stack/addresses.ts';
import { hasAddress } from '../stack/sides.ts';
import { withStores } from '../stack/with-stores.ts';
import { print, shown } from '../terminal/print.ts';

export type DiscardFlags = LetterFlags & { all?: boolean; why?: string; by?: string; yes?: boolean; dryRun?: boolean };

const FOR_THE_SANDBOX = 'letters of the sandbox';

/**
 * Deletes letters of one integration for good, once someone said yes and why; those of the sandbox without a question.
 * Exit 1 where uncertain records stay to be resolved. Throws UsageError where no letter is named, or nobody is there to
 * ask.
 */
export const discardCommand = async (flags: DiscardFlags): Promise<ExitCode> => {
  const isNamed = [flags.id, flags.reason, flags.integration, flags.olderThan].some((word) => word !== undefined);
  if (!isNamed && !flags.all) {
    throw new UsageError('Which letters? --id, --reason, --integration, --older-than, or --all. 请指定要丢弃的死信。');
  }
  const { integration } = chooseIntegration(flags.integration ?? DEFAULT_INTEGRATION);
  const isReal = flags.stage !== undefined || hasAddress(integration, 'target', process.env);
  if (isReal && !flags.dryRun && !process.stdin.isTTY) checkUnasked(flags);
  const filter = filterOf(flags, integration.name);
  return withStores(flags, async (stores) => {
    const isSandbox = await isSandboxOnly(integration, stores);
    const deps = { ...stores, clock };
    const nobody = { by: '', why: '' };
    const planned = await discard({ ...filter, dryRun: true }, nobody, deps);
    const isAgreed = planned.discarded.length > 0 && !flags.dryRun;
    if (isAgreed && !isSandbox && !process.stdin.isTTY) checkUnasked(flags);
    const signed = isSandbox ? { yes: true, why: FOR_THE_SANDBOX, ...flags } : flags;
    const done = isAgreed ? await discard(filter, await signature(planned, signed), deps) : planned;
    const dryRun = flags.dryRun ?? false;
    print(flags.json ? `${JSON.stringify({ ...done, dryRun })}\n` : discardText(shown(done), dryRun));
    return done.mustBeResolved.length > 0 ? exitCodes.unfinishedRecords : exitCodes.ok;
  });
};

/** Where nobody can be asked, everything must have been said. */
const checkUnasked = ({ yes, why }: DiscardFlags): void => {
  if (!yes) throw new UsageError('There is no terminal to ask on: --yes says yes. 无终端时请加 --yes。');
  if (why === undefined) throw new UsageError('--why TEXT says why, for the audit log. 请用 --why 说明原因。');
};

const signature = async ({ discarded }: Discarded, flags: DiscardFlags): Promise<Signature> => {
  const what = countWords(countByReason(discarded));
  if (!flags.yes) {
    const answer = await ask(`Discard ${what} for good? Their records are not loaded. 永久丢弃? [y/N] `);
    if (!/^y(es)?$/i.test(answer ?? '')) throw new UsageError('Nothing was discarded. 未丢弃。');
  }
  const why = flags.why ?? (await ask('Why? It goes into the audit log. 原因? ')) ?? '';
  if (why === '') throw new UsageError('Nothing was discarded: without a reason it is not done. 未说明原因,未丢弃。');
  return { by: flags.by ?? operatorName(), why };
};

const discardText = ({ discarded, mustBeResolved, others }: Discarded, dryRun: boolean): string =>
  [
    discarded.length === 0
      ? 'Nothing to discard. 没有可丢弃的死信。'
      : `${dryRun ? 'Dry run 预演: would be discarded' : 'Discarded 已丢弃'}: ${discarded.map(({ id, messageId, reason }) => `${id ?? messageId} (${reason})`).join(', ')}`,
    ...doubtWords(mustBeResolved),
    ...others.map((name) => `Such letters of ${name} stay: --integration ${name}. 其他集成的死信保留。`),
    '',
  ].join('\n');

export type ResolveFlags = StackFlags & {
  integration?: string;
  loaded?: boolean;
  notLoaded?: boolean;
  why?: string;
  by?: string;
  json?: boolean;
};

const LOOKED = 'looked into the target';

/**
 * Writes down what a person found in the target about uncertain records. Exit 2 where one of the ids is not uncertain.
 * Throws UsageError without a verdict, or where an id is uncertain in two integrations.
 */
export const resolveCommand = async (ids: readonly string[], flags: ResolveFlags): Promise<ExitCode> => {
  if ((flags.loaded === true) === (flags.notLoaded === true)) {
    throw new UsageError('Does the target have them? Either --loaded or --not-loaded. 请指定其一。');
  }
  const verdict: Verdict = flags.loaded ? 'loaded' : 'not-loaded';
  const names = integrationsMeant(flags.integration).map(({ name }) => name);
  const who = { by: flags.by ?? operatorName(), why: flags.why ?? LOOKED };
  const resolution = await withStores(flags, (stores) =>
    resolveRecords(ids, names, verdict, who, { ...stores, clock }),
  );
  if (resolution.kind === 'ambiguous') {
    const places = resolution.integrations.join(' and ');
    throw new UsageError(`${resolution.id} is uncertain in ${places}: --integration NAME.`);
  }
  const { results } = resolution;
  print(flags.json ? `${JSON.stringify({ verdict, results })}\n` : resolveText(shown(results), verdict));
  return results.every(({ kind }) => kind === 'resolved') ? exitCodes.ok : exitCodes.usage;
};

const whyWords: Readonly<Record<Unresolvable, string>> = {
  'unknown-id': 'idCheck knows nothing of it 未见过',
  'not-uncertain': 'it is not uncertain 并非结果未知',
  'under-way': 'a worker is at it right now; try again in a minute 正在写入',
};

const resolveText = (results: ReadonlyArray<Resolved>, verdict: Verdict): string => {
  const words =
    verdict === 'loaded'
      ? 'loaded: not sent again 已写入,不再发送'
      : 'not loaded: the next run sends it 未写入,下次运行重发';
  const lines = results.map((result) =>
    result.kind === 'resolved' ? `  ✓ ${result.id}  ${words}` : `  ✗ ${result.id}  ${whyWords[result.why]}`,
  );
  return `${lines.join('\n')}\n`;
};
