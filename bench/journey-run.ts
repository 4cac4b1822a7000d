// One whole journey in a process of its own, so that its peak memory is nobody else's: `journey-run.ts RECORDS`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../cli/commands/run.ts';
import { fileWithoutCeiling, groupsOfPage, PAGE_RECORDS, shippedIntegration } from './groups.ts';

/** Follows the run's own report, on a line of its own. */
export type JourneyCost = {
  exitCode: number;
  processorSeconds: number;
  peakMegabytes: number;
};

const total = Number(process.argv[2]);
const dir = mkdtempSync(join(tmpdir(), 'okki-journey-'));
try {
  const groups = join(dir, 'groups.json');
  const pages = Array.from({ length: Math.ceil(total / PAGE_RECORDS) }, (_, page) => groupsOfPage(page, total));
  writeFileSync(groups, JSON.stringify(pages.flat()));
  const integration = join(dir, `${shippedIntegration().name}.json`);
  writeFileSync(integration, JSON.stringify(fileWithoutCeiling()));
  const exitCode = await runCommand({ integration, dataDir: join(dir, 'data'), groups, json: true });
  const { user, system } = process.cpuUsage();
  // Linux and libuv count in kilobytes.
  const peakMegabytes = process.resourceUsage().maxRSS / 1024;
  const cost: JourneyCost = { exitCode, processorSeconds: (user + system) / 1_000_000, peakMegabytes };
  process.stdout.write(`${JSON.stringify(cost)}\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
