import type { Http } from '../../lib/connection/http.ts';
import type { HealthStore } from '../../lib/connection/limit/health.ts';
import type { RateLimiter } from '../../lib/connection/limit/rate-limit.ts';
import type { FetchDeps } from '../../lib/fetch/fetch-plan.ts';
import type { LoadPolicy } from '../../lib/idcheck/decide.ts';
import type { IdStore } from '../../lib/idcheck/item.ts';
import type { Queue } from '../../lib/messages/queue.ts';
import type { RunRequest } from '../../lib/messages/run-request.ts';
import type { RunStore } from '../../lib/runs/store.ts';
import type { Source } from '../../lib/source/source.ts';
import type { Target } from '../../lib/target/target.ts';
import type { Transform } from '../../lib/transform/transform.ts';
import type { Environment } from './lambda.ts';
import type { Settings } from './settings.ts';
import type { World } from './world.ts';

type Wrap<Port> = (port: Port, world: World, environment: Environment) => Port;

/**
 * A deliberate bug: what it puts between the flows and the world, so that the world sees what a program with this bug
 * would do.
 */
export type Bug = {
  name: string;
  /** What the program gets wrong. */
  summary: string;
  /** Within so many seeds the simulation finds it. */
  seeds: number;
  /** The worlds that can show it; absent: any. */
  where?: (settings: Settings) => boolean;
  /** It is looked for in worlds of several integrations. */
  company?: true;
  /** What these worlds have more or less of, so that the bug shows within seconds; absent: they stay as drawn. */
  harsher?: (settings: Settings) => Settings;
  /** HTTP with source and target. */
  http?: Wrap<Http>;
  health?: Wrap<HealthStore>;
  limiter?: Wrap<RateLimiter>;
  idStore?: Wrap<IdStore>;
  runs?: Wrap<RunStore>;
  source?: Wrap<Source>;
  transform?: Wrap<Transform>;
  target?: Wrap<Target>;
  /** The records queue, as fetch or load send to it. */
  fetchRecords?: Wrap<FetchDeps['records']>;
  dispatchRecords?: Wrap<Queue>;
  loadRecords?: Wrap<Queue>;
  deadLetters?: Wrap<Queue>;
  replayRecords?: Wrap<Queue>;
  fetchPolicy?: (policy: LoadPolicy) => LoadPolicy;
  loadPolicy?: (policy: LoadPolicy) => LoadPolicy;
  runRequest?: (request: RunRequest, world: World) => RunRequest;
  /** Messages are deleted before the function sees them. */
  acknowledgesAtOnce?: true;
  /** The queue's client hides the entries that failed. */
  ignoresFailedEntries?: true;
};

export const noBug: Bug = { name: 'none', summary: 'the program as it is', seeds: 0 };
