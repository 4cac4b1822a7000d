/**
 * What a person does to a dead letter, to a record whose letter is gone or to what is known of the target, or says of an
 * end at another address.
 */
export const auditActions = [
  'replayed',
  'discarded',
  'resolved-loaded',
  'resolved-not-loaded',
  'resent',
  'adopted',
  'source-same',
  'source-new',
  'target-same',
  'target-new',
] as const;

/** In place of an id: of all records of the integration. No record has such an id. */
export const OF_ALL = '';

/** What a person did, or was about to do when something broke. */
export type AuditEntry = {
  atMs: number;
  action: (typeof auditActions)[number];
  /** Absent: a letter that nobody could read names no integration. */
  integration?: string;
  /**
   * The record's id; for an unreadable letter its message id; for what was taken over the run's; `OF_ALL` where it is
   * about all.
   */
  id: string;
  /** The letter's reason, or `none` where no letter waited; of an end, its address before and now. */
  reason: string;
  /** Who did it, as the operator's machine names him. */
  by: string;
  /** Why, in his own words. */
  why: string;
};

/** Who did what by hand, and why, as a port. Entries are never changed and never expire. */
export interface AuditLog {
  add(entry: AuditEntry): Promise<void>;
  /** The entries of an integration, or of one id of it, oldest first. */
  list(integration: string | undefined, id?: string): Promise<AuditEntry[]>;
}
