import type { Bug } from './bug.ts';
import { clockBugs } from './bugs/clocks.ts';
import { companyBugs } from './bugs/company.ts';
import { healthBugs } from './bugs/health.ts';
import { idCheckBugs } from './bugs/idcheck.ts';
import { limitBugs } from './bugs/limit.ts';
import { movingBugs } from './bugs/moving.ts';
import { partialBugs } from './bugs/partial.ts';
import { queueBugs } from './bugs/queue.ts';
import { runBugs } from './bugs/run.ts';
import { sourceBugs } from './bugs/source.ts';
import { targetBugs } from './bugs/target.ts';

/** The deliberate bugs, each with the seeds within which it is found: many times what it takes on average. */
export const bugs: readonly Bug[] = [
  ...idCheckBugs,
  ...targetBugs,
  ...queueBugs,
  ...runBugs,
  ...partialBugs,
  ...sourceBugs,
  ...healthBugs,
  ...movingBugs,
  ...clockBugs,
  ...companyBugs,
  ...limitBugs,
];
