import type { Http } from './http.ts';

/**
 * HTTP that is loaded at the first request. ky looks at Node's `fetch` as it loads, which has Node compile its HTTP
 * client: half as much time again as the AWS clients take, and an invocation that finds nothing to send needs none of it.
 */
export const lazyHttp: Http = { send: async (request) => (await import('./ky-http.ts')).kyHttp.send(request) };
