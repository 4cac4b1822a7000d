import type { LoadPolicy } from '../../idcheck/decide.ts';
import { defined } from '../../runtime/defined.ts';
import type { Integration, WindowSetting } from '../schema/schema.ts';
import { type DeletionPlan, deletionPlanOf, takenPathsOf } from './body-plan.ts';
import { loadPolicyOf } from './load-policy.ts';

/** What a run of an integration needs to know beside its source, its records and its target. */
export type RunPlan = {
  integration: string;
  policy: LoadPolicy;
  /** A run due while another is under way waits for it, for so long after its time; absent: it yields. */
  waitsForMs?: number;
  /** The list is asked for what changed in a window of time. */
  window?: WindowSetting;
  /** The fields of the answers are learnt and compared with the last run's; these paths are mapped. */
  learns?: { mapped: ReadonlySet<string> };
  /** Vanished ids are deleted in the target where no more than this share vanished; absent: they are reported. */
  deletion?: { maxShare: number; body: DeletionPlan };
};

const MINUTE_MS = 60_000;

/** Compiles what an integration's file says of its runs. Pure. */
export const runPlanOf = (integration: Integration): RunPlan => {
  const { name, source, overlap, vanished, deadlineMinutes } = integration;
  return {
    integration: name,
    policy: loadPolicyOf(integration),
    ...defined({ window: source.window }),
    ...(overlap === 'wait' && { waitsForMs: deadlineMinutes * MINUTE_MS }),
    ...(source.metadata.autoFillResponse === true && { learns: { mapped: takenPathsOf(integration) } }),
    ...(vanished.action === 'post' && {
      deletion: { maxShare: vanished.maxShare, body: deletionPlanOf(integration) },
    }),
  };
};
