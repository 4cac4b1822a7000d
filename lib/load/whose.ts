import { stateName } from '../idcheck/item.ts';
import { belongingOf, noEnds } from '../runs/ends.ts';
import type { RecordDelivery } from './deliveries.ts';
import { settledAs } from './ending.ts';
import type { LoaderDeps, LoadPlan, OpenedPlan } from './load-plan.ts';
import { end, putAllOff, type Round } from './round.ts';

/** Whose a delivery is, as it was read at the beginning of its batch. */
export type BelongingOf = (delivery: RecordDelivery) => ReturnType<typeof belongingOf>;

/** The plan of a batch, and whose each of its deliveries is. Throws what cannot be read of state or address. */
export const planOfBatch = async (
  opened: OpenedPlan,
  { runs }: Pick<LoaderDeps, 'runs'>,
): Promise<{ plan: LoadPlan; belonging: BelongingOf }> => {
  const [ends = noEnds(), address] = await Promise.all([runs.ends(opened.integration), opened.address()]);
  return {
    plan: { ...opened, state: stateName(opened.integration, ends.generation) },
    belonging: ({ message }) => belongingOf(message, ends, address),
  };
};

/**
 * The deliveries that may be loaded. The others end here: those of a state that was replaced are done with, and those of
 * another target wait until somebody has said whether it is the same system. Neither is POSTed.
 */
export const ownDeliveries = (
  round: Round,
  deliveries: readonly RecordDelivery[],
  belonging: BelongingOf,
): RecordDelivery[] => {
  const own: RecordDelivery[] = [];
  const undecided: RecordDelivery[] = [];
  for (const delivery of deliveries) {
    const whose = belonging(delivery);
    switch (whose) {
      case 'ours':
        own.push(delivery);
        break;
      case 'undecided':
        undecided.push(delivery);
        break;
      case 'replaced':
        end(round, delivery, settledAs('replaced'));
        break;
      default:
        whose satisfies never;
    }
  }
  if (undecided.length > 0) {
    const { integration } = round.plan;
    round.deps.log.error('target-moved', { integration, messages: undecided.length });
    putAllOff(round, undecided, 'target-moved', round.deps.tuning.load.misconfiguredWaitMs);
  }
  return own;
};
