import { transformPlanOf } from '../../lib/integration/compile/run-plan.ts';
import { isJsonObject, parseJson } from '../../lib/json/json.ts';
import { countEntries, fateOf, holds } from '../../lib/runs/books.ts';
import { type ExtractOutcome, extractOutcomes, type LedgerEntry } from '../../lib/runs/ledger.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import type { RunRecord } from '../../lib/runs/record.ts';
import { hasFailed, runIdOf } from '../../lib/runs/record.ts';
import { silentLog as log } from '../../lib/runtime/log.ts';
import { openTransform } from '../../lib/transform/transform.ts';
import { REFUSED_NAME, recordOf } from './groups.ts';
import { neverRecovers } from './outages.ts';
import { itemOf } from './stores.ts';
import type { World } from './world.ts';

/** Whether a run ended before it sent anything, since its mapping has changed. */
const isStopped = ({ failure }: RunRecord): boolean => failure?.code === 'mapping-changed';

/** The whole runs that began after the trouble ended and after idCheck last changed, newest first. */
const calmRuns = ({ audit, weather }: World): RunRecord[] => {
  const { runs, lastWriteMs, beganMs } = audit.evidence;
  const began = ({ runId }: RunRecord) => beganMs.get(runId) ?? 0;
  const fromMs = Math.max(weather.calmFromMs, lastWriteMs);
  const isOfAll = ({ selection, adoption }: RunRecord) => selection === undefined && adoption === undefined;
  const isWhole = (run: RunRecord) => run.extractedMs !== undefined && isOfAll(run) && !isStopped(run);
  const calm = [...runs.values()].filter((run) => began(run) >= fromMs && isWhole(run));
  return calm.sort((a, b) => began(b) - began(a));
};

const lastCalmRun = (world: World): RunRecord | undefined => calmRuns(world)[0];

/** Those whose target answers again once the trouble is over. */
const recovering = ({ all }: World): World[] => all.filter(({ settings }) => !neverRecovers(settings.outages));

/** How many messages wait of one integration: in the queues that functions read, and in ledgers. */
const waiting = ({ queues, settings, all, inLedgers }: World): number => {
  if (all.length === 1) return inLedgers + queues.records.messages.size + queues.runs.messages.size;
  const { name } = settings.integration;
  const queued = [...queues.records.messages.values(), ...queues.runs.messages.values()];
  return inLedgers + queued.filter(({ integration }) => integration === name).length;
};

/**
 * Of each integration whose target is there nothing is under way, and a whole run since the trouble ended found nothing
 * to send; where vanished records are deleted two did, since a deletion takes two readings.
 */
export const isQuiet = (world: World): boolean =>
  world.fleet.running === 0 && recovering(world).every((one) => waiting(one) === 0 && hasCalmRuns(one));

const hasCalmRuns = (world: World): boolean => {
  const needed = world.settings.deletes ? 2 : 1;
  const calm = calmRuns(world).slice(0, needed);
  return calm.length === needed && calm.every((run) => sentBy(run) === 0);
};

/** What a run sent or waits for, deletions too; undefined: there is no run. */
const sentBy = (run: RunRecord | undefined): number | undefined =>
  run && run.counts.enqueued + run.counts.waiting - (run.leftOut ?? 0) + (run.deletions?.enqueued ?? 0);

export const whyNotQuiet = (world: World): string =>
  recovering(world)
    .map((one) => {
      const enqueued = sentBy(lastCalmRun(one)) ?? 'no run ended';
      return `${world.fleet.running} invocations under way, ${waiting(one)} messages wait, enqueued by the last run: ${enqueued}`;
    })
    .join('; ');

/** The ids that a dead letter waits for, or waited for until a person closed it. */
const lettersIn = ({ queues, settings, audit }: World): Set<string> =>
  new Set([
    ...audit.evidence.closed,
    ...[...queues['dead-letters'].messages.values()].flatMap(({ body, integration }) => {
      const letter = parseJson(body);
      const isOwn = integration === '' || integration === settings.integration.name;
      return isOwn ? [isJsonObject(letter) ? String(letter.id) : ''] : [];
    }),
  ]);

/** Ids that the last run left out by name, for their parents' sake. */
const namedByTree = async (world: World): Promise<Set<string>> => {
  const run = lastCalmRun(world);
  const named = new Set<string>();
  if (world.settings.tree === 'none' || run === undefined) return named;
  for await (const { entries } of world.runTable.chunks(run.integration, run.runId, run.chunks ?? 0)) {
    for (const { id, outcome } of entries) if (outcome === 'invalid' || outcome === 'skipped') named.add(id);
  }
  return named;
};

const judgeTarget = (world: World, isReplayed: boolean, named: ReadonlySet<string>): void => {
  const { settings, groups, idTable, rows, broken } = world;
  const { policy, targetKind } = settings;
  const { raced } = world.audit.evidence;
  const snapshot = openTransform(transformPlanOf(world.integration)).begin();
  const records = groups.list.map(recordOf);
  const letters = lettersIn(world);
  for (const [index, one] of snapshot.prepare(records, (at) => `record ${at + 1}`).prepared.entries()) {
    if (one.outcome !== 'ready' || named.has(one.id)) continue;
    const { id, hash } = one;
    const item = itemOf(idTable, id);
    const trouble = item?.trouble;
    const contents = rows.get(id) ?? [];
    const hasAtTarget = (wanted: string) =>
      targetKind === 'upserts' || targetKind === 'conflicts'
        ? contents.at(-1)?.hash === wanted
        : contents.some((row) => row.hash === wanted);
    const isRepeat = targetKind === 'conflicts' && hasAtTarget(hash);
    const isFinal = isRepeat || groups.list[index]?.name.startsWith(REFUSED_NAME) === true;
    if (trouble?.kind === 'parked' || (trouble?.kind === 'rejected' && trouble.hash === hash)) {
      if (!letters.has(id)) broken('what waits for a person has a dead letter', `id ${id}, ${trouble.kind}`);
      // A replay counts after the doubt that it answers, and a clock that ran ahead has dated that later.
      if (isReplayed && !isFinal && settings.clocks === 'right' && !world.audit.evidence.closed.has(id))
        broken('replayed while nothing fails, everything is loaded', `id ${id}`);
    } else if (item?.loaded === undefined) {
      broken('every record of the last snapshot is loaded or named', `id ${id}`);
    } else if (item.loaded.hash !== hash && !policy.idCheck) {
      broken('the target has the content of the last snapshot', `id ${id}`);
    } else if (!hasAtTarget(item.loaded.hash) && !raced.has(id)) {
      broken('the target has what idCheck says it has', `id ${id}`);
    }
  }
};

/** What the source has no more: deleted in the target too, where the integration says so, or named. */
const judgeVanished = (world: World): void => {
  const { settings, groups, idTable, rows, broken } = world;
  const last = lastCalmRun(world);
  // Such a run concludes nothing from absence, and says so.
  const isUnsure = last?.warnings.some(({ code }) => code === 'end-unsure');
  if (last !== undefined && (hasFailed(last) || last.shrunkFrom !== undefined || isUnsure)) return;
  const letters = lettersIn(world);
  // Where the target asks for a number, an id past 2^53 is named instead.
  const isNamed = (id: string) =>
    Number(id) > Number.MAX_SAFE_INTEGER && last?.warnings.some(({ code }) => code === 'deletion-invalid');
  const present = new Set(groups.list.map(({ id }) => String(id)));
  // A run whose clock ran ahead counts as the last one until that time has come: which reading is the second is late then.
  for (const id of settings.deletes && settings.clocks === 'right' ? idTable.keys() : []) {
    const item = itemOf(idTable, id);
    if (present.has(id) || item === undefined || item.trouble !== undefined || letters.has(id) || isNamed(id)) continue;
    if (item.loaded !== undefined) broken('what vanished is deleted in the target, or named', `id ${id}`);
    else if ((rows.get(id) ?? []).length > 0 && !world.audit.evidence.raced.has(id))
      broken('the target lacks what idCheck says is deleted', `id ${id}`);
  }
};

/** The ids that the last whole reading before a run's had; undefined: there was none. */
const idsOfEarlierReading = async ({ audit, runTable }: World, run: RunRecord): Promise<Set<string> | undefined> => {
  const { runs, readFromMs } = audit.evidence;
  const began = ({ runId }: RunRecord) => readFromMs.get(runId) ?? 0;
  const earlier = [...runs.values()]
    .filter((other) => other.extractedMs !== undefined && began(other) < began(run))
    .sort((a, b) => began(b) - began(a))[0];
  if (earlier === undefined) return undefined;
  const ids = new Set<string>();
  for await (const { entries } of runTable.chunks(earlier.integration, earlier.runId, earlier.chunks ?? 0)) {
    for (const { id } of entries) ids.add(id);
  }
  return ids;
};

const afterWaiting: ReadonlySet<ExtractOutcome> = new Set(['waiting', 'unchanged', 'skipped']);

