import type { Env } from '../../lib/connection/secrets.ts';
import { readIntegrations } from '../../lib/integration/read.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import { suggestion } from '../../lib/runtime/nearest.ts';
import { SHIPPED_DIR } from '../input/integration-choice.ts';
import { variablesRead } from './sides.ts';

/** Variables of the shipped integrations begin so; one that nobody reads is most likely misspelt. */
const OURS = /^(OKKI|QINGYIYUN|CRM)_/;

/** A line for each variable that looks like one of ours, and that neither this nor a shipped integration reads. */
export const strangeVariables = (integration: Integration, env: Env): string[] => {
  const read = [integration, ...readIntegrations([SHIPPED_DIR]).integrations].flatMap(variablesRead);
  return Object.keys(env)
    .filter((name) => OURS.test(name) && !read.includes(name))
    .map((name) => `! ${name} is set, and nothing reads it${suggestion(name, read)}. 未使用的变量。`);
};
