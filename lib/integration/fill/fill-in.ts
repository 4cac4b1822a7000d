import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../../json/json.ts';
import { valueAt } from '../../json/path.ts';
import { defined } from '../../runtime/defined.ts';
import { type Finding, warning } from '../check/shape.ts';
import { isUnused } from '../dialect/keys.ts';
import { readOtherResponse } from '../dialect/other-response.ts';
import { leavesOf, type Requests } from '../dialect/request-fields.ts';
import { wrapperIn } from '../dialect/words.ts';
import { besideColumns, billQueryFindings, formFindings, needFindings, singleFindings } from './family.ts';
import { recognisePaging, statedPageSize } from './paging-families.ts';
import type { FindProfile, Profile } from './profile.ts';

/** A file with everything that its blocks and its profiles say filled in; its own settings stand. */
type FilledIn = { raw: JsonValue; findings: Finding[] };

type Side = 'source' | 'target';

const objectAt = (value: JsonObject, key: string): JsonObject => {
  const found = value[key];
  return isJsonObject(found) ? found : {};
};

/** `over`, with what it does not say taken from `under`. Whatever is no object is left to the check of the form. */
const laid = (under: JsonObject | undefined, over: JsonValue | undefined): JsonValue | undefined => {
  if (under === undefined || (over !== undefined && !isJsonObject(over))) return over;
  return { ...under, ...over };
};

const set = (block: JsonObject, key: string, value: JsonValue | undefined): JsonObject =>
  value === undefined ? block : { ...block, [key]: value };

/** The same at every level; a reference is one value: of two the upper one stands as a whole. */
const laidDeep = (under: JsonValue | undefined, over: JsonValue | undefined): JsonValue | undefined => {
  if (over === undefined) return under;
  if (!isJsonObject(under) || !isJsonObject(over) || isReference(under) || isReference(over)) return over;
  const both = Object.keys({ ...under, ...over }).map((key) => [key, laidDeep(under[key], over[key])]);
  return Object.fromEntries(both.filter(([, value]) => value !== undefined));
};

const isReference = (value: JsonObject): boolean =>
  ['env', 'ssm', 'secretsManager'].some((key) => typeof value[key] === 'string');

/** Credentials stay with the file; a profile of another kind of authorisation has nothing to say. */
const withAuth = (block: JsonObject, auth: JsonObject | undefined): JsonObject => {
  const connection = block.connection;
  if (auth === undefined || !isJsonObject(connection)) return block;
  const own = connection.auth;
  if (isJsonObject(own) && own.kind !== undefined && own.kind !== auth.kind) return block;
  return { ...block, connection: set(connection, 'auth', laidDeep(auth, own)) };
};

/** What names the account at systems of this family, where the file says nothing else of it. */
const withAccount = (block: JsonObject, account: JsonValue | undefined): JsonObject => {
  const { connection } = block;
  if (account === undefined || !isJsonObject(connection) || connection.account !== undefined) return block;
  return { ...block, connection: { ...connection, account } };
};

const withPath = (block: JsonObject, paths: Readonly<Record<string, string>> | undefined): JsonObject => {
  const { api } = objectAt(block, 'metadata');
  const path = typeof api === 'string' && paths !== undefined && Object.hasOwn(paths, api) ? paths[api] : undefined;
  return block.path === undefined ? set(block, 'path', path) : block;
};

const withSend = (block: JsonObject, send: JsonObject | undefined): JsonObject =>
  set(block, 'send', laid(send, block.send));

/** A block without what it writes for "not used". */
const withoutUnused = (block: JsonObject): JsonObject => {
  const { metadata } = block;
  if (!isJsonObject(metadata)) return block;
  return { ...block, metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => !isUnused(value))) };
};

/** An export of a list that the platform stores without a key of its own has no id. */
const withId = (source: JsonObject): JsonObject => {
  const { id, metadata } = source;
  const lacksIt = isJsonObject(metadata) && metadata.id === undefined;
  return lacksIt && id !== undefined ? { ...source, metadata: { ...metadata, id } } : source;
};

const answerSaid = (metadata: JsonObject, isCursor: boolean): JsonObject => {
  const { statusKey, statusValue, dataKey, pageKey } = readOtherResponse(metadata.otherResponse);
  return {
    ...defined({ records: dataKey }),
    ...(statusKey === undefined || statusValue === undefined ? {} : { code: statusKey, successCodes: [statusValue] }),
    ...(pageKey === undefined || isCursor ? {} : { total: [pageKey] }),
  };
};

