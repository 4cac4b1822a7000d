import type { Integration } from '../../lib/integration/schema/schema.ts';
import { forgottenByFresh, startFresh } from '../../lib/operate/start-fresh.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import { ask, operatorName } from '../input/ask.ts';
import { UsageError } from '../input/usage-error.ts';
import type { Embedded } from '../stack/embedded.ts';

/**
 * Forgets what is known of the integration that is run, and of it alone. Where its target is real, says what follows and
 * asks, or wants `--yes` where nobody can be asked. Throws UsageError where that is not agreed to; nothing is forgotten
 * then.
 */
export const beginAnew = async (
  { name, target }: Integration,
  { stores, sandboxedSides }: Pick<Embedded, 'stores' | 'sandboxedSides'>,
  { yes }: { yes?: boolean },
): Promise<void> => {
  const deps = { ...stores, clock };
  if (!sandboxedSides.includes('target') && !yes) {
    const { loaded, letters } = await forgottenByFresh(name, deps);
    const what = `--fresh: ${loaded} records known as loaded are sent to ${target.connection.name} again, ${letters} dead letters are lost. 将重新发送 ${loaded} 条,丢失 ${letters} 条死信。`;
    if (!process.stdin.isTTY)
      throw new UsageError(`${what}\nThere is no terminal to ask on: --yes says yes. 无终端时请加 --yes。`);
    const answer = await ask(`${what}\nForget them? 确定? [y/N] `);
    if (!/^y(es)?$/i.test(answer ?? '')) throw new UsageError('Nothing was forgotten, nothing was sent. 未执行。');
  }
  await startFresh(name, { by: operatorName(), why: '--fresh' }, deps);
};
