import { parseArgs } from 'node:util';
import { noBug } from './bug.ts';
import { bugs } from './bugs.ts';
import { seedsToTry, simulate } from './simulate.ts';
import { type RareState, rareStates } from './states.ts';
import { timelineOf } from './timeline.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string' },
    seed: { type: 'string' },
    bug: { type: 'string' },
    'all-bugs': { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

/** Worlds that nobody has seen, unless the first seed is given. */
const freshSeed = Math.floor(Date.now() / 1000);
const first = Number(values.seed ?? values.first ?? freshSeed);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const bug = values.bug === undefined ? noBug : bugs.find(({ name }) => name === values.bug);
if (bug === undefined || !Number.isSafeInteger(first) || !Number.isSafeInteger(count)) {
  console.error(`usage: npm run simulate -- [--seeds N [--first S] | --seed S] [--bug NAME] [--verbose]`);
  console.error(`bugs: ${bugs.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

if (values['all-bugs']) {
  // Over several stretches of seeds, how many it takes to find each deliberate bug: the table in docs/simulation.md.
  const STRETCH = 100_000;
  for (const one of bugs) {
    const needed: number[] = [];
    const rules = new Set<string>();
    for (let from = 0; from < count * STRETCH; from += STRETCH) {
      let tried = 0;
      let rule: string | undefined;
      for (const seed of seedsToTry(from + 1, one)) {
        tried += 1;
        rule = (await simulate(seed, { bug: one })).violations[0]?.rule;
        if (rule !== undefined || tried === 2_000) break;
      }
      needed.push(rule === undefined ? Number.POSITIVE_INFINITY : tried);
      if (rule !== undefined) rules.add(rule);
    }
    needed.sort((a, b) => a - b);
    const median = needed[needed.length >> 1];
    console.log(`| ${one.name} | ${one.summary} | ${median} | ${needed.at(-1)} | ${[...rules].join('; ')} |`);
  }
  process.exit(0);
}

const startMs = performance.now();
const elapsedSec = () => (performance.now() - startMs) / 1000;
/** State → how many worlds reached it. */
const reachedBy = new Map<RareState, number>(rareStates.map((state) => [state, 0]));
for (let seed = first; seed < first + count; seed++) {
  const { violations, world } = await simulate(seed, { bug });
  for (const state of world.reached) reachedBy.set(state, (reachedBy.get(state) ?? 0) + 1);
  const [violation] = violations;
  if (violation || values.verbose) {
    console.log(timelineOf(await simulate(seed, { bug, records: true })));
  }
  if (violation) {
    const again = `npm run simulate -- --seed ${seed}${bug === noBug ? '' : ` --bug ${bug.name}`}`;
    console.log(`\nseed ${seed} broke "${violation.rule}" (${violation.detail})\nagain: ${again}`);
    process.exit(1);
  }
}
const tookSec = elapsedSec();
const range = count === 1 ? `seed ${first}` : `${count} seeds from ${first}`;
console.log(`${range} held every invariant in ${tookSec.toFixed(1)} s (${Math.round(count / tookSec)} seeds/s)`);

/** From so many worlds on, a state that none of them reached is a fault of the worlds: its rules say nothing. */
const ENOUGH_WORLDS = 10_000;
if (count > 1) {
  console.log('worlds that reached each rare state:');
  for (const [state, worlds] of [...reachedBy].sort((a, b) => a[1] - b[1])) {
    console.log(`${String(worlds).padStart(8)}  ${state}`);
  }
  const unreached = rareStates.filter((state) => reachedBy.get(state) === 0);
  if (unreached.length > 0 && count >= ENOUGH_WORLDS && bug === noBug) {
    console.log(`\nno world reached: ${unreached.join('; ')}`);
    process.exit(1);
  }
}
