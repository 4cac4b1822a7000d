import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../lib/json/json.ts';
import { type Fault, FaultSyntaxError, parseFault } from './fault.ts';
import type { FaultBoard } from './fault-board.ts';
import type { OkkiLists } from './okki-lists.ts';
import { jsonReply, type Reply, type SandboxRequest } from './reply.ts';
import { isTarget, type TargetStore, targets } from './target-store.ts';

type Inspected = { faults: FaultBoard; lists: OkkiLists; requests: Readonly<JsonObject>; store: TargetStore };

/**
 * The sandbox's own endpoints, for tests and for a person with curl: `GET /sandbox/records?target=NAME`, `GET
 * /sandbox/stats`, `GET`, `POST` and `DELETE /sandbox/faults`, `PUT /sandbox/groups` and `PUT /sandbox/receipts` (what
 * OKKI lists from now on). A POST must be declared as JSON: a form on a web page cannot do that.
 */
export const inspectEndpoint = ({
  faults,
  lists,
  requests,
  store,
}: Inspected): ((request: SandboxRequest) => Reply) => {
  const faultCounts = (): Reply => jsonReply(200, { faults: faults.counts() });

  const records = ({ query }: SandboxRequest): Reply => {
    const target = query.get('target');
    if (!isTarget(target)) return refused(`target must be one of ${targets.join(', ')}`);
    return jsonReply(200, store.records(target));
  };

  const stats = (): Reply =>
    jsonReply(200, {
      requests: { ...requests },
      records: Object.fromEntries(targets.map((target) => [target, store.count(target)])),
      faults: faults.counts(),
    });

  const setFaults = ({ body }: SandboxRequest): Reply => {
    const texts = listIn(body, 'faults');
    if (texts === undefined || !texts.every((text) => typeof text === 'string')) {
      return refused('the body must be {"faults": ["NAME:KEY=VALUE", …]} or the list alone');
    }
    let parsed: Fault[];
    try {
      parsed = texts.map(parseFault);
    } catch (error) {
      if (error instanceof FaultSyntaxError) return refused(error.message);
      throw error;
    }
    faults.replace(parsed);
    return faultCounts();
  };

  const clearFaults = (): Reply => {
    faults.replace([]);
    return faultCounts();
  };

  const setList = (set: (rows: readonly JsonValue[]) => void) => {
    return ({ body }: SandboxRequest): Reply => {
      const rows = listIn(body, 'data');
      if (rows === undefined) return refused('the body must be a JSON array');
      set(rows);
      return jsonReply(200, { records: rows.length });
    };
  };

  const routes: Record<string, (request: SandboxRequest) => Reply> = {
    'GET /sandbox/records': records,
    'GET /sandbox/stats': stats,
    'GET /sandbox/faults': faultCounts,
    'POST /sandbox/faults': setFaults,
    'DELETE /sandbox/faults': clearFaults,
    'PUT /sandbox/groups': setList(lists.setGroups),
    'PUT /sandbox/receipts': setList(lists.setReceipts),
  };

  return (request) => {
    const route = `${request.method} ${request.path}`;
    const answer = Object.hasOwn(routes, route) ? routes[route] : undefined;
    if (request.method === 'POST' && !/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      return jsonReply(415, { error: 'the body must be sent as content-type: application/json' });
    }
    return answer?.(request) ?? jsonReply(404, { error: `no ${route}; there are ${Object.keys(routes).join(', ')}` });
  };
};

const refused = (words: string): Reply => jsonReply(400, { error: words });

/** The array that a body is, or has under `key`; undefined where it is neither. */
const listIn = (body: string, key: string): JsonValue[] | undefined => {
  try {
    const value = parseJson(body);
    const list = isJsonObject(value) ? value[key] : value;
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
};
