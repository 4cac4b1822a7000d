import { isJsonObject, type JsonObject, type JsonValue, parsedOrUndefined, stringifyJson } from '../json/json.ts';
import { defined } from '../runtime/defined.ts';
import { isSecretName } from '../runtime/fault.ts';

/** What a new integration file needs and two pasted blocks do not say. */
export const questionKeys = [
  'name',
  'title',
  'schedule',
  'sourceName',
  'sourceProfile',
  /** OAuth scope: the modules that are asked for. */
  'sourceScope',
  /** Path of the record's primary key. */
  'sourceId',
  /** 金蝶's business forms, where the blocks name none. */
  'sourceForm',
  'targetForm',
  /** Where a list of changes begins, in Beijing's time. */
  'windowInitial',
  'targetName',
  'targetProfile',
  /** Path of the request to the target. */
  'targetPath',
  'onUncertain',
] as const;
export type QuestionKey = (typeof questionKeys)[number];
export type Question = { key: QuestionKey; suggestion?: string };
export type Answers = Readonly<Partial<Record<QuestionKey, string>>>;

const NAME_AS_PATH = /^[\w.~-]+(\/[\w.~-]+)*$/;

const apiOf = (block: JsonObject): string => (typeof block.api === 'string' ? block.api : '');

/** A name out of the words of a path: `/v1/product/groups` → `product-groups`. */
const wordsOf = (api: string): string =>
  api
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '' && !/^v\d+$/.test(word))
    .slice(-2)
    .join('-');

const asksForChanges = (source: JsonObject): boolean =>
  stringifyJson([source.request ?? null, source.otherRequest ?? null]).includes('LAST_SYNC_TIME');

const needsPath = (block: JsonObject, isQingyiyun: boolean): boolean =>
  !apiOf(block).startsWith('/') && !NAME_AS_PATH.test(apiOf(block)) && !isQingyiyun;

/** The profile that an `api` speaks for. */
const likelyProfile = (api: string): string => {
  if (api === '写入空操作') return 'qingyiyun';
  if (/^(executeBillQuery|batchSave)$/i.test(api)) return 'kingdee';
  return /^\/v1\/(product|company|invoices|customer)\//.test(api) ? 'okki' : 'generic-rest';
};

const listIn = (block: JsonObject, key: string): JsonValue[] => {
  const found = block[key];
  return Array.isArray(found) ? found : [];
};

const hasField = (block: JsonObject, name: string): boolean =>
  [...listIn(block, 'request'), ...listIn(block, 'otherRequest')].some(
    (one) => isJsonObject(one) && one.field === name,
  );

/** A block with the form that was asked for, as a parameter of the adapter. */
const withForm = (block: JsonObject, field: string, value: string | undefined): JsonObject =>
  value === undefined ? block : { ...block, otherRequest: [...listIn(block, 'otherRequest'), { field, value }] };

/** OKKI's module that a path belongs to: `/v1/product/groups` → `product`. */
const moduleOf = (api: string): string => api.split('/')[2] ?? 'product';

/** What is asked of whoever pastes two blocks; credentials are no question. */
export const questionsFor = (source: JsonObject, target: JsonObject): Question[] => {
  const sourceProfile = likelyProfile(apiOf(source));
  const targetProfile = likelyProfile(apiOf(target));
  const name = `${wordsOf(apiOf(source)) || 'source'}-to-${wordsOf(apiOf(target)) || targetProfile}`;
  const isOkki = sourceProfile === 'okki';
  const isQingyiyun = targetProfile === 'qingyiyun';
  const hasId = typeof source.id === 'string' && source.id !== '';
  return [
    { key: 'name', suggestion: name },
    { key: 'title', suggestion: name },
    { key: 'schedule', suggestion: 'rate(1 hour)' },
    { key: 'sourceName', suggestion: isOkki ? 'okki' : 'source' },
    { key: 'sourceProfile', suggestion: sourceProfile },
    ...(isOkki ? [{ key: 'sourceScope', suggestion: moduleOf(apiOf(source)) } as const] : []),
    ...(hasId ? [] : [{ key: 'sourceId' } as const]),
    ...(sourceProfile === 'kingdee' && !hasField(source, 'FormId') ? [{ key: 'sourceForm' } as const] : []),
    ...(asksForChanges(source) ? [{ key: 'windowInitial', suggestion: '2020-01-01 00:00:00' } as const] : []),
    { key: 'targetName', suggestion: isQingyiyun ? 'qingyiyun' : 'target' },
    { key: 'targetProfile', suggestion: targetProfile },
    ...(needsPath(target, isQingyiyun) ? [{ key: 'targetPath', suggestion: '/execute' } as const] : []),
    ...(targetProfile === 'kingdee' && !hasField(target, 'formid') ? [{ key: 'targetForm' } as const] : []),
    { key: 'onUncertain', suggestion: 'park' },
  ];
};

