import { ConfigurationError } from '../../runtime/fault.ts';
import type { RateLimitSetting } from '../connection-schema.ts';
import type { BlockPlace } from '../references.ts';
import type { Env } from '../secrets.ts';
import type { RateLimit } from './rate-limit.ts';

/** `60/60s`, `10/1s`: requests per seconds. */
const SETTING = /^(?<requests>[1-9]\d{0,5})\/(?<seconds>[1-9]\d{0,4})s$/;

/**
 * The limit that a setting states, directly or by an environment variable; undefined: none, also where the variable is
 * not set. `malformed` where the variable holds anything but a limit: a typo must not lift the limit.
 */
export const rateLimitOf = (setting: RateLimitSetting | undefined, env: Env): RateLimit | undefined | 'malformed' => {
  if (setting === undefined || 'requests' in setting) return setting;
  const text = env[setting.env]?.trim() ?? '';
  if (text === '') return undefined;
  const { requests, seconds } = SETTING.exec(text)?.groups ?? {};
  return requests === undefined || seconds === undefined
    ? 'malformed'
    : { requests: Number(requests), intervalMs: Number(seconds) * 1000 };
};

/** As `rateLimitOf`, but throws ConfigurationError for what is malformed; `place` is the block that holds `rateLimit`. */
export const limitOf = (
  setting: RateLimitSetting | undefined,
  { file, path }: BlockPlace,
  env: Env,
): RateLimit | undefined => {
  const limit = rateLimitOf(setting, env);
  if (limit !== 'malformed') return limit;
  const variable = setting !== undefined && 'env' in setting ? setting.env : '';
  const expected = `REQUESTS/SECONDSs, such as "60/60s", in environment variable ${variable}`;
  throw new ConfigurationError([{ file, path: `${path}.rateLimit`, expected, found: 'another text' }]);
};
