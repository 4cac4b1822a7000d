import { onTestFinished } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue, parseJson, stringifyJson } from '../../../lib/json/json.ts';
import { parseFault, type Sandbox, type SandboxOptions, startSandbox } from '../../../local/sandbox/sandbox.ts';

/** A sandbox that ends with the test, and the requests a client of it makes. */
export const testSandbox = async ({
  faults = [],
  ...options
}: Omit<SandboxOptions, 'faults'> & { faults?: string[] }) => {
  const sandbox = await startSandbox({ ...options, faults: faults.map(parseFault) });
  onTestFinished(() => sandbox.close());
  return { sandbox, ...clientOf(sandbox) };
};

export type Answer = { status: number; headers: Headers; text: string; json: JsonValue; body: JsonObject };

const clientOf = (sandbox: Sandbox) => {
  const send = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(sandbox.url + path, init);
    const text = await response.text();
    let json: JsonValue = null;
    try {
      json = parseJson(text);
    } catch {
      // Some faults answer with no JSON; the text is there.
    }
    return { status: response.status, headers: response.headers, text, json, body: isJsonObject(json) ? json : {} };
  };
  const post = (path: string, value: JsonValue, headers: Record<string, string> = {}): Promise<Answer> =>
    send(path, {
      method: 'POST',
      body: stringifyJson(value),
      headers: { 'content-type': 'application/json', ...headers },
    });
  const askToken = (fields: Record<string, string> = {}): Promise<Answer> =>
    send('/v1/oauth2/access_token', {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: 'demo',
        client_secret: 'demo',
        scope: 'product',
        ...fields,
      }),
    });
  const token = async (): Promise<string> => String((await askToken()).body.access_token);
  const get = async (path: string, bearer?: string): Promise<Answer> =>
    send(path, { headers: { authorization: `Bearer ${bearer ?? (await token())}` } });
  return {
    send,
    post,
    askToken,
    token,
    get,
    groups: (query = '', bearer?: string) => get(`/v1/product/groups${query}`, bearer),
    receipts: (query = '', bearer?: string) => get(`/v1/invoices/receipt/list${query}`, bearer),
    execute: (record: JsonValue, headers: Record<string, string> = {}) => post('/execute', record, headers),
    batch: (rows: JsonValue, headers: Record<string, string> = {}) => post('/groups/batch', { array: rows }, headers),
  };
};

export type Client = Awaited<ReturnType<typeof testSandbox>>;

/** The value of `key` in each row. */
export const pluck = (rows: JsonValue | undefined, key: string): JsonValue[] =>
  Array.isArray(rows) ? rows.map((row) => (isJsonObject(row) ? (row[key] ?? null) : null)) : [];

/** `count` groups with the ids 1, 2, 3, … */
export const plainGroups = (count: number): JsonObject[] =>
  Array.from({ length: count }, (_, n) => ({ id: n + 1, parent_id: 0, name: `分组 ${n + 1}` }));
