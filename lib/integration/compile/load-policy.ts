import type { LoadPolicy } from '../../idcheck/decide.ts';
import type { Integration } from '../schema/schema.ts';

/** Compiles what may happen to the ids of an integration that are stored already. Pure. */
export const loadPolicyOf = ({ target }: Integration): LoadPolicy => ({
  idCheck: target.metadata.idCheck,
  onUncertain: target.onUncertain,
});
