import { transformPlanOf } from '../../lib/integration/compile/run-plan.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import type { ExitCode } from '../../lib/operate/exit-code.ts';
import type { Prepare } from '../../lib/operate/run-now.ts';
import { sides } from '../../lib/runs/ends.ts';
import { writeIds } from '../../lib/runs/id-lists.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import { defined } from '../../lib/runtime/defined.ts';
import type { Stores } from '../../lib/stores/stores.ts';
import { ask, operatorName } from '../input/ask.ts';
import { readIdFile } from '../input/id-list.ts';
import { chooseIntegration } from '../input/integration-choice.ts';
import { UsageError } from '../input/usage-error.ts';
import { sandboxedSides } from '../stack/sides.ts';
import { type RunFlags, runJob } from './run.ts';

export type AdoptFlags = Omit<RunFlags, 'integration'> & {
  integration?: string;
  /** A file with the only ids that are meant. */
  ids?: string;
  why?: string;
  by?: string;
};

/**
 * Takes over a target that another tool has filled: what the source gives is written down as loaded, and nothing is sent.
 * A run like any other but for that, and in the audit log. Throws UsageError where no integration is named, or where it
 * is not agreed to.
 */
export const adoptCommand = async (flags: AdoptFlags): Promise<ExitCode> => {
  if (flags.integration === undefined) throw new UsageError('Which integration? adopt NAME. 请指定要接管的集成。');
  const { integration } = chooseIntegration(flags.integration);
  const ids = flags.ids === undefined ? undefined : readIdFile(flags.ids, idFieldsOf(integration));
  const isSandbox =
    flags.stage === undefined &&
    sandboxedSides(integration, process.env, { needs: sides, ...flags }).includes('target');
  if (!isSandbox && !flags.yes) await checkAgreed(integration, flags.ids);
  const signature = { by: flags.by ?? operatorName(), why: flags.why ?? 'the target has them' };
  const prepare =
    ({ audit, runs }: Pick<Stores, 'audit' | 'runs'>): Prepare =>
    async (run) => {
      const idChunks = ids && (await writeIds('asked', run, ids, runs));
      const entry = { action: 'adopted' as const, integration: run.integration, id: run.runId, reason: 'none' };
      await audit.add({ atMs: clock.nowMs(), ...entry, ...signature });
      return { adoption: defined({ idChunks }) };
    };
  const job = { asked: { fullRefresh: false, adoption: {} }, prepare };
  return runJob({ ...flags, integration: flags.integration }, job);
};

/** What the id is called at either end. */
const idFieldsOf = (integration: Integration): string[] => {
  const { id, body } = transformPlanOf(integration);
  return [id, ...(body.idKey === undefined ? [] : [body.idKey])];
};

/** Asks whether the target has the records, where somebody can be asked. Throws UsageError where it is not agreed to. */
const checkAgreed = async ({ name, source, target }: Integration, file: string | undefined): Promise<void> => {
  const which = file === undefined ? 'every record' : `the records named in ${file}`;
  const what = `adopt ${name}: ${which} of ${source.connection.name} counts as loaded in ${target.connection.name}; what the target lacks of it is not sent until it changes. 将视为目标中已有,不再发送。`;
  if (!process.stdin.isTTY)
    throw new UsageError(`${what}\nThere is no terminal to ask on: --yes says yes. 无终端时请加 --yes。`);
  const answer = await ask(`${what}\nTake them over? 确定? [y/N] `);
  if (!/^y(es)?$/i.test(answer ?? '')) throw new UsageError('Nothing was taken over. 未执行。');
};
