import { dirname, resolve } from 'node:path';
import * as z from 'zod/mini';
import { accountSchema } from '../../connection/api/connection.ts';
import { type JsonObject, type JsonValue, parseJson } from '../../json/json.ts';
import { suggestion } from '../../runtime/nearest.ts';
import { NotUtf8Error, readUtf8 } from '../../runtime/utf8.ts';
import { sourceSendSchema, targetSendSchema } from '../schema/parts.ts';
import genericRest from './profiles/generic-rest.json' with { type: 'json' };
import kingdee from './profiles/kingdee.json' with { type: 'json' };
import okki from './profiles/okki.json' with { type: 'json' };
import qingyiyun from './profiles/qingyiyun.json' with { type: 'json' };

const block = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));

const end = {
  account: z.exactOptional(accountSchema()),
  auth: z.exactOptional(block.check(z.describe('Laid under connection.auth. connection.auth 的默认值。'))),
  paths: z.exactOptional(
    z
      .record(z.string(), z.string().check(z.regex(/^\//, 'a path that starts with /')))
      .check(z.describe('metadata.api → path of the request. 接口名对应的请求路径。')),
  ),
  needs: z.exactOptional(
    z
      .record(z.string(), z.string().check(z.minLength(1)))
      .check(
        z.describe(
          'Fields of otherRequest that the family cannot do without → what they say. 必需的 otherRequest 字段。',
        ),
      ),
  ),
};

/** How an API family carries parameters, lists, status and authorisation: defaults, laid under an integration's own. */
export const profileSchema = z.strictObject({
  $schema: z.exactOptional(z.string()),
  name: z.string().check(z.minLength(1), z.describe('Name of the profile. 画像名称。')),
  title: z.string().check(z.minLength(1), z.describe('Title for people. 标题。')),
  source: z.exactOptional(
    z.strictObject({
      ...end,
      send: z.exactOptional(sourceSendSchema),
      answer: z.exactOptional(block.check(z.describe('Laid under source.answer. source.answer 的默认值。'))),
      paging: z.exactOptional(
        block.check(z.describe('Paging of lists whose block tells none. 元数据未说明时的分页方式。')),
      ),
    }),
  ),
  target: z.exactOptional(
    z.strictObject({
      ...end,
      send: z.exactOptional(targetSendSchema),
      success: z.exactOptional(block.check(z.describe('Laid under target.success. target.success 的默认值。'))),
      results: z.exactOptional(block.check(z.describe('Laid under target.results. target.results 的默认值。'))),
    }),
  ),
});

export type Profile = z.infer<typeof profileSchema>;

const shipped: Readonly<Record<string, unknown>> = { okki, qingyiyun, kingdee, 'generic-rest': genericRest };

/** The names of the shipped profiles. */
export const profileNames: readonly string[] = Object.keys(shipped);

/** A profile, or what was expected in the place of its name. */
type FoundProfile = { profile: Profile } | { expected: string };

/** Finds the profile that an integration file names: a shipped one, or the file at a path from the file's own folder. */
export type FindProfile = (name: string) => FoundProfile;

const check = (raw: unknown, name: string): FoundProfile => {
  const { success, data, error } = z.safeParse(profileSchema, raw);
  if (success) return { profile: data };
  const places = error.issues.map(({ path, message }) => `${path.join('.') || 'the whole'} (${message})`).join(', ');
  return { expected: `a profile without faults; in ${name}: ${places}` };
};

const readProfile = (path: string): FoundProfile => {
  let raw: JsonValue;
  try {
    raw = parseJson(readUtf8(path));
  } catch (error) {
    if (error instanceof NotUtf8Error)
      return { expected: `a profile saved as UTF-8 (请另存为 UTF-8); ${error.message}` };
    const { code = 'no JSON' } = error as NodeJS.ErrnoException;
    return { expected: `a readable profile; ${path}: ${code}` };
  }
  return check(raw, path);
};

/** Finds profiles as the integration file at `file` names them. */
export const profilesBeside =
  (file: string): FindProfile =>
  (name) => {
    if (Object.hasOwn(shipped, name)) return check(shipped[name], name);
    if (name.endsWith('.json')) return readProfile(resolve(dirname(file), name));
    return {
      expected: `one of ${profileNames.join(', ')}${suggestion(name, profileNames)}, or the path of a profile (.json)`,
    };
  };
