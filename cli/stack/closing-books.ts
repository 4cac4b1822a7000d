import { type NotifyEvent, notifierOf } from '../../lib/notify/notifier.ts';
import type { ReconcileDeps } from '../../lib/runs/reconcile.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import { defined } from '../../lib/runtime/defined.ts';
import { type Log, silentLog } from '../../lib/runtime/log.ts';
import { systemRuntime } from '../../lib/stores/runtime.ts';
import type { Stores } from '../../lib/stores/stores.ts';

/**
 * What closing a run's books needs where the command line does it, not functions/reconcile: the watermark moves and
 * people are told (`NOTIFY_FORMAT` and its companions here) all the same. Throws ConfigurationError.
 */
export const closingBooks = (stores: Stores): ReconcileDeps => {
  const { idStore, runs } = stores;
  const onClosed = notifierOf(stores, systemRuntime(process.env, notifyLog));
  return { idStore, runs, watermarks: runs, clock, log: silentLog, ...defined({ onClosed }) };
};

const sayFailed = (...[event, fields]: NotifyEvent): void => {
  if (event !== 'notify-failed') return;
  const { runId, format, status, why } = fields;
  const words = [status, why].filter((word) => word !== undefined).join(' ');
  process.stderr.write(`! ${event} ${runId}: the ${format} robot did not take the message: ${words}\n`);
};

const notifyLog: Log<NotifyEvent> = { ...silentLog, warn: sayFailed };
