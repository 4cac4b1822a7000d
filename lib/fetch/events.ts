import type { ExtractCounts } from '../runs/record.ts';
import type { EventsOf } from '../runtime/log.ts';
import type { Start } from './decide-start.ts';

type OfRun = { integration: string; runId: string };
/** A code with its words for people. */
type Said = OfRun & { code: string; words: string };

/** What fetching logs. */
export type FetchEvent = EventsOf<{
  'run-started': OfRun;
  /** An earlier invocation's run is resumed at its checkpoint. */
  'run-resumed': OfRun;
  'run-not-started': OfRun & { why: Exclude<Start['kind'], 'start' | 'resume'> | 'lease lost' };
  /** `held`: records whose outcome is known only after the last page. */
  page: OfRun & ExtractCounts & { held?: number; requests: number };
  'source-warning': Said;
  'field-drift': Said;
  'vanished-warning': Said;
  'deletions-sent': OfRun & { deletions: number };
  'run-extracted': OfRun & Pick<ExtractCounts, 'fetched' | 'unchanged' | 'enqueued'> & { vanished: number };
  'run-incomplete': Said;
  /** The list was read to its end and is not trusted as a whole. */
  'run-failed': Said;
  /** Left to a later invocation; the queue took the request or did not. */
  'run-continued': OfRun & { delaySec: number; accepted: boolean };
  /** Another run is under way; its schedule's request waits for it. */
  'run-waits': { integration: string; delaySec: number; accepted: boolean };
}>;
