import type { Address } from '../../lib/connection/api/connection.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import { decideByHand, type EndDecision, plannedDecision } from '../../lib/operate/decide-end.ts';
import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import { forgottenByFresh } from '../../lib/operate/start-fresh.ts';
import type { Decided, EndVerdict, Side } from '../../lib/runs/ends.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import type { Stores } from '../../lib/stores/stores.ts';
import { ask, operatorName } from '../input/ask.ts';
import { dataDirOf, type StackFlags } from '../input/flags.ts';
import { chooseIntegration } from '../input/integration-choice.ts';
import { checkStageFlags } from '../input/sandbox-options.ts';
import { UsageError } from '../input/usage-error.ts';
import { addressesHere } from '../stack/addresses.ts';
import { withStores } from '../stack/with-stores.ts';
import { print } from '../terminal/print.ts';

export type EndFlags = StackFlags & {
  sandbox?: Side;
  yes?: boolean;
  why?: string;
  by?: string;
  json?: boolean;
};

const whyUnsaid: Readonly<Record<EndVerdict, string>> = { same: 'the system has moved', new: 'another system' };

/**
 * Writes down what a person says of an end that is at another address: `same` keeps the state, `new` begins anew and is
 * asked about. With a deployed stack it is the address that a run there has met. Exit 0 where nothing has moved, too.
 * Throws UsageError where it is not agreed to, and where only `new` is possible.
 */
export const endCommand = async (
  side: Side,
  verdict: EndVerdict,
  nameOrPath: string,
  flags: EndFlags,
): Promise<ExitCode> => {
  const { integration } = chooseIntegration(nameOrPath);
  if (flags.stage !== undefined) checkStageFlags(flags);
  const place = { ...flags, dataDir: dataDirOf(flags.dataDir, flags.sandbox) };
  return withStores(place, async (stores) => {
    const now = flags.stage === undefined ? await addressHere(integration, side, flags, stores) : undefined;
    const connection = integration[side].connection.name;
    const decision: EndDecision = { integration: integration.name, connection, side, verdict, now };
    const deps = { ...stores, clock };
    const planned = await plannedDecision(decision, deps);
    if (planned.kind === 'only-new') throw new UsageError(onlyNewWords(side, nameOrPath, planned));
    if (planned.kind === 'decided' && verdict === 'new') await agreed(integration.name, side, planned, flags, stores);
    const signature = { by: flags.by ?? operatorName(), why: flags.why ?? whyUnsaid[verdict] };
    const decided = await decideByHand(decision, signature, deps);
    print(flags.json ? `${endJson(decision, decided)}\n` : endText(decision, decided));
    return exitCodes.ok;
  });
};

const addressHere = async (
  integration: Integration,
  side: Side,
  { sandbox }: EndFlags,
  { secrets }: Pick<Stores, 'secrets'>,
): Promise<Address> => {
  const asked = { needs: [side], ...(sandbox !== undefined && { sandbox }) };
  const { [side]: now } = await addressesHere(integration, asked, secrets);
  if (now === undefined) throw new UsageError(`The address of the ${side} is not set. 未设置地址。`);
  return now;
};

const onlyNewWords = (side: Side, name: string, { from, to }: Pick<Decided & { kind: 'only-new' }, 'from' | 'to'>) =>
  `The state is that of ${from.origin}, and the ${side} is now ${to.origin}: they are never the same system. okki-sync ${side} new ${name} begins anew; --data-dir DIR keeps both. 沙箱与真实系统不能共用状态,只能 ${side} new。`;

/** Asks whether to begin anew. Throws UsageError where that is not agreed to. */
const agreed = async (
  name: string,
  side: Side,
  { from, to }: { from: Address; to: Address },
  { yes }: EndFlags,
  stores: Stores,
): Promise<void> => {
  if (yes) return;
  const what =
    side === 'target'
      ? `target new: ${(await forgottenByFresh(name, stores)).loaded} records known as loaded at ${from.origin} are sent to ${to.origin} again; dead letters stay to be read. 将向新目标重新发送;死信保留。`
      : `source new: what ${from.origin} had and ${to.origin} lacks has not vanished; a list of changes is read from its beginning. 旧源的记录不算消失;增量从头读取。`;
  if (!process.stdin.isTTY) {
    throw new UsageError(`${what}\nThere is no terminal to ask on: --yes says yes. 无终端时请加 --yes。`);
  }
  const answer = await ask(`${what}\nBegin anew? 确定? [y/N] `);
  if (!/^y(es)?$/i.test(answer ?? '')) throw new UsageError('Nothing was changed. 未执行。');
};

const endJson = ({ integration, side, verdict }: EndDecision, decided: Decided): string => {
  const places =
    decided.kind === 'nothing-moved'
      ? { at: decided.at?.origin ?? null }
      : { from: decided.from.origin, to: decided.to.origin };
  return JSON.stringify({ integration, side, verdict, kind: decided.kind, ...places });
};

const endText = ({ integration, side, verdict }: EndDecision, decided: Decided): string => {
  if (decided.kind === 'nothing-moved') {
    return decided.at === undefined
      ? `Nothing is kept of ${integration} yet: the next run takes the addresses that it meets. 尚无状态。\n`
      : `Nothing to decide: the state is that of ${decided.at.origin}, and no run has met another ${side}. 地址没有变化。\n`;
  }
  const { from, to } = decided;
  const kept = `The state of ${from.origin} is now that of ${to.origin}; what waited goes on with the next run. 状态保留。`;
  const begun =
    side === 'target'
      ? `Begun anew at ${to.origin}: the next run sends all records; letters of ${from.origin} stay to be read. 重新开始。`
      : `Begun anew with ${to.origin}: what only ${from.origin} had is not taken for vanished. 重新开始。`;
  return `${verdict === 'same' ? kept : begun}\n`;
};
