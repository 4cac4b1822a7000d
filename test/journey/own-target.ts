import { isJsonObject, type JsonObject, parseJson } from '../../lib/json/json.ts';
import { type Answer, type HttpServer, type Request, startHttpServer } from './http-server.ts';

/** One record as it was applied, with the key it came under. */
export type Application = { id: string; content: JsonObject; key: string | undefined };

export type OwnTarget = HttpServer & {
  requests: Request[];
  /** Every application, repeats included. */
  applied: Application[];
  /** What happens to the next requests; undefined: they are applied. */
  behave(
    instead: ((records: readonly Application[], request: Request) => Answer | 'apply-and-drop' | undefined) | undefined,
  ): void;
  /** How often each id was applied. */
  timesById(): Map<string, number>;
};

/** A target that applies what it is given, and remembers each application; `/execute` takes one record, `/groups/batch` several. */
export const startOwnTarget = async (port = 0): Promise<OwnTarget> => {
  const requests: Request[] = [];
  const applied: Application[] = [];
  let instead: Parameters<OwnTarget['behave']>[0];
  const answer = (request: Request): Answer => {
    requests.push(request);
    const records = recordsOf(request);
    if (records === undefined) return { status: 404, text: '{"message":"not here"}' };
    const other = instead?.(records, request);
    if (other !== undefined && other !== 'apply-and-drop') return other;
    applied.push(...records);
    return other === 'apply-and-drop' ? 'drop' : { text: '{}' };
  };
  const server = await startHttpServer(answer, port);
  return {
    ...server,
    requests,
    applied,
    behave: (next) => {
      instead = next;
    },
    timesById: () => {
      const times = new Map<string, number>();
      for (const { id } of applied) times.set(id, (times.get(id) ?? 0) + 1);
      return times;
    },
  };
};

const recordsOf = ({ method, path, headers, body }: Request): Application[] | undefined => {
  if (method !== 'POST') return undefined;
  const key = headers['idempotency-key'];
  const sent = parseJson(body);
  if (!isJsonObject(sent)) return undefined;
  const toRecord = (content: JsonObject, id: unknown): Application => ({
    id: String(id),
    content,
    key: typeof key === 'string' ? key : undefined,
  });
  if (path === '/execute') return [toRecord(sent, sent.id)];
  if (path !== '/groups/batch' || !Array.isArray(sent.array)) return undefined;
  return sent.array.filter(isJsonObject).map((content) => toRecord(content, content.group_id));
};

/** Variables that lead the program to a target, for both shipped integrations. */
export const targetEnv = ({ url }: { url: string }) => ({ QINGYIYUN_BASE_URL: url, CRM_BASE_URL: url });
