import { describe } from 'vitest';
import { runStoreContract } from '../contracts/run-store.contract.ts';
import { memoryRunStore } from '../fakes/memory-run-store.ts';

describe('the run store in memory', () => {
  runStoreContract(memoryRunStore);
});