/** A profile's paging with the page size that the block states, where it states one. */
const sized = (
  paging: JsonObject | undefined,
  metadata: JsonObject,
  requests: Requests['source'],
): JsonObject | undefined => {
  const pageSize = statedPageSize(metadata, requests);
  return paging === undefined || pageSize === undefined || paging.pageSize === undefined
    ? paging
    : { ...paging, pageSize };
};

const UNSTATED = 'how the list is paged, since nothing in the block says it: {"kind": "single"} if one answer has all';

const fillSource = (
  pasted: JsonObject,
  profile: Profile['source'],
  requests: Requests['source'],
): { block: JsonObject; findings: Finding[] } => {
  const source = withoutUnused(pasted);
  const metadata = objectAt(source, 'metadata');
  const { pageKey } = readOtherResponse(metadata.otherResponse);
  const recognised = source.paging === undefined ? recognisePaging(metadata, requests, pageKey) : undefined;
  const findings: Finding[] = [];
  let paging = source.paging;
  if (recognised !== undefined && 'paging' in recognised) paging = recognised.paging;
  else paging ??= sized(profile?.paging, metadata, requests);
  if (recognised !== undefined && 'expected' in recognised && paging === undefined) {
    findings.push({ kind: 'fault', ...recognised });
  }
  if (recognised !== undefined && 'unsure' in recognised && paging === undefined) {
    const { isVague, ...said } = recognised.unsure;
    findings.push({ kind: isVague ? 'warning' : 'fault', ...said });
  }
  if (recognised === undefined && paging === undefined && Object.keys(objectAt(metadata, 'pagination')).length > 0) {
    const expected =
      'a request field with {{PAGINATION_START_ROW}}, or source.paging: nothing tells the source which page is asked for';
    findings.push({ kind: 'fault', path: ['source', 'metadata', 'pagination'], expected });
  }
  if (recognised === undefined && paging === undefined && findings.length === 0) {
    findings.push(warning(['source', 'paging'], UNSTATED));
  }
  if (isJsonObject(paging)) {
    const isStated = isJsonObject(source.paging) && source.paging.firstPage !== undefined;
    findings.push(...pageStartFindings(metadata, requests, paging, isStated));
  }
  const isCursor = isJsonObject(paging) && paging.kind === 'cursor';
  const said = { ...profile?.answer, ...answerSaid(metadata, isCursor) };
  let block = withSend(
    withPath(withAccount(withAuth(withId(source), profile?.auth), profile?.account), profile?.paths),
    besideColumns(profile?.send, requests),
  );
  block = set(block, 'answer', laid(Object.keys(said).length > 0 ? said : undefined, source.answer));
  return { block: set(block, 'paging', paging), findings };
};

/** How a profile sends records, with the key that the block wraps its batches in. */
const sentAs = (metadata: JsonObject, send: JsonObject | undefined): JsonObject | undefined => {
  const request = objectAt(send ?? {}, 'request');
  const list = wrapperIn(metadata, request.list);
  return list === undefined ? send : { ...send, request: { ...request, list } };
};

/** Records are sent in one way; what the file says of it is laid over what block and profile say, key by key. */
const withTargetSend = (block: JsonObject, send: JsonObject | undefined): JsonObject => {
  const { send: own } = block;
  if (send === undefined || (own !== undefined && !isJsonObject(own))) return block;
  const request = laid(isJsonObject(send.request) ? send.request : undefined, own?.request);
  return { ...block, send: { ...send, ...own, ...defined({ request }) } };
};

const fillTarget = (pasted: JsonObject, profile: Profile['target'], idCheck: JsonValue | undefined): JsonObject => {
  const target = withoutUnused(pasted);
  const metadata = objectAt(target, 'metadata');
  const { statusKey, statusValue } = readOtherResponse(metadata.otherResponse);
  const rules: JsonObject =
    statusKey === undefined || statusValue === undefined
      ? {}
      : { rules: [{ path: statusKey, equals: [statusValue], required: true }] };
  const said = { ...profile?.success, ...rules };
  let block = withTargetSend(
    withPath(withAccount(withAuth(target, profile?.auth), profile?.account), profile?.paths),
    sentAs(metadata, profile?.send),
  );
  block = set(block, 'success', laid(Object.keys(said).length > 0 ? said : undefined, target.success));
  block = set(block, 'results', laid(profile?.results, target.results));
  const takesOver = typeof idCheck === 'boolean' && isJsonObject(target.metadata) && metadata.idCheck === undefined;
  return takesOver ? { ...block, metadata: { ...metadata, idCheck } } : block;
};

