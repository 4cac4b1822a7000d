/** Thrown for what the operator asked for and cannot be done; the message is all that he sees. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}
