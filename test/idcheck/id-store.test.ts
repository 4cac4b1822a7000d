import { describe } from 'vitest';
import { idStoreContract } from '../contracts/id-store.contract.ts';
import { memoryIdStore } from '../fakes/memory-id-store.ts';

describe('the idCheck store in memory', () => {
  idStoreContract(() => memoryIdStore(1));
});
