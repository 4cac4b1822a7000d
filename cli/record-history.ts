import type { IdCheck } from '../lib/idcheck/item.ts';
import type { Integration } from '../lib/integration/schema/schema.ts';
import type { Letter } from '../lib/messages/dead-letter.ts';
import { fateOf } from '../lib/runs/books.ts';
import type { LedgerEntry } from '../lib/runs/ledger.ts';
import type { LoadCounts, RunRecord } from '../lib/runs/record.ts';
import { MissingChunkError } from '../lib/runs/store.ts';
import type { AuditEntry } from '../lib/stores/audit.ts';
import { messagesIn, type Stores } from './stores.ts';

/** A run that carried the record, what it made of it, and, where it sent it, what became of that by idCheck. */
export type Carried = { runId: string; startedMs: number } & Pick<LedgerEntry, 'reason' | 'hash'> & {
    outcome: LedgerEntry['outcome'] | 'deletion';
    fate?: keyof LoadCounts;
  };

/** Everything known of one id in one integration. */
export type History = {
  integration: string;
  id: string;
  item: IdCheck | undefined;
  /** The runs whose ledger names it, newest first. */
  runs: Carried[];
  letters: Letter[];
  audit: AuditEntry[];
  /** Messages in the records queue, whatever they carry. */
  queued: number;
};

/** All that the stores say of `id`; `letters` are those that wait for it, `looked` so many recent runs are looked through. */
export const historyOf = async (
  id: string,
  integration: Integration,
  letters: readonly Letter[],
  looked: number,
  stores: Stores,
): Promise<History> => {
  const { name } = integration;
  const item = (await stores.idStore.read(name, [id])).get(id);
  const runs: Carried[] = [];
  for (const run of await stores.runs.runs(name, looked)) {
    runs.push(...(await carriedIn(run, id, item, integration.target.metadata.idCheck, stores)));
  }
  return {
    integration: name,
    id,
    item,
    runs,
    letters: letters.filter((letter) => letter.integration === name),
    audit: await stores.audit.list(name, id),
    queued: messagesIn(await stores.records.depth()),
  };
};

export const isKnown = ({ item, runs, letters, audit }: History): boolean =>
  item !== undefined || runs.length + letters.length + audit.length > 0;

/** The last time that a run sent the record, where nothing has come of it yet. */
export const openSending = ({ runs }: History): Carried | undefined => {
  const last = runs.find(({ fate }) => fate !== undefined);
  return last?.fate === 'open' ? last : undefined;
};

const carriedIn = async (
  run: RunRecord,
  id: string,
  item: IdCheck | undefined,
  idCheck: boolean,
  { runs }: Stores,
): Promise<Carried[]> => {
  const { runId, startedMs, fullRefresh: refresh } = run;
  const found: Carried[] = [];
  try {
    const chunks = run.chunks ?? run.checkpoint?.chunks ?? 0;
    for await (const { entries, deletions = [], versionMs } of runs.chunks(run.integration, runId, chunks)) {
      const fate = (hash: string) => fateOf(item, { id, hash, versionMs, refresh }, idCheck);
      for (const { id: entryId, parentId: _, ...entry } of entries) {
        if (entryId !== id) continue;
        const isSent = entry.outcome === 'enqueued' && entry.hash !== undefined;
        found.push({ runId, startedMs, ...entry, ...(isSent && { fate: fate(entry.hash ?? '') }) });
      }
      for (const { id: deletedId, hash } of deletions) {
        if (deletedId === id) found.push({ runId, startedMs, outcome: 'deletion', hash, fate: fate(hash) });
      }
    }
  } catch (error) {
    // Expired or torn: its other chunks have been looked at.
    if (!(error instanceof MissingChunkError)) throw error;
  }
  return found;
};
