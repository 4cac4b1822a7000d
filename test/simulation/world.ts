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
import { auditHealth, type HealthAudit } from './audit-health.ts';
import { auditLimit, type LimitAudit } from './audit-limit.ts';
import { type Bug, noBug } from './bug.ts';
import { type Chance, chanceOf } from './chance.ts';
import { clocksOf } from './clocks.ts';
import { companyOf } from './company.ts';
import { type Groups, newGroups } from './groups.ts';
import { handsOf } from './hands.ts';
import type { Environment } from './lambda.ts';
import { endingWith, outagesOf } from './outages.ts';
import { type FaultRates, noFaults } from './rates.ts';
import { type Scheduler, schedulerFrom } from './scheduler.ts';
import { type Settings, settingsOf } from './settings.ts';
import type { Reply } from './source-faults.ts';
import { noTokens, type SourceTokens, sourceServer } from './source-server.ts';
import { type QueueName, queuesOf, type SimulatedQueue } from './sqs.ts';
import type { RareState } from './states.ts';
import type { IdTable } from './stores.ts';
import type { Row } from './target-server.ts';
import { tuningOf } from './tuning.ts';

/** What broke, when, and which ids and workers it is about. */
export type Violation = { rule: string; detail: string; atMs: number };

/** One line of a timeline. */
export type Note = { atMs: number; actor: string; words: readonly (string | number)[] };

/** How often faults happen now, and from when on none do any more. */
type Weather = { rates: FaultRates; calmFromMs: number };

/** Lambda's execution environments, and how many invocations are under way. */
type Fleet = { environments: Environment[]; opened: number; running: number };

/** What all integrations of a world share. */
export type Shared = {
  seed: number;
  bug: Bug;
  chance: Chance;
  /** What befalls clocks is drawn by itself. */
  clockChance: Chance;
  scheduler: Scheduler;
  startMs: number;
  weather: Weather;
  fleet: Fleet;
  /** The world as each of its integrations sees it, by their numbers. */
  all: World[];

  runTable: RunStore;
  tokenTable: TokenStore;
  permits: LimiterStates;
  health: HealthStore;
  queues: Record<QueueName, SimulatedQueue>;

  violations: Violation[];
  /** The rare states that it came to. */
  reached: Set<RareState>;
  /** Messages that ended since they were too old, by run and id. */
  aged: Set<string>;
  reach: (state: RareState) => void;
  notes: Note[];
};

/** A simulated world as one of its integrations sees it: what all share, and a source and a target of its own. */
export type World = Shared & {
  settings: Settings;
  /** As it is deployed now. */
  integration: Integration;
  /** The target is at another address; nobody has said yet that it is the same system. */
  hasMoved: boolean;
  isUndecided: boolean;
  /** Somebody has said yes to what another mapping overwrites. */
  hasConsent: boolean;
  /** The target answers 429 to everything until then. */
  throttledUntilMs: number;

  /** When schedules fired. */
  ticksMs: Set<number>;
  groups: Groups;
  earlierNames: Map<string, string>;
  answerAsSource: (request: HttpRequest) => Reply;
  /** One source gives all its integrations the same tokens. */
  sourceTokens: SourceTokens;
  /** What the target holds, by id. */
  rows: Map<string, Row[]>;
  /** The keys of the requests that the target applied, by id. */
  keys: Map<string, Set<string>>;
  /** Until when the target is at a request under this key, and says so. */
  underWayMs: Map<string, number>;
  idTable: IdTable;
  /** How many of its records wait in ledgers until they are sent. */
  inLedgers: number;

  audit: Audit;
  /** Shared by all over the same connection to a target. */
  healthAudit: HealthAudit;
  limitAudit: LimitAudit;
  broken: (rule: string, detail: string) => void;
  note: (actor: string, ...words: (string | number)[]) => void;
};

/** Numbers and manners are drawn by themselves: another one more changes nothing else of a world. */
const TUNING = 0x7475_6e65;
const MANNERS = 0x6d61_6e6e;
const OUTAGE = 0x6f75_7461;
const CLOCKS = 0x636c_6f63;
const HANDS = 0x6861_6e64;
const COMPANY = 0x636f_6d70;

const START_MS = Date.UTC(2026, 0, 5);

export type WorldOptions = { bug?: Bug; records?: boolean; change?: (settings: Settings) => Settings };

