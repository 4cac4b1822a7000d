/** What a person does to a dead letter, to a record whose letter is gone, or to what is known of the target. */
export const auditActions = [
  'replayed',
  'discarded',
  'resolved-loaded',
  'resolved-not-loaded',
  'resent',
  'adopted',
] as const;

/** What a person did, or was about to do when something broke. */
export type AuditEntry = {
  atMs: number;
  action: (typeof auditActions)[number];
  /** Absent: a letter that nobody could read names no integration. */
  integration?: string;
  /** The record's id; for an unreadable letter its message id; for what was taken over the run's. */
  id: string;
  /** The letter's reason, or `none` where no letter waited. */
  reason: string;
  /** Who did it, as the operator's machine names him. */
  by: string;
  /** Why, in his own words. */
  why: string;
};

/** Who did what to dead letters, and why, as a port. Entries are never changed and never expire. */
export interface AuditLog {
  add(entry: AuditEntry): Promise<void>;
  /** The entries of an integration, or of one id of it, oldest first. */
  list(integration: string | undefined, id?: string): Promise<AuditEntry[]>;
}