const judgeRun = async (world: World, run: RunRecord, letters: ReadonlySet<string>): Promise<void> => {
  const { idTable, runTable, settings, groups, broken } = world;
  const { runId, integration, counts, startedMs, extractedMs } = run;
  const { raced, beganMs, replayedMs, parents } = world.audit.evidence;
  if (raced.has(runId)) return;
  if (![...world.ticksMs].some((ms) => runIdOf(integration, ms) === runId)) {
    broken('one schedule event starts one run', runId);
  }
  if (extractedMs === undefined) return;
  if (isStopped(run)) {
    if (counts.enqueued > 0) broken('a run that is stopped has sent nothing', runId);
    return;
  }
  const entries: LedgerEntry[] = [];
  const deleted: string[] = [];
  for await (const chunk of runTable.chunks(integration, runId, run.chunks ?? 0)) {
    entries.push(...chunk.entries);
    for (const { id } of chunk.deletions ?? []) deleted.push(id);
    for (const { id, outcome, hash } of chunk.entries) {
      if (outcome !== 'enqueued' || hash === undefined) continue;
      const fate = fateOf(itemOf(idTable, id), { id, hash, versionMs: chunk.versionMs }, settings.policy);
      // A record that met a parked one of its id counts as uncertain with it, until a person decides by replaying.
      const isDecided = (replayedMs.get(id) ?? []).some((ms) => ms >= (beganMs.get(runId) ?? 0));
      const waited = parents.get(`${id} ${hash}`) ?? new Set();
      const hasWaited = [...waited].some((parentId) => parentId !== '');
      // A message that has ended is no letter: the next run sends the record, if the source still has it.
      const hasEnded = world.aged.has(`${runId} ${id}`);
      if (fate === 'open' && !letters.has(id) && !isDecided && !hasWaited && !hasEnded)
        broken('what is open is explained by a dead letter', `${runId}, id ${id}`);
    }
  }
  const listedBefore = deleted.length > 0 ? await idsOfEarlierReading(world, run) : new Set<string>();
  for (const id of deleted) {
    if (listedBefore?.has(id) !== false)
      broken('a deletion follows two readings that lacked the id', `${runId}, id ${id}`);
  }
  const sent = entries.filter(({ outcome }) => outcome === 'enqueued').length;
  const limit = world.audit.evidence.limits.get(runId) ?? Number.POSITIVE_INFINITY;
  if (sent > limit) broken('a limited run sends no more than it may', `${runId}: ${sent} of ${limit}`);
  if (!holds(counts)) broken('the books of a run hold', `${runId}: ${JSON.stringify(counts)}`);
  // What waited for an earlier entry counts as what that one has become.
  const hasWaited = entries.some(({ behind }) => behind !== undefined);
  const sure = hasWaited ? extractOutcomes.filter((outcome) => !afterWaiting.has(outcome)) : extractOutcomes;
  const counted = countEntries(entries);
  if (counted.fetched !== counts.fetched || sure.some((outcome) => counted[outcome] !== counts[outcome])) {
    broken('every fetched record is in the ledger in one outcome', `${runId}: ${JSON.stringify(counted)}`);
  }
  for (const id of settings.clocks === 'right' ? run.vanishedSample : []) {
    const wasThere = (groups.presence.get(id) ?? []).some(
      ({ fromMs, untilMs }) => fromMs <= startedMs && untilMs > extractedMs,
    );
    const hasShifted = groups.shiftsMs.some((ms) => ms >= startedMs && ms <= extractedMs);
    if (wasThere && !hasShifted) broken('vanished is only what the source lacked', `${runId}, id ${id}`);
  }
};

type Judged = { isReplayed: boolean };

/** What must hold once a world has come to rest. `isReplayed`: after a replay of all letters in which nothing failed. */
export const judge = async (world: World, judged: Judged): Promise<void> => {
  for (const one of recovering(world)) await judgeOne(one, judged);
};

const judgeOne = async (world: World, { isReplayed }: Judged): Promise<void> => {
  const { idTable, runTable, scheduler, settings } = world;
  const { integration, policy } = settings;
  const unreachable = () => Promise.reject(new Error('reconciling neither reads by id nor writes'));
  const idStore = {
    read: unreachable,
    write: unreachable,
    async *scan() {
      yield [...idTable.keys()].flatMap((id) => itemOf(idTable, id) ?? []);
    },
  };
  const clock = { nowMs: scheduler.nowMs, sleep: unreachable };
  const reconciling = { integration: integration.name, policy, deadlineMs: 0 };
  await reconcile(reconciling, { idStore, runs: runTable, clock, log, tuning: settings.tuning });
  judgeTarget(world, isReplayed, await namedByTree(world));
  judgeVanished(world);
  const letters = lettersIn(world);
  for (const run of await runTable.runs(integration.name, Number.POSITIVE_INFINITY)) {
    await judgeRun(world, run, letters);
  }
};
