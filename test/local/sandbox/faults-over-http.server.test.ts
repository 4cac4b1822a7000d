import { expect, test } from 'vitest';
import type { FaultName } from '../../../local/sandbox/fault-table.ts';
import { plainGroups, testSandbox } from './client.ts';
import { sourceFaultCases } from './source-fault-cases.ts';
import { targetFaultCases } from './target-fault-cases.ts';

// The type holds this to the table: a fault without a case does not compile.
const cases: Record<FaultName, () => Promise<void>> = { ...sourceFaultCases, ...targetFaultCases };

test.each(Object.entries(cases))('%s is seen by a client as the help describes it', (_, shows) => shows());

test('faults combine: each request meets the first that is due', async () => {
  const { groups, token } = await testSandbox({
    groups: plainGroups(3),
    faults: ['token-revoked:after=1', 'source-429:times=1:after=2', 'code-zero'],
  });
  const first = await token();
  expect((await groups('', first)).body.code).toBe(0);
  expect((await groups('', first)).status).toBe(401);
  expect((await groups()).status).toBe(429);
  expect((await groups()).status).toBe(200);
});
