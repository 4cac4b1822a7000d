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
  .check(z.minLength(1), z.describe('Values that refuse the token, compared as text. 表示令牌失效的取值。'));
const contains = z
  .string()
  .check(z.minLength(1), z.describe('Words that refuse the token, anywhere in the value. 表示令牌失效的文字。'));
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

/** The key of every scheme that says how this API refuses a token beside 401. */
export const expiredKey = () => ({
  expired: z.exactOptional(
    z
      .union(
        [ruleSchema(), z.array(ruleSchema()).check(z.minLength(1))],
        'a rule such as {"path": "code", "equals": [401]}, or a list of such rules',
      )
      .check(
        z.describe(
          'What refuses the token beside 401, in one rule or a list of rules: it is renewed and the request repeated once. 除 401 外,表示令牌失效的响应。',
        ),
      ),
  ),
});

export type ExpiredRule = z.infer<ReturnType<typeof ruleSchema>>;

/** Compared as texts, since servers write both 401 and "401". */
const isSaid = (value: JsonValue | undefined, rule: ExpiredRule): boolean => {
  if (value === undefined || value === null) return false;
  if (rule.contains !== undefined) return stringifyJson(value).includes(JSON.stringify(rule.contains).slice(1, -1));
  return !isCompound(value) && (rule.equals ?? []).some((wanted) => String(wanted) === String(value));
};

const fits = ({ status: answered, text, unreadable }: Answered, rule: ExpiredRule): boolean => {
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
  rules: readonly ExpiredRule[],
): { as: TokenRefusal; byRule: boolean } | undefined => {
  if (rules.some((rule) => fits(answer, rule))) return { as: 'expired', byRule: true };
  if (answer.status === 401) return { as: 'expired', byRule: false };
  if (answer.status === 403 && !isThrottled(answer)) return { as: 'forbidden', byRule: false };
  return undefined;
};
