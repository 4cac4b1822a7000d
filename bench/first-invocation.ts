import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { SERVICE_DIR } from '../cli/input/integration-choice.ts';
import { startEmbedded } from '../cli/stack/embedded.ts';
import { contentHash } from '../lib/idcheck/hash.ts';
import { sides } from '../lib/runs/ends.ts';
import { shippedIntegration } from './groups.ts';

/** A bundle that is loaded and invoked once. */
export type Invoked = { name: string; file: string; event: 'record' | 'schedule' };

/** What a new process took to import the handler, and then for the handler's first event. */
export type FirstInvocation = { importMs: number; handleMs: number; processorMs: number };

const integration = shippedIntegration().name;
const FIRST_MS = Date.UTC(2026, 0, 5, 1);

/** Event number `n`, new to the stack each time: a record, or a run, one a minute. */
const recordEvent = (n: number) => {
  const id = String(5_203_300_076 + n);
  const body = { number: '电子产品', id, 编码: '电子产品' };
  const counts = { attempts: 0, deferrals: 0 };
  const times = { versionMs: FIRST_MS, firstSentMs: FIRST_MS };
  const runId = `${integration}-20260105T010000Z`;
  const message = { v: 1, integration, runId, id, hash: contentHash(body), body, ...counts, ...times };
  return { Records: [{ messageId: id, body: JSON.stringify(message) }] };
};

const scheduleEvent = (n: number) => {
  const scheduledTime = new Date(FIRST_MS + n * 60_000).toISOString();
  return { kind: 'schedule', integration, scheduledTime };
};

const eventOf = { record: recordEvent, schedule: scheduleEvent };

// The log goes to stdout.
const script = (file: string, event: unknown): string => `
  const began = performance.now();
  const used = process.cpuUsage();
  const { handler } = await import(${JSON.stringify(file)});
  const imported = performance.now();
  await handler(${JSON.stringify(event)}, { getRemainingTimeInMillis: () => 60_000 });
  const handled = performance.now();
  const { user, system } = process.cpuUsage(used);
  const result = {
    importMs: imported - began,
    handleMs: handled - imported,
    processorMs: (user + system) / 1000,
  };
  process.stderr.write(JSON.stringify(result), () => process.exit());
`;

/**
 * The first invocation of each bundle in a new process, in turns, on the embedded stack and the sandbox: one record for
 * `load`, a run over an empty list for `fetch`. AWS answers over plain HTTP here, so Node loads a little more than in
 * Lambda. The embedded servers' own time is the same for every bundle.
 */
export const firstInvocations = async (
  bundles: readonly Invoked[],
  rounds: number,
): Promise<Map<string, FirstInvocation[]>> => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'okki-bench-first-'));
  const paths = path.join(SERVICE_DIR, 'integrations');
  const run = { integration: shippedIntegration(), paths, needs: sides, groups: [] };
  const { stack, variables, close } = await startEmbedded({ dataDir, run });
  try {
    const { INTEGRATIONS: _, ...stackEnv } = stack.env;
    const env = { ...stackEnv, ...variables, QINGYIYUN_RATE_LIMIT: '1000/1s', LAMBDA_TASK_ROOT: SERVICE_DIR };
    const taken = new Map(bundles.map(({ name }) => [name, [] as FirstInvocation[]]));
    let events = 0;
    for (let round = 0; round < rounds; round++) {
      for (const { name, file, event } of bundles) {
        const args = ['--input-type=module', '--eval', script(file, eventOf[event](events++))];
        const { stderr } = await promisify(execFile)(process.execPath, args, { env });
        taken.get(name)?.push(JSON.parse(stderr) as FirstInvocation);
      }
    }
    return taken;
  } finally {
    await close();
    rmSync(dataDir, { recursive: true, force: true });
  }
};