/** The variable that holds something of a connection: `OKKI_BASE_URL`. */
const variable = (connection: string, what: string): JsonObject => ({
  env: `${connection.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}_${what}`,
});

/** Authorisation by reference, as the profile's family has it. */
const authOf = (connection: string, profile: string, scope: string | undefined): JsonObject =>
  profile === 'okki'
    ? {
        kind: 'oauth2',
        grant: 'client_credentials',
        tokenPath: '/v1/oauth2/access_token',
        clientId: variable(connection, 'CLIENT_ID'),
        clientSecret: variable(connection, 'CLIENT_SECRET'),
        ...defined({ scope }),
      }
    : { kind: 'bearer', token: variable(connection, 'TOKEN'), optional: true };

const connectionOf = (name: string, profile: string, scope?: string): JsonObject => ({
  name,
  baseUrl: variable(name, 'BASE_URL'),
  auth: authOf(name, profile, scope),
});

const isLiteral = (value: JsonValue | undefined): boolean =>
  (typeof value === 'string' && value !== '' && !value.includes('{{')) || typeof value === 'number';

/** A block without the constants that look like credentials: those belong into the connection's variables. */
const withoutSecrets = (value: JsonValue, leftOut: (name: string) => void): JsonValue => {
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, leftOut));
  if (!isJsonObject(value)) return value;
  const { field } = value;
  const isSecretField = typeof field === 'string' && isSecretName(field) && isLiteral(value.value);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const isSecret =
        isSecretField && key === 'value' ? field : isSecretName(key) && isLiteral(inner) ? key : undefined;
      if (isSecret === undefined) return [key, withoutSecrets(inner, leftOut)];
      leftOut(isSecret);
      return [key, ''];
    }),
  );
};

/** A new integration file, and the names of the constants that its blocks lost. */
export type Draft = { file: JsonObject; leftOut: string[] };

/** A new integration file: the blocks as pasted, but for secrets, and the answers around them. */
export const draftIntegration = (source: JsonObject, target: JsonObject, answers: Answers): Draft => {
  const answer = (key: QuestionKey): string => answers[key] ?? '';
  const leftOut: string[] = [];
  const cleaned = (block: JsonObject): JsonValue => withoutSecrets(block, (name) => leftOut.push(name));
  const file = {
    $schema: '../docs/integration.schema.json',
    name: answer('name'),
    title: answer('title'),
    schedule: { expression: answer('schedule') },
    source: {
      profile: answer('sourceProfile'),
      connection: connectionOf(answer('sourceName'), answer('sourceProfile'), answers.sourceScope),
      ...defined({ id: answers.sourceId }),
      metadata: cleaned(withForm(source, 'FormId', answers.sourceForm)),
      ...(answers.windowInitial !== undefined && { window: { initial: answers.windowInitial } }),
    },
    target: {
      profile: answer('targetProfile'),
      connection: connectionOf(answer('targetName'), answer('targetProfile')),
      ...defined({ path: answers.targetPath }),
      metadata: cleaned(withForm(target, 'formid', answers.targetForm)),
      onUncertain: answer('onUncertain'),
    },
  };
  return { file, leftOut };
};

/** Two blocks in one text: as a JSON array of both, or one after the other; undefined where they are not there. */
export const blocksIn = (text: string): [JsonObject, JsonObject] | undefined => {
  const plain = text.replace(/^\uFEFF/, '').trim();
  const listed = parsedOrUndefined(plain);
  if (Array.isArray(listed) && listed.length === 2 && isJsonObject(listed[0]) && isJsonObject(listed[1])) {
    return [listed[0], listed[1]];
  }
  // The first object ends at the first brace up to which the text is JSON.
  for (let end = plain.indexOf('}') + 1; end > 0; end = plain.indexOf('}', end) + 1) {
    const first = parsedOrUndefined(plain.slice(0, end));
    if (!isJsonObject(first)) continue;
    const second = parsedOrUndefined(plain.slice(end).replace(/^\s*,/, ''));
    return isJsonObject(second) ? [first, second] : undefined;
  }
  return undefined;
};
