import type { TokenStore } from '../../lib/connection/auth/token.ts';
import type { HttpRequest } from '../../lib/connection/http.ts';
import type { HealthStore } from '../../lib/connection/limit/health.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import type { RunStore } from '../../lib/runs/store.ts';
import { memoryHealthStore } from '../fakes/memory-health-store.ts';
import type { LimiterStates } from '../fakes/memory-rate-limiter.ts';
import { memoryRunStore } from '../fakes/memory-run-store.ts';
import { memoryTokenStore } from '../fakes/memory-token-store.ts';
import { type Audit, auditOf } from './audit.ts';
import { type Bug, noBug } from './bug.ts';
import { type Chance, chanceOf } from './chance.ts';
import { clocksOf } from './clocks.ts';
import { type Groups, newGroups } from './groups.ts';
import type { Environment } from './lambda.ts';
import { outagesOf } from './outages.ts';
import { type Scheduler, schedulerFrom } from './scheduler.ts';
import { type FaultRates, noFaults, type Settings, settingsOf } from './settings.ts';
import type { Reply } from './source-faults.ts';
import { sourceServer } from './source-server.ts';
import { type QueueName, type SimulatedQueue, simulatedQueue } from './sqs.ts';
import type { RareState } from './states.ts';
import type { IdTable } from './stores.ts';
import type { Row } from './target-server.ts';
import { tuningOf } from './tuning.ts';

/** What broke, when, and which ids and workers it is about. */
export type Violation = { rule: string; detail: string; atMs: number };

/** One line of a timeline. */
export type Note = { atMs: number; actor: string; words: readonly (string | number)[] };

/** Everything of one simulated world. */
export type World = {
  seed: number;
  bug: Bug;
  chance: Chance;
  /** What befalls clocks is drawn by itself. */
  clockChance: Chance;
  scheduler: Scheduler;
  settings: Settings;
  /** As it is deployed now. */
  integration: Integration;
  /** The target is at another address; nobody has said yet that it is the same system. */
  hasMoved: boolean;
  isUndecided: boolean;
  /** Somebody has said yes to what another mapping overwrites. */
  hasConsent: boolean;
  /** How often faults happen now: `noFaults` once they stop. */
  rates: FaultRates;
  startMs: number;
  calmFromMs: number;
  /** The target answers 429 to everything until then. */
  throttledUntilMs: number;

  environments: Environment[];
  opened: number;
  /** Invocations under way. */
  running: number;

  /** When schedules fired. */
  ticksMs: Set<number>;
  groups: Groups;
  earlierNames: Map<string, string>;
  answerAsSource: (request: HttpRequest) => Reply;
  /** What the target holds, by id. */
  rows: Map<string, Row[]>;
  /** The keys of the requests that the target applied, by id. */
  keys: Map<string, Set<string>>;
  /** Until when the target is at a request under this key, and says so. */
  underWayMs: Map<string, number>;

  idTable: IdTable;
  runTable: RunStore;
  tokenTable: TokenStore;
  permits: LimiterStates;
  health: HealthStore;
  queues: Record<QueueName, SimulatedQueue>;
  /** Messages may be there: whoever polls looks. */
  queueChanged: (queue: QueueName) => void;

  audit: Audit;
  violations: Violation[];
  broken: (rule: string, detail: string) => void;
  /** The rare states that it came to. */
  reached: Set<RareState>;
  reach: (state: RareState) => void;
  notes: Note[];
  note: (actor: string, ...words: (string | number)[]) => void;
};

/** Numbers and manners are drawn by themselves: another one more changes nothing else of a world. */
const TUNING = 0x7475_6e65;
const MANNERS = 0x6d61_6e6e;
const OUTAGE = 0x6f75_7461;
const CLOCKS = 0x636c_6f63;

const START_MS = Date.UTC(2026, 0, 5);

export type WorldOptions = { bug?: Bug; records?: boolean; change?: (settings: Settings) => Settings };

/** A world as it begins: nothing has run, nothing is stored. */
export const newWorld = (seed: number, { bug = noBug, records = false, change }: WorldOptions = {}): World => {
  const chance = chanceOf(seed);
  const scheduler = schedulerFrom(START_MS);
  const usual = settingsOf(chance, chanceOf(seed ^ MANNERS), tuningOf(chanceOf(seed ^ TUNING)));
  const clockChance = chanceOf(seed ^ CLOCKS);
  const drawn: Settings = {
    ...usual,
    outages: outagesOf(chanceOf(seed ^ OUTAGE), usual.troubledMs),
    // What another mapping overwrites is told by times.
    clocks: usual.remapped === undefined ? clocksOf(clockChance) : 'right',
  };
  const settings = (change ?? bug.harsher ?? ((asDrawn) => asDrawn))(drawn);
  const violations: Violation[] = [];
  const reached = new Set<RareState>();
  const notes: Note[] = [];
  const world: World = {
    seed,
    bug,
    chance,
    clockChance,
    scheduler,
    settings,
    integration: settings.integration,
    hasMoved: false,
    isUndecided: false,
    hasConsent: false,
    rates: settings.rates,
    startMs: START_MS,
    calmFromMs: START_MS + settings.troubledMs,
    throttledUntilMs: 0,
    environments: [],
    opened: 0,
    running: 0,
    groups: { list: [], presence: new Map(), given: new Set(), shiftsMs: [], edits: 0 },
    ticksMs: new Set(),
    earlierNames: new Map(),
    answerAsSource: () => ({ said: 'failure', answer: { kind: 'failed', cause: 'refused', message: 'not started' } }),
    rows: new Map(),
    keys: new Map(),
    underWayMs: new Map(),
    idTable: new Map(),
    runTable: memoryRunStore(),
    tokenTable: memoryTokenStore(),
    permits: new Map(),
    health: memoryHealthStore(),
    queues: {} as World['queues'],
    queueChanged: () => {},
    audit: {} as Audit,
    violations,
    broken: (rule, detail) => {
      violations.push({ rule, detail, atMs: scheduler.nowMs() });
      world.note('audit', 'breaks', rule, detail);
    },
    reached,
    reach: (state) => {
      if (!reached.has(state)) world.note('world', 'reaches', state);
      reached.add(state);
    },
    notes,
    note: records
      ? (actor, ...words) => {
          notes.push({ atMs: scheduler.nowMs(), actor, words });
        }
      : () => {},
  };
  const deadLetters = simulatedQueue(world, 'dead-letters');
  const accept = (message: Parameters<SimulatedQueue['messages']['set']>[1]) => {
    world.note('sqs', 'redrives', message.messageId);
    world.reach('redriven after its receives');
    deadLetters.messages.set(message.messageId, { ...message, hiddenUntilMs: scheduler.nowMs(), receiveCount: 0 });
  };
  const { maxReceiveCount } = settings;
  world.queues = {
    records: simulatedQueue(world, 'records', { maxReceiveCount, accept }),
    'dead-letters': deadLetters,
    runs: simulatedQueue(world, 'runs'),
  };
  world.groups = newGroups(world);
  world.answerAsSource = sourceServer(world);
  world.audit = auditOf(world);
  return world;
};

/** The other mapping is deployed. */
export const deploy = (world: World, integration: Integration): void => {
  world.integration = integration;
  for (const environment of world.environments) environment.isRetired = true;
  world.note('world', 'deploys another mapping');
};

/** Nothing fails any more, nobody edits, and somebody has looked at what a changed mapping overwrites. */
export const calmDown = (world: World): void => {
  world.rates = noFaults;
  world.hasConsent = true;
  world.note('world', 'faults stop');
};
