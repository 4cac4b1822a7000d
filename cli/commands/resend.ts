import type { Unsendable } from '../../lib/idcheck/by-hand.ts';
import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import { planResend, type Resending, resend } from '../../lib/operate/resend.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import { ask, operatorName } from '../input/ask.ts';
import type { StackFlags } from '../input/flags.ts';
import { integrationsMeant } from '../input/integration-choice.ts';
import { UsageError } from '../input/usage-error.ts';
import { isSandboxOnly } from '../stack/addresses.ts';
import { withStores } from '../stack/with-stores.ts';
import { print, shown } from '../terminal/print.ts';

export type ResendFlags = StackFlags & {
  integration?: string;
  why?: string;
  by?: string;
  yes?: boolean;
  json?: boolean;
};

const WANTED = 'to be sent again';

/**
 * Lets the next run send refused records again whose letters are gone, such as discarded ones; where a target is real,
 * once someone said yes. Exit 2 where one of the ids is not such a record. Throws UsageError where nobody is there to ask.
 */
export const resendCommand = async (ids: readonly string[], flags: ResendFlags): Promise<ExitCode> => {
  const integrations = integrationsMeant(flags.integration);
  const names = integrations.map(({ name }) => name);
  const results = await withStores(flags, async (stores) => {
    const deps = { ...stores, clock };
    const planned = await planResend(ids, names, deps);
    const sendable = new Set(planned.flatMap((result) => (result.kind === 'resent' ? [result.integration] : [])));
    const meant = integrations.filter(({ name }) => sendable.has(name));
    const areSandbox = await Promise.all(meant.map((one) => isSandboxOnly(one, stores)));
    if (areSandbox.includes(false) && !flags.yes) await confirm(planned);
    await resend(planned, { by: flags.by ?? operatorName(), why: flags.why ?? WANTED }, deps);
    return planned;
  });
  const changesOnly = new Set(integrations.filter(({ source }) => source.window).map(({ name }) => name));
  print(flags.json ? `${JSON.stringify({ results })}\n` : resendText(shown(results), changesOnly));
  return results.every(({ kind }) => kind === 'resent') ? exitCodes.ok : exitCodes.usage;
};

const confirm = async (planned: readonly Resending[]): Promise<void> => {
  if (!process.stdin.isTTY)
    throw new UsageError('There is no terminal to ask on: --yes says yes. 无终端时请加 --yes。');
  const count = planned.filter(({ kind }) => kind === 'resent').length;
  const answer = await ask(`The next run sends ${count} to the target again. 下次运行会再次发送? [y/N] `);
  if (!/^y(es)?$/i.test(answer ?? '')) throw new UsageError('Nothing was changed. 未更改。');
};

const whyWords: Readonly<Record<Unsendable, string>> = {
  'unknown-id': 'idCheck knows nothing of it 未见过',
  'not-refused': 'it is not refused 并未被拒绝',
  'under-way': 'a worker is at it right now; try again in a minute 正在写入',
  uncertain: 'the target may have it: npm start -- dlq resolve ID 结果未知,请先核对',
  'parent-refused': 'it waits for its parent: resend that one 上级被拒绝,请重发上级',
  'letter-waits': 'its letter waits: npm start -- dlq replay --id ID 死信仍在,请重放',
};

const resendText = (results: readonly Resending[], changesOnly: ReadonlySet<string>): string =>
  `${results.map((result) => lineOf(result, changesOnly)).join('\n')}\n`;

const lineOf = (result: Resending, changesOnly: ReadonlySet<string>): string => {
  const { id } = result;
  switch (result.kind) {
    case 'resent':
      return changesOnly.has(result.integration)
        ? `  ✓ ${id}  sent when its list names it again, or by a run with --full-refresh 再次出现在列表中或全量刷新时发送`
        : `  ✓ ${id}  the next run sends it 下次运行发送`;
    case 'unsendable':
      return `  ✗ ${id}  ${whyWords[result.why]}`;
    case 'ambiguous':
      return `  ✗ ${id}  refused in ${result.integrations.join(' and ')}: --integration NAME 请指定集成`;
    default:
      return result satisfies never;
  }
};
