import { describe } from 'vitest';
import { tokenStoreContract } from '../../contracts/token-store.contract.ts';
import { memoryTokenStore } from '../../fakes/memory-token-store.ts';

describe('tokens in memory', () => tokenStoreContract(memoryTokenStore));
