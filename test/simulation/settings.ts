import type { LoadPolicy } from '../../lib/idcheck/decide.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import type { Conflict } from '../../lib/integration/schema/target-schema.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import type { Tuning } from '../../lib/runtime/tuning.ts';
import { type Changes, integrationWith } from '../integration/sample.ts';
import type { Chance } from './chance.ts';
import type { Clocks } from './clocks.ts';
import type { Hand } from './hands.ts';
import { announcedBy, drawCeiling, type Manners, mannersOf } from './manners.ts';
import type { Outage } from './outages.ts';
import { type FaultRates, ratesOf } from './rates.ts';
import { codes } from './source-faults.ts';

const MINUTE_MS = 60_000;
/** Where the target is told that a record is gone. */
export const DELETION_PATH = '/deletions';
/** The field that the other mapping adds to a record. */
export const REMAPPED_NAME = 'title';
/** From one run to the next. The shortest is not much longer than a claim: changes of two runs meet at the target. */
export const periodsMs = { shortest: 30_000, short: 2 * MINUTE_MS, long: 10 * MINUTE_MS, longest: 30 * MINUTE_MS };

/** How the target treats a record that it has already, as its integration must know to choose `onUncertain`. */
type TargetKind =
  /** The last write under an id stands. */
  | 'upserts'
  /** The same, but a request that it has applied already is refused when it comes again: 409. */
  | 'conflicts'
  /** Every request adds a row, but for a repeated Idempotency-Key. */
  | 'honours-key'
  /** Every request adds a row: only `park` is right here. */
  | 'adds-rows';

type Paging = 'numbered' | 'numbered-without-total' | 'offset' | 'single';

export type Settings = {
  /** Which of its world's integrations it is: 0 is the first. */
  number: number;
  /** Whose connections it uses: its own, or those of one before it. */
  hosts: { source: number; target: number };
  policy: LoadPolicy;
  targetKind: TargetKind;
  integration: Integration;
  /** The same under another mapping, which is deployed while the world is troubled; absent: the mapping stays. */
  remapped?: Integration;
  /** Whether the target answers 409 to a request that it is still at. */
  tellsUnderWay: boolean;
  paging: Paging;
  pageSize: number;
  manners: Manners;
  /** Whether the source gives fewer rows than it is asked for, and calls the length of a page its total where it has none. */
  capsPages: boolean;
  groups: number;
  /** Whether the target moves to another address, and somebody says so a while later. */
  moves: boolean;
  periodMs: number;
  /** For so long faults, edits and the operator are at work. */
  troubledMs: number;
  edits: number;
  /** Whether records wait for their parents, and what becomes of those whose parents will not be there. */
  tree: 'none' | 'reject' | 'root';
  /** Whether what vanished from the source is deleted in the target. */
  deletes: boolean;
  /** Whether most edits are of one and the same group. */
  hasFavourite: boolean;
  operatorReplays: number;
  /** Whether the operator replays everything in the end. */
  replaysInTheEnd: boolean;
  fullRefreshes: number;
  /** Whether some runs take on only a few records, or one takes over what the target has. */
  partialRuns: 'none' | 'limited' | 'adopting';
  loadBatchSize: number;
  loadConcurrency: number;
  maxReceiveCount: number;
  rates: FaultRates;
  /** Times in which the target is away. */
  outages: readonly Outage[];
  clocks: Clocks;
  /** What people do beside the program. */
  hands: readonly Hand[];
  tuning: Tuning;
};

const pagingBlock = (paging: Paging, pageSize: number): JsonValue => {
  if (paging === 'single') return { kind: 'single' };
  if (paging === 'offset') return { kind: 'offset', offsetParam: 'offset', sizeParam: 'count', pageSize };
  return { kind: 'pageNumber', pageParam: 'start_index', sizeParam: 'count', pageSize, firstPage: 1 };
};

const treeBlock = (onLost: 'reject' | 'root'): JsonValue => ({
  parent: 'parent_id',
  missingParent: onLost,
  cycle: onLost,
  rejectedParent: onLost,
});

const crmFields: JsonValue[] = [
  { field: 'group_id', type: 'int', value: '{{id}}', is_required: true },
  { field: 'group_name', type: 'string', value: '{{name}}', is_required: true },
];

/** Under the slower one several schedules come while a few records are loaded. */
const limitOf = { 2: { requests: 1, intervalMs: 20_000 }, 8: { requests: 5, intervalMs: 10_000 } } as const;

/** Reading a file takes longer than a whole world: worlds with equal files share them. */
const integrations = new Map<string, { integration: Integration; remapped: Integration }>();

