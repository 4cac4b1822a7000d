import { bugs } from '../../test/simulation/bugs.ts';
import { code, table, withPart } from './markdown.ts';

export const simulationFile = 'docs/simulation.md';

/** The page on the simulation with its table of deliberate bugs brought up to date. Throws RangeError where its marks are missing. */
export const withDeliberateBugs = (text: string): string => {
  const rows = bugs.map(({ name, summary }) => [code(name), summary]);
  return withPart(text, 'deliberate bugs', table(['bug', 'what is wrong'], rows));
};
