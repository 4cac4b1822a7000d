import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SHIPPED = new URL('../../integrations/okki-product-groups-to-qingyiyun.json', import.meta.url);

/** The shipped integration with shorter waits, as a file in `dir`. Returns its path. */
export const quickIntegration = (dir: string, target: { retry?: object; timeoutMs?: number } = {}): string => {
  const integration = JSON.parse(readFileSync(SHIPPED, 'utf8'));
  const { retry = { maxAttempts: 3, baseMs: 20, capMs: 100 }, timeoutMs = 15_000 } = target;
  Object.assign(integration.target, { retry });
  Object.assign(integration.target.connection, { timeoutMs });
  const file = join(dir, 'quick.json');
  writeFileSync(file, JSON.stringify(integration));
  return file;
};
