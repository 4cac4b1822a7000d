/** One HTTP request as the flows see it. */
export type HttpRequest = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers: Record<string, string>;
  /** JSON text (or form text, as the content-type header says). */
  body?: string;
  /** From the call to the last byte of the answer. */
  timeoutMs: number;
  /** An answer longer than this is cut off and reported as `tooLarge`. */
  maxAnswerBytes: number;
};

/**
 * How a request ended. Every status is an answer; `failed` means that no whole answer came.
 *
 * `notSent` causes are those where the server surely did not get the request (RFC 9110 §9.2.2 leaves the rest open):
 * after the others nobody knows whether it was applied.
 */
export type HttpAnswer =
  | { kind: 'answered'; status: number; headers: Readonly<Record<string, string>>; text: string }
  | { kind: 'failed'; cause: NotSentCause | MaybeSentCause; message: string };

export type NotSentCause = 'dns' | 'refused' | 'unreachable';
export type MaybeSentCause = 'timeout' | 'reset' | 'tooLarge' | 'network';

/** HTTP as a port. Never throws for what the network does; never retries; never follows redirects. */
export interface Http {
  send(request: HttpRequest): Promise<HttpAnswer>;
}
