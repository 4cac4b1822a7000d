import { standardTuning } from '../../lib/runtime/tuning.ts';
import type { Outcome } from './simulate.ts';

/** Virtual time since the world began: `1d 02:03:04.005`. */
const timeOf = (ms: number): string => {
  const days = Math.floor(ms / 86_400_000);
  return `${days === 0 ? '' : `${days}d `}${new Date(ms % 86_400_000).toISOString().slice(11, 23)}`;
};

/** Everything that happened in a world, one line each, and what it broke. */
export const timelineOf = ({ notes, violations, world }: Outcome): string => {
  const { policy, targetKind, paging, pageSize, manners, rates, integration, tuning } = world.settings;
  const faults = Object.entries(rates).filter(([, rate]) => rate > 0);
  const batch = integration.target.metadata.operation?.rows ?? 1;
  return [
    `idCheck ${policy.idCheck}, onUncertain ${policy.onUncertain}, target ${targetKind}, ${batch} per request, source ${paging} by ${pageSize}`,
    `source: ${Object.entries(manners)
      .map(([name, manner]) => `${name} ${manner}`)
      .join(', ')}`,
    `faults: ${faults.map(([name, rate]) => `${name} ${rate}`).join(', ') || 'none'}`,
    `numbers: ${tuning === standardTuning ? 'as in earnest' : JSON.stringify(tuning).replaceAll('"', '')}`,
    ...notes.map(
      ({ atMs, actor, words }) => `${timeOf(atMs - world.startMs)}  ${actor.padEnd(13)} ${words.join('  ')}`,
    ),
    ...violations.map(({ rule, detail, atMs }) => `${timeOf(atMs - world.startMs)}  BROKEN        ${rule}: ${detail}`),
  ].join('\n');
};
