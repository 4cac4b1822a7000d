import * as z from 'zod/mini';
import { isCompound, type JsonValue, parsedOrUndefined, stringifyJson } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';
import type { Answered } from '../http.ts';
import { isThrottled } from '../reactions.ts';

const path = z
  .string()
  .check(z.minLength(1), z.describe('Dotted path in the answer; a list counts from 0. 响应体中的路径,数组从 0 计。'));
const status = z
  .int()
  .check(z.minimum(100), z.maximum(599), z.describe('Status of the answer, beside path: both must hold. HTTP 状态。'));
const equals = z
  .array(z.union([z.string(), z.number(), z.boolean()], 'a text, a number, true or false'))
  .check(z.minLength(1), z.describe('Values that refuse access, compared as text. 表示被拒绝的取值。'));
const contains = z
  .string()
  .check(z.minLength(1), z.describe('Words that refuse access, anywhere in the value. 表示被拒绝的文字。'));
const none = z.exactOptional(z.never('nothing: a rule has path with equals or contains, or status alone'));

const ruleSchema = () =>
  z.union(
    [
      z.strictObject({ path, equals, contains: none, status: z.exactOptional(status) }),
      z.strictObject({ path, contains, equals: none, status: z.exactOptional(status) }),
      z.strictObject({ status, path: none, equals: none, contains: none }),
    ],
    'a rule such as {"path": "code", "equals": [401]}, {"path": "msg", "contains": "expired"} or {"status": 403}',
  );

const rulesSchema = (description: string) =>
  z.exactOptional(
    z
      .union(
        [ruleSchema(), z.array(ruleSchema()).check(z.minLength(1))],
        'a rule such as {"path": "code", "equals": [401]}, or a list of such rules',
      )
      .check(z.describe(description)),
  );

/** The keys of every scheme that say how this API refuses access beside 401. */
export const refusalKeys = () => ({
  expired: rulesSchema(
    'What refuses the token beside 401, in one rule or a list of rules: it is renewed and the request repeated once. 除 401 外,表示令牌失效的响应。',
  ),
  refused: rulesSchema(
    'What refuses the credentials or the signature themselves: the run stops, and nothing is asked again until the next one. 表示凭证或签名被拒绝的响应:本次运行停止。',
  ),
});

export type AccessRule = z.infer<ReturnType<typeof ruleSchema>>;

/** One rule, or a list of them. */
export const rulesIn = (rules: AccessRule | readonly AccessRule[] = []): readonly AccessRule[] =>
  'length' in rules ? rules : [rules];

/** Compared as texts, since servers write both 401 and "401". */
const isSaid = (value: JsonValue | undefined, rule: AccessRule): boolean => {
  if (value === undefined || value === null) return false;
  if (rule.contains !== undefined) return stringifyJson(value).includes(JSON.stringify(rule.contains).slice(1, -1));
  return !isCompound(value) && (rule.equals ?? []).some((wanted) => String(wanted) === String(value));
};

/** Whether an answer says what a rule looks for, whatever its status. Pure. */
export const fits = ({ status: answered, text, unreadable }: Answered, rule: AccessRule): boolean => {
  if (rule.status !== undefined && rule.status !== answered) return false;
  if (rule.path === undefined) return true;
  return unreadable === undefined && isSaid(readPath(parsedOrUndefined(text), rule.path), rule);
};

/**
 * How an answer refuses what it was asked with. `expired`: by 401 (RFC 9110 §15.5.2) or by a rule of the file.
 * `forbidden`: by a 403, which may mean the token, and may mean what its owner is allowed to do.
 */
export type TokenRefusal = 'expired' | 'forbidden';

/** Whether an answer refuses the token, and how; the file's rules are asked first. Pure. */
export const tokenRefusalIn = (
  answer: Answered,
  rules: readonly AccessRule[],
): { as: TokenRefusal; byRule: boolean } | undefined => {
  if (rules.some((rule) => fits(answer, rule))) return { as: 'expired', byRule: true };
  if (answer.status === 401) return { as: 'expired', byRule: false };
  if (answer.status === 403 && !isThrottled(answer)) return { as: 'forbidden', byRule: false };
  return undefined;
};
