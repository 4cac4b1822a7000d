import type { AnyLog, LogFields } from '../../lib/runtime/log.ts';
import type { World } from './world.ts';

/** How a world knows that a state is reached: by a log line with these fields, or the world sees it itself. */
type Sign = { event: string } & LogFields;

/**
 * States that few worlds reach. A rule about a state that no world reaches says nothing, so each is named, and a long run
 * fails where one of them never came.
 */
const logged = {
  'outcome cannot be written down': { event: 'settle-failed' },
  'conflict after unknown': { event: 'put-back', why: 'conflict' },
  'claim too old to send under': { event: 'put-back', why: 'claim-too-old' },
  'claimed by another': { event: 'put-back', why: 'claimed' },
  'other content may still be applied': { event: 'put-back', why: 'in-doubt' },
  'letter cannot be written': { event: 'put-back', why: 'no-dead-letter' },
  'parent not there yet': { event: 'put-back', why: 'parent' },
  'parent never came': { event: 'settled', as: 'parent-never-came' },
  'refused for its parent': { event: 'rejected', cause: 'parent' },
  'target moved, records under way': { event: 'put-back', why: 'target-moved' },
  'no permit in time': { event: 'put-back', why: 'rate-limit' },
  'target paused': { event: 'put-back', why: 'paused' },
  'record waits for a rest to end': { event: 'put-back', why: 'resting' },
  'nobody can tell whether the target rests': { event: 'put-back', why: 'health-unknown' },
  'idCheck cannot be read': { event: 'put-back', why: 'idcheck-unreachable' },
  'answer lost, then the target was found down': { event: 'put-back', why: 'target-down' },
  'target rests': { event: 'rest-began', cause: 'down' },
  'integration rests': { event: 'rest-began', cause: 'not-understood' },
  'rest ends': { event: 'rest-ended' },
  'older than what is loaded': { event: 'settled', as: 'superseded' },
  'deleted already': { event: 'settled', as: 'already-deleted' },
  'left to a person already': { event: 'settled', as: 'already-parked' },
  'tried to the end': { event: 'settled', as: 'exhausted' },
  'run resumed at its checkpoint': { event: 'run-resumed' },
  'run goes on in another invocation': { event: 'run-continued' },
  'event delivered twice': { event: 'run-not-started', why: 'duplicate' },
  'lease lost in a race': { event: 'run-not-started', why: 'lease lost' },
  'schedule of a paused integration': { event: 'run-not-started', why: 'paused' },
  'run gone on with too late': { event: 'run-not-started', why: 'stale' },
  'mapping stopped': { event: 'run-failed', code: 'mapping-changed' },
  'rows mostly invalid': { event: 'run-failed', code: 'rows-invalid' },
  'token renewed before its end': { event: 'token-renewed' },
} as const satisfies Record<string, Sign>;

const seen = [
  'claim lost after a load',
  'claim lost after a refusal',
  'claim lost after a failure',
  'claim lost after an unknown outcome',
  'probe fails',
  'probe lost with its worker',
  'lease passes over',
  'postponed over invocations',
  'records wait in a ledger',
  'redriven after its receives',
  'letters redriven by hand',
  'messages purged',
  'letter closed by hand',
  'at rest beside a target that never recovers',
  'applied before, and said so',
] as const;

export type RareState = keyof typeof logged | (typeof seen)[number];

export const rareStates: readonly RareState[] = [...(Object.keys(logged) as (keyof typeof logged)[]), ...seen];

const signs: readonly [RareState, Sign][] = (Object.keys(logged) as (keyof typeof logged)[]).map((state) => [
  state,
  logged[state],
]);

const lostAfter: Readonly<Record<string, RareState>> = {
  loaded: 'claim lost after a load',
  rejected: 'claim lost after a refusal',
  notApplied: 'claim lost after a failure',
  uncertain: 'claim lost after an unknown outcome',
};

/** Hears what an environment logs, and notes the rare states that it tells of. */
export const listeningLog = (world: World): AnyLog => {
  /** Record → how its last POST ended. */
  const ended = new Map<string, string>();
  const hear = (event: string, fields: LogFields): void => {
    for (const [state, { event: name, ...wanted }] of signs) {
      if (name === event && Object.entries(wanted).every(([key, value]) => fields[key] === value)) world.reach(state);
    }
    const record = `${fields.integration} ${fields.id}`;
    if (event === 'aged') world.aged.add(`${fields.runId} ${fields.id}`);
    if (event in lostAfter) ended.set(record, event);
    const lost = event === 'claim-lost' ? lostAfter[ended.get(record) ?? ''] : undefined;
    if (lost !== undefined) world.reach(lost);
  };
  return { info: hear, warn: hear, error: hear };
};
