import { lambdaHandler } from '../lib/aws/lambda/handler.ts';
import { openReconcile } from '../lib/aws/lambda/open-reconcile.ts';
import { reconcileAll } from '../lib/runs/reconcile.ts';

/** Balances the books of every integration's open runs. */
export const handler = lambdaHandler(async (): Promise<Array<{ runId: string; status: string }>> => {
  const { deps, integrations } = openReconcile();
  const runs = await reconcileAll(await integrations(), deps);
  return runs.map(({ runId, status }) => ({ runId, status }));
});