/**
 * Fills in what the pasted blocks (`otherResponse`, `pagination`, the names of request fields) and the profiles say,
 * before the form of the file is checked. In order: the file's own settings, the blocks, the profile, the defaults.
 */
export const fillIn = (raw: JsonValue, requests: Requests, findProfile: FindProfile): FilledIn => {
  if (!isJsonObject(raw)) return { raw, findings: [] };
  const findings: Finding[] = [];
  const profileOf = (side: Side): Profile | undefined => {
    const { profile: name } = objectAt(raw, side);
    if (typeof name !== 'string' || name === '') return undefined;
    const found = findProfile(name);
    if ('profile' in found) return found.profile;
    findings.push({ kind: 'fault', path: [side, 'profile'], expected: found.expected });
    return undefined;
  };
  let filled = raw;
  if (isJsonObject(raw.source)) {
    const profile = profileOf('source')?.source;
    const source = fillSource(raw.source, profile, requests.source);
    findings.push(
      ...source.findings,
      ...billQueryFindings(source.block, requests.source),
      ...singleFindings(source.block),
    );
    findings.push(...needFindings('source', profile, requests.source, source.block));
    filled = { ...filled, source: source.block };
  }
  if (isJsonObject(raw.target)) {
    const { idCheck } = objectAt(objectAt(raw, 'source'), 'metadata');
    const profile = profileOf('target')?.target;
    const target = fillTarget(raw.target, profile, idCheck);
    findings.push(...needFindings('target', profile, requests.target, target));
    findings.push(...formFindings(target, requests.target));
    filled = { ...filled, target };
  }
  return { raw: filled, findings };
};

/** Words in which exports describe a page number that counts from 0. */
const FROM_ZERO = [
  /[从由自]\s*(?:第\s*)?[0０零]\s*(?:页\s*)?(?:开始|始|起|计)/,
  /(?:^|\D)0\s*(?:为|是|表示|代表|即)\s*(?:第\s*[1一]\s*页|首页)/,
  /(?:首页|第[1一]页|起始页?|起始值|默认值?)\s*(?:(?:为|是|[:：=])\s*)?(?:0(?![\d.])|[０零])/,
  /\b(?:0|zero)[-\s]?(?:based|indexed)\b/i,
  /\b(?:start|begin|count)(?:s|ing|ed)?\s+(?:at|from|with)\s+(?:0|zero)\b/i,
  /\bfirst page (?:is|has|=)\s*(?:number\s+)?(?:0|zero)\b/i,
  /\b0\s*(?:is|=)\s*(?:the\s+)?first\s+page\b/i,
  /\bfrom\s+(?:0|zero)\b/i,
];

const trees = ['request', 'otherRequest'] as const;

/**
 * A warning where a list is asked for from page 1 on by a field that is described as counting from 0. `isStated`: the
 * file states the first page itself. Pure.
 */
const pageStartFindings = (
  metadata: JsonObject,
  requests: Requests['source'],
  paging: JsonObject,
  isStated: boolean,
): Finding[] => {
  if (isStated || paging.kind !== 'pageNumber' || (paging.firstPage ?? 1) !== 1) return [];
  return trees.flatMap((tree) =>
    leavesOf(requests[tree])
      .filter(({ path }) => path === paging.pageParam)
      .flatMap(({ at }): Finding[] => {
        const entry = valueAt(metadata, [tree, ...at]);
        if (!isJsonObject(entry)) return [];
        const key = ['describe', 'label'].find((name) => {
          const words = entry[name];
          return typeof words === 'string' && FROM_ZERO.some((pattern) => pattern.test(words));
        });
        if (key === undefined) return [];
        const fromZero = stringifyJson({ ...paging, firstPage: 0 });
        return [
          warning(
            ['source', 'metadata', tree, ...at, key],
            `a page number that counts from 1, as the list is asked for; if the first page is 0, source.paging: ${fromZero}`,
          ),
        ];
      }),
  );
};
