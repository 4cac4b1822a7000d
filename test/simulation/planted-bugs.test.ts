import { describe, expect, it } from 'vitest';
import { bugs } from './bugs.ts';
import { seedsToTry, simulate } from './simulate.ts';

describe('the checker', () => {
  it.each(bugs)('finds $name ($summary) within $seeds seeds', { timeout: 300_000 }, async (bug) => {
    let broken: string | undefined;
    let tried = 0;
    for (const seed of seedsToTry(1, bug)) {
      broken = (await simulate(seed, { bug })).violations[0]?.rule;
      if (broken !== undefined || ++tried === bug.seeds) break;
    }
    expect(broken).toBeDefined();
  });
});
