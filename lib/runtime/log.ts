/** What a log line may carry: identifiers, numbers and reasons; never payloads, tokens or query strings. */
export type LogFields = Record<string, string | number | boolean | undefined | null>;

/** Structured logging as a port: one event name per line, fields beside it. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };
