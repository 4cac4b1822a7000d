import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Changes, changedText, type ShippedName } from '../integration/sample.ts';

/** A copy of a shipped integration file with changes by dotted path, in `dir`; gives its path. */
export const integrationCopy = (dir: string, name: ShippedName, changes: Changes): string => {
  const file = join(dir, `${name}.json`);
  writeFileSync(file, changedText(name, changes));
  return file;
};

/** The integration that takes one record a request, with short waits between its tries. */
export const quickIntegration = (dir: string, changes: Changes = {}): string =>
  integrationCopy(dir, 'okki-product-groups-to-qingyiyun', {
    'target.retry': { maxAttempts: 3, baseMs: 20, capMs: 100 },
    ...changes,
  });
