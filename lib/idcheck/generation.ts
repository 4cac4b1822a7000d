/**
 * Under which name idCheck and the watermark keep what is known of an integration. A state that is begun anew gets the
 * next generation, and with it another name: one write forgets everything at once. No integration's name holds a `~`.
 */
export const stateName = (integration: string, generation: number): string =>
  generation === 0 ? integration : `${integration}~${generation}`;

/** The same, where the generation is absent in what earlier versions wrote: it was the first one. */
export const stateOf = ({ integration, generation = 0 }: { integration: string; generation?: number }): string =>
  stateName(integration, generation);
