/** What a log line may carry: identifiers, numbers and reasons; never payloads, tokens or query strings. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined | null>>;

/** An event by its name, with the fields of its line. */
export type LogEvent = [name: string, fields: LogFields];

/** The events of a table: name → fields. */
export type EventsOf<Table extends Readonly<Record<string, LogFields>>> = {
  [Name in keyof Table]: [name: Name, fields: Table[Name]];
}[keyof Table];

/** Structured logging as a port: one event per line. Each room says which ones it logs; no other compiles. */
export type Log<Event extends LogEvent> = {
  readonly [Level in 'info' | 'warn' | 'error']: (...event: Event) => void;
};

/** Takes every event. */
export type AnyLog = Log<LogEvent>;

export const silentLog: AnyLog = { info: () => {}, warn: () => {}, error: () => {} };
