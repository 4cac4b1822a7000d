import { Agent, type IncomingHttpHeaders, request } from 'node:http';

// The three calls that Lambda's runtime client makes through its native addon, over node:http (Lambda developer guide,
// "Using the Lambda runtime API for custom runtimes").

const api = new URL(`http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/`);
// The wait for the next event may last for hours: no time-out.
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** The addon posts before it returns; here the next call waits until the post is through. */
let posted: Promise<unknown> = Promise.resolve();

type Answer = { status: number; headers: IncomingHttpHeaders; body: string };

const send = (method: string, path: string, body = '', headers: Record<string, string> = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sending = request(new URL(path, api), { method, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers: answered } = response;
        resolve({ status, headers: answered, body: Buffer.concat(chunks).toString('utf8') });
      });
    });
    sending.on('error', reject).end(body);
  });

const post = (path: string, body: string, headers: Record<string, string> = {}): void => {
  const bytes = String(Buffer.byteLength(body));
  posted = send('POST', path, body, { 'content-type': 'application/json', 'content-length': bytes, ...headers });
};

export const next = async (): Promise<{ bodyJson: string; headers: Record<string, unknown> }> => {
  await posted;
  const { status, headers, body } = await send('GET', 'next');
  if (status !== 200) throw new Error(`Failed to get next invocation, error ${status}`);
  return {
    bodyJson: body,
    headers: { ...headers, 'lambda-runtime-deadline-ms': Number(headers['lambda-runtime-deadline-ms']) },
  };
};

export const done = (id: string, body: string): void => post(`${id}/response`, body);

export const error = (id: string, body: string, xrayCause: string): void =>
  post(`${id}/error`, body, { 'lambda-runtime-function-xray-error-cause': xrayCause });
