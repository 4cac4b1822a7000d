import type { ConnectionEvent } from '../../connection/auth/scheme.ts';
import type { FetchEvent } from '../../fetch/events.ts';
import type { LoadEvent } from '../../load/events.ts';
import type { NotifyEvent } from '../../notify/notifier.ts';
import type { ReplayEvent } from '../../replay/replay.ts';
import type { ReconcileEvent } from '../../runs/reconcile.ts';
import type { SourceEvent } from '../../source/http-source.ts';

/** All events that the functions log: what lines are searched by, and metrics are counted from. */
export type FunctionEvent =
  | ConnectionEvent
  | SourceEvent
  | FetchEvent
  | LoadEvent
  | ReconcileEvent
  | ReplayEvent
  | NotifyEvent;

export type EventName = FunctionEvent[0];
export type FieldsOf<Name extends EventName> = Extract<FunctionEvent, [Name, unknown]>[1];
