import { reconcileFlow } from '../../lib/flows/flows.ts';
import type { NotifyEvent } from '../../lib/notify/notifier.ts';
import type { ReconcileEvent } from '../../lib/runs/reconcile.ts';
import { type Log, silentLog } from '../../lib/runtime/log.ts';
import { type Stores, systemRuntime } from '../../lib/stores/stores.ts';
import { print } from '../terminal/print.ts';

type Event = ReconcileEvent | NotifyEvent;

/**
 * Closes runs' books where the command line does it, not functions/reconcile: people are told all the same, as
 * `NOTIFY_FORMAT` and its companions say here. Throws ConfigurationError.
 */
export const closingBooks = (stores: Stores): ReturnType<typeof reconcileFlow> =>
  reconcileFlow(stores, systemRuntime(process.env, log));

const sayNotifyFailed = (...[event, fields]: Event): void => {
  if (event !== 'notify-failed') return;
  const { format, status, why } = fields;
  const about = 'runId' in fields ? fields.runId : fields.connection;
  const words = [status, why].filter((word) => word !== undefined).join(' ');
  print(`! ${event} ${about}: the ${format} robot did not take the message: ${words}\n`, process.stderr);
};

const log: Log<Event> = { ...silentLog, warn: sayNotifyFailed };