/** The world as one integration sees it; those before it may be at the other end of the same connections. */
const viewOf = (shared: Shared, settings: Settings, records: boolean): World => {
  const { scheduler, violations, notes, all } = shared;
  const { number, hosts } = settings;
  const note: World['note'] = records
    ? (actor, ...words) => {
        notes.push({ atMs: scheduler.nowMs(), actor, words: number === 0 ? words : [...words, `(${number})`] });
      }
    : () => {};
  const world: World = {
    ...shared,
    settings,
    integration: settings.integration,
    hasMoved: false,
    isUndecided: false,
    hasConsent: false,
    throttledUntilMs: 0,
    groups: { list: [], presence: new Map(), given: new Set(), shiftsMs: [], edits: 0 },
    ticksMs: new Set(),
    earlierNames: new Map(),
    answerAsSource: () => ({ said: 'failure', answer: { kind: 'failed', cause: 'refused', message: 'not started' } }),
    sourceTokens: all[hosts.source]?.sourceTokens ?? noTokens(),
    rows: new Map(),
    keys: new Map(),
    underWayMs: new Map(),
    idTable: new Map(),
    inLedgers: 0,
    audit: {} as Audit,
    healthAudit: {} as HealthAudit,
    limitAudit: {} as LimitAudit,
    broken: (rule, detail) => {
      const ofWhich = number === 0 ? '' : `integration ${number}, `;
      violations.push({ rule, detail: `${ofWhich}${detail}`, atMs: scheduler.nowMs() });
      note('audit', 'breaks', rule, detail);
    },
    note,
  };
  world.groups = newGroups(world);
  world.answerAsSource = sourceServer(world);
  world.audit = auditOf(world);
  world.healthAudit = all[hosts.target]?.healthAudit ?? auditHealth(world);
  world.limitAudit = all[hosts.target]?.limitAudit ?? auditLimit(world);
  return world;
};

/** A world as it begins: nothing has run, nothing is stored. */
export const newWorld = (seed: number, { bug = noBug, records = false, change }: WorldOptions = {}): World => {
  const chance = chanceOf(seed);
  const scheduler = schedulerFrom(START_MS);
  const usual = settingsOf(chance, chanceOf(seed ^ MANNERS), tuningOf(chanceOf(seed ^ TUNING)));
  const clockChance = chanceOf(seed ^ CLOCKS);
  // Bugs are looked for where as little as possible happens beside them.
  const isUsual = bug === noBug && change === undefined;
  const drawn: Settings = {
    ...usual,
    number: 0,
    hosts: { source: 0, target: 0 },
    outages: outagesOf(chanceOf(seed ^ OUTAGE), usual.troubledMs),
    hands: isUsual ? handsOf(chanceOf(seed ^ HANDS), usual.troubledMs) : [],
    // What another mapping overwrites is told by times.
    clocks: usual.remapped === undefined ? clocksOf(clockChance) : 'right',
  };
  const changed = (change ?? bug.harsher ?? ((asDrawn) => asDrawn))(drawn);
  const settings = { ...changed, outages: endingWith(changed.outages, changed.troubledMs) };
  const mayHave = bug.company ?? isUsual;
  const company = mayHave ? companyOf(chanceOf(seed ^ COMPANY), settings, bug.company === true) : [];
  const all: World[] = [];
  const alone = {
    seed,
    bug,
    chance,
    clockChance,
    scheduler,
    startMs: START_MS,
    weather: { rates: settings.rates, calmFromMs: START_MS + settings.troubledMs },
    fleet: { environments: [], opened: 0, running: 0 },
    all,
    runTable: memoryRunStore(),
    tokenTable: memoryTokenStore(),
    permits: new Map(),
    health: memoryHealthStore(),
    violations: [],
    reached: new Set<RareState>(),
    aged: new Set<string>(),
    reach: (state: RareState) => {
      if (!alone.reached.has(state)) all[0]?.note('world', 'reaches', state);
      alone.reached.add(state);
    },
    notes: [],
  };
  const shared: Shared = { ...alone, queues: queuesOf(alone, settings) };
  const lead = viewOf(shared, settings, records);
  all.push(lead);
  for (const one of company) all.push(viewOf(shared, one, records));
  return lead;
};

/** The world as the integration of this name sees it; a name that none has is the first one's. */
export const seenBy = ({ all }: Shared, integration: string): World => {
  const world = all.find(({ settings }) => settings.integration.name === integration) ?? all[0];
  if (world === undefined) throw new TypeError('a world without an integration');
  return world;
};

/** The other mapping is deployed. */
export const deploy = (world: World, integration: Integration): void => {
  world.integration = integration;
  for (const environment of world.fleet.environments) environment.isRetired = true;
  world.note('world', 'deploys another mapping');
};

/** Nothing fails any more, nobody edits, and somebody has looked at what a changed mapping overwrites. */
export const calmDown = (world: World): void => {
  world.weather.rates = noFaults;
  for (const one of world.all) one.hasConsent = true;
  world.note('world', 'faults stop');
};
