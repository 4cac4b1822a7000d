import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { awsStoresAt } from '../../lib/aws/stores.ts';
import type { Env } from '../../lib/connection/secrets.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import type { Stores } from '../../lib/stores/stores.ts';
import { DataDirInUseError } from '../../local/stack/errors.ts';
import type { StackFlags } from '../input/flags.ts';
import { openDeployedStores } from './deployed.ts';
import { ENDPOINTS_FILE, startEmbedded } from './embedded.ts';

/**
 * Opens the stores of a stack, hands them to `use` and closes them.
 *
 * The embedded stack's servers are started for it, without its workers; where another process has the data directory
 * (a run that is going on), that process's servers are used, and one that only looks is waited for. Throws UsageError, and what `startStack` throws.
 */
export const withStores = async <Result>(
  { dataDir, stage, region }: StackFlags,
  use: (stores: Stores) => Promise<Result>,
): Promise<Result> => {
  if (stage !== undefined) {
    const stores = await openDeployedStores(stage, region);
    return useAndClose({ stores, close: stores.close }, use);
  }
  return useAndClose(await openEmbedded(dataDir), use);
};

type Opened = { stores: Stores; close(): Promise<void> | void };

/** What `use` throws before its first await must close the servers, too: they would keep the process alive. */
const useAndClose = async <Result>({ stores, close }: Opened, use: (stores: Stores) => Promise<Result>) => {
  try {
    return await use(stores);
  } finally {
    await close();
  }
};

/** Some commands that look take turns within this time. */
const WAITED_FOR_MS = 20_000;
const TRY_EVERY_MS = 100;

const openEmbedded = async (dataDir: string): Promise<Opened> => {
  const untilMs = clock.nowMs() + WAITED_FOR_MS;
  for (;;) {
    try {
      return await startEmbedded({ dataDir, isBrief: true });
    } catch (error) {
      if (!(error instanceof DataDirInUseError)) throw error;
      const env = readEndpoints(dataDir);
      if (env !== undefined) {
        const stores = awsStoresAt(env);
        return { stores, close: stores.close };
      }
      if (clock.nowMs() > untilMs) throw error;
      await clock.sleep(TRY_EVERY_MS);
    }
  }
};

const readEndpoints = (dataDir: string): Env | undefined => {
  try {
    return JSON.parse(readFileSync(join(dataDir, ENDPOINTS_FILE), 'utf8')) as Env;
  } catch {
    return undefined;
  }
};