const integrationOf = (
  chance: Chance,
  policy: LoadPolicy,
  paging: Paging,
  pageSize: number,
  rows: number,
  deletes: boolean,
  tree: Settings['tree'],
  conflict: Conflict | undefined,
): { integration: Integration; remapped: Integration } => {
  const maxAttempts = chance.pick([2, 8] as const);
  const concurrency = chance.pick([1, 3]);
  const hasLimit = chance.happens(0.2);
  const key = JSON.stringify([
    policy,
    paging,
    pageSize,
    rows,
    deletes,
    tree,
    conflict,
    maxAttempts,
    concurrency,
    hasLimit,
  ]);
  const known = integrations.get(key);
  if (known !== undefined) return known;
  const name = rows === 1 ? 'okki-product-groups-to-qingyiyun' : 'okki-product-groups-to-crm';
  const changes: Changes = {
    'source.paging': pagingBlock(paging, pageSize),
    'source.rateLimit': undefined,
    'source.answer.throttled': { path: 'code', equals: [codes.throttled] },
    'source.connection.auth.expired': { path: 'code', equals: [codes.tokenOver] },
    'source.answer.records': paging === 'single' ? 'data' : 'data.list',
    'target.metadata.idCheck': policy.idCheck,
    'target.onUncertain': policy.onUncertain,
    ...(conflict === undefined ? {} : { 'target.conflict': conflict }),
    'target.retry': { maxAttempts, baseMs: 1000, capMs: 60_000 },
    'target.concurrency': concurrency,
    'target.rateLimit': hasLimit ? limitOf[maxAttempts] : undefined,
    ...(rows === 1 ? {} : { 'target.metadata.operation.rows': rows }),
    ...(tree === 'none' ? {} : { 'transform.dependsOn': treeBlock(tree) }),
    ...(deletes ? { vanished: { action: 'post', maxShare: 1, path: DELETION_PATH } } : {}),
  };
  const otherMapping: Changes =
    rows === 1
      ? { 'target.metadata.name': REMAPPED_NAME }
      : { 'target.metadata.request': [...crmFields, { field: REMAPPED_NAME, type: 'string', value: '{{name}}' }] };
  const pair = {
    integration: integrationWith(name, changes),
    // Any record that it would overwrite stops it.
    remapped: integrationWith(name, { ...changes, ...otherMapping, 'target.maxChangedShare': 0 }),
  };
  integrations.set(key, pair);
  return pair;
};

// The key of a request with several records changes with their company: a target that only honours keys is not safe
// to send them to again.
const targetKindOf = (chance: Chance, { idCheck, onUncertain }: LoadPolicy, rows: number): TargetKind => {
  if (!idCheck && rows === 1) return chance.pick(['upserts', 'upserts', 'conflicts']);
  if (!idCheck || (rows > 1 && onUncertain === 'resend')) return 'upserts';
  return onUncertain === 'resend'
    ? chance.pick(['upserts', 'honours-key'])
    : chance.pick(['upserts', 'honours-key', 'adds-rows']);
};

const partialRunsOf = (edits: number): Settings['partialRuns'] =>
  edits % 3 === 1 ? 'limited' : edits % 6 === 3 ? 'adopting' : 'none';

/** What one seed stands for. */
export const settingsOf = (
  chance: Chance,
  mannersChance: Chance,
  tuning: Tuning,
): Omit<Settings, 'number' | 'hosts' | 'outages' | 'clocks' | 'hands'> => {
  const policy: LoadPolicy = { idCheck: chance.happens(0.5), onUncertain: chance.pick(['resend', 'park']) };
  const paging = chance.pick<Paging>(['numbered', 'numbered', 'numbered-without-total', 'offset', 'single']);
  const hasCeiling = drawCeiling(mannersChance, paging);
  const smallPage = chance.whole(2, 4);
  const pageSize = hasCeiling ? 300 : smallPage;
  const rows = chance.pick([1, 1, 2, 3]);
  const periodMs = chance.pick([periodsMs.shortest, periodsMs.short, periodsMs.long, periodsMs.longest]);
  const hasFavourite = chance.happens(0.4);
  const deletes = chance.happens(0.25);
  const drawnTree = chance.pick<Settings['tree']>(['none', 'none', 'none', 'none', 'reject', 'root']);
  const tree = hasCeiling ? 'none' : drawnTree;
  const targetKind = targetKindOf(chance, policy, rows);
  // Where a 409 says that a request was applied already, the file must say so, or the record would wait for ever.
  const conflict = targetKind === 'conflicts' ? chance.pick<Conflict>(['rejected', 'rejected', 'loaded']) : undefined;
  const remaps = !policy.idCheck && tree === 'none' && mannersChance.happens(0.15);
  const { integration, remapped } = integrationOf(chance, policy, paging, pageSize, rows, deletes, tree, conflict);
  const drawn = {
    policy,
    targetKind,
    integration,
    ...(remaps && { remapped }),
    tellsUnderWay: targetKind !== 'conflicts' && chance.happens(0.5),
    paging,
    pageSize,
    groups: chance.whole(3, 10),
    periodMs,
    troubledMs: chance.whole(2, 4) * periodMs,
    edits: chance.whole(0, hasFavourite ? 16 : 8) * (remaps ? 0 : 1),
    tree,
    deletes,
    hasFavourite,
    operatorReplays: chance.pick([0, 0, 1, 3]),
    replaysInTheEnd: chance.happens(0.3),
    fullRefreshes: chance.pick([0, 0, 0, 0.3]),
    loadBatchSize: chance.whole(1, 6),
    loadConcurrency: chance.whole(2, 4),
    maxReceiveCount: chance.pick([5, 5, 2]),
    // What is weighed is what comes: between two readings nothing changes.
    rates: { ...ratesOf(chance), ...(remaps && { rows: 0, drift: 0 }) },
    tuning: {
      ...tuning,
      fetch: { ...tuning.fetch, ...(hasCeiling && { chunkRecords: 5_000 }), ...(remaps && { leastWeighed: 1 }) },
    },
  };
  // Not drawn by itself: every seed would stand for another world.
  const capsPages = !hasCeiling && drawn.groups % 3 === 0;
  const { announcesTotal, announcesPages } = announcedBy({ paging, capsPages });
  const manners = mannersOf(mannersChance, announcesTotal || announcesPages, hasCeiling);
  const moves = drawn.groups % 5 === 4;
  return { ...drawn, capsPages, partialRuns: partialRunsOf(drawn.edits), manners, moves };
};
