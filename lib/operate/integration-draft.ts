import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../json/json.ts';
import { defined } from '../runtime/defined.ts';

/** What a new integration file needs and two pasted blocks do not say. */
export type Question = { key: string; words: string; suggestion?: string };
export type Answers = Readonly<Record<string, string>>;

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

const needsPath = (block: JsonObject, profile: string | undefined): boolean =>
  !apiOf(block).startsWith('/') && !NAME_AS_PATH.test(apiOf(block)) && profile === undefined;

/** The profile that an `api` speaks for. */
const likelyProfile = (api: string): string => {
  if (api === '写入空操作') return 'qingyiyun';
  return /^\/v1\/(product|company|invoices|customer)\//.test(api) ? 'okki' : 'generic-rest';
};

/** OKKI's module that a path belongs to: `/v1/product/groups` → `product`. */
const moduleOf = (api: string): string => api.split('/')[2] ?? 'product';

/** What is asked of whoever pastes two blocks; credentials are no question. */
export const questionsFor = (source: JsonObject, target: JsonObject, profiles: readonly string[]): Question[] => {
  const sourceProfile = likelyProfile(apiOf(source));
  const targetProfile = likelyProfile(apiOf(target));
  const name = `${wordsOf(apiOf(source)) || 'source'}-to-${wordsOf(apiOf(target)) || targetProfile}`;
  const list = profiles.join(', ');
  const hasId = typeof source.id === 'string' && source.id !== '';
  return [
    { key: 'name', words: 'Name of the integration 集成名', suggestion: name },
    { key: 'title', words: 'Title for people 标题', suggestion: name },
    { key: 'schedule', words: 'Schedule 调度', suggestion: 'rate(1 hour)' },
    {
      key: 'sourceName',
      words: 'Connection name of the source 源连接名',
      suggestion: sourceProfile === 'okki' ? 'okki' : 'source',
    },
    { key: 'sourceProfile', words: `Profile of the source (${list}, or a file) 源画像`, suggestion: sourceProfile },
    ...(sourceProfile === 'okki'
      ? [{ key: 'sourceScope', words: 'Modules asked for (OAuth scope) 授权范围', suggestion: moduleOf(apiOf(source)) }]
      : []),
    ...(hasId ? [] : [{ key: 'sourceId', words: "Path of the record's primary key 主键字段" }]),
    ...(asksForChanges(source)
      ? [
          {
            key: 'windowInitial',
            words: 'First changes from (Beijing) 首次增量起点',
            suggestion: '2020-01-01 00:00:00',
          },
        ]
      : []),
    {
      key: 'targetName',
      words: 'Connection name of the target 目标连接名',
      suggestion: targetProfile === 'qingyiyun' ? 'qingyiyun' : 'target',
    },
    { key: 'targetProfile', words: `Profile of the target (${list}, or a file) 目标画像`, suggestion: targetProfile },
    ...(needsPath(target, targetProfile === 'qingyiyun' ? targetProfile : undefined)
      ? [{ key: 'targetPath', words: 'Path of the request to the target 目标请求路径', suggestion: '/execute' }]
      : []),
    {
      key: 'onUncertain',
      words: 'After an unknown outcome: resend (the target knows the id again) or park (a person decides) 结果未知时',
      suggestion: 'park',
    },
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

/** What may hold a secret in a block that somebody pasted. */
const SECRET =
  /secret|password|passwd|pwd|token|(?:app|api|access|private|session)_?key|authorization|credential|cookie|密码|密钥|令牌/i;

const isLiteral = (value: JsonValue | undefined): boolean =>
  (typeof value === 'string' && value !== '' && !value.includes('{{')) || typeof value === 'number';

/** A block without the constants that look like credentials: those belong into the connection's variables. */
export const withoutSecrets = (value: JsonValue, leftOut: (name: string) => void = () => {}): JsonValue => {
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, leftOut));
  if (!isJsonObject(value)) return value;
  const { field } = value;
  const isSecretField = typeof field === 'string' && SECRET.test(field) && isLiteral(value.value);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const isSecret =
        isSecretField && key === 'value' ? field : SECRET.test(key) && isLiteral(inner) ? key : undefined;
      if (isSecret === undefined) return [key, withoutSecrets(inner, leftOut)];
      leftOut(isSecret);
      return [key, ''];
    }),
  );
};

/** A new integration file: the blocks as pasted, but for secrets, and the answers around them. */
export const draftIntegration = (source: JsonObject, target: JsonObject, answers: Answers): JsonObject => {
  const answer = (key: string): string => answers[key] ?? '';
  return {
    $schema: '../../docs/integration.schema.json',
    name: answer('name'),
    title: answer('title'),
    schedule: { expression: answer('schedule') },
    source: {
      profile: answer('sourceProfile'),
      connection: connectionOf(answer('sourceName'), answer('sourceProfile'), answers.sourceScope),
      ...defined({ id: answers.sourceId }),
      metadata: withoutSecrets(source),
      ...(answers.windowInitial === undefined ? {} : { window: { initial: answers.windowInitial } }),
    },
    target: {
      profile: answer('targetProfile'),
      connection: connectionOf(answer('targetName'), answer('targetProfile')),
      ...defined({ path: answers.targetPath }),
      metadata: withoutSecrets(target),
      onUncertain: answer('onUncertain'),
    },
  };
};
