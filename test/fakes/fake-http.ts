import { answerOf } from '../../lib/connection/answer-bytes.ts';
import type { FailureCause, Http, HttpAnswer, HttpRequest } from '../../lib/connection/http.ts';

export interface FakeHttp extends Http {
  /** Everything sent so far, in order. */
  readonly requests: HttpRequest[];
}

/** A server as a function: it sees each request and its number, counted from 0. */
export const fakeHttp = (
  handler: (request: HttpRequest, index: number) => HttpAnswer | Promise<HttpAnswer>,
): FakeHttp => {
  const requests: HttpRequest[] = [];
  return {
    requests,
    send: async (request) => {
      requests.push(structuredClone(request));
      return handler(request, requests.length - 1);
    },
  };
};

/** A server that gives these answers in this order, and fails the test when it is asked once more. */
export const scriptedHttp = (answers: readonly HttpAnswer[]): FakeHttp =>
  fakeHttp((request, index) => {
    const answer = answers[index];
    if (!answer) throw new Error(`unexpected request ${index + 1}: ${request.method} ${request.url}`);
    return answer;
  });

/** An answer with this status; a body that is not text is sent as JSON. */
export const answered = (status: number, body: unknown = '', headers: Record<string, string> = {}): HttpAnswer => ({
  kind: 'answered',
  status,
  headers: typeof body === 'string' ? headers : { 'content-type': 'application/json', ...headers },
  text: typeof body === 'string' ? body : JSON.stringify(body),
});

/** An answer by its bytes, read as the adapter reads those of the network. */
export const answeredBytes = async (
  status: number,
  bytes: Uint8Array,
  headers: Record<string, string> = {},
): Promise<HttpAnswer> => {
  const answer = await answerOf({ status, headers }, bytes, Number.MAX_SAFE_INTEGER);
  return answer === 'tooLarge' ? failed('tooLarge') : answer;
};

/** No whole answer came. */
export const failed = (cause: FailureCause, message: string = cause): HttpAnswer => ({
  kind: 'failed',
  cause,
  message,
});
