import { existsSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { newDir, nonZero, runJson, startProgram } from './program.ts';

/**
 * The path of Google's product taxonomy of 2012-01-13 in Chinese (lines of `id - A > B > C`), which is not part of this
 * project; without it the test says so and is skipped.
 */
const FILE = process.env.OKKI_GROUPS_FILE ?? '';
const COUNT = 4_586;
const isThere = existsSync(FILE);
if (!isThere) console.info(`skipped: set OKKI_GROUPS_FILE to a taxonomy of ${COUNT} groups`);

test.runIf(isThere)(
  `${COUNT} real groups through a sandbox of its own: each is held once, applied once`,
  async () => {
    const sandbox = startProgram(['sandbox', '--groups', FILE, '--port', '0']);
    onTestFinished(async () => {
      sandbox.kill('SIGTERM');
      await sandbox.ended;
    });
    const url = await sandbox.printed(/http:\/\/127\.0\.0\.1:\d+/);
    const env = {
      OKKI_BASE_URL: url,
      OKKI_CLIENT_ID: 'sandbox',
      OKKI_CLIENT_SECRET: 'sandbox',
      QINGYIYUN_BASE_URL: url,
    };
    const { code, report } = await runJson(['--data-dir', newDir()], env);
    expect(nonZero(report.counts)).toEqual({ fetched: COUNT, enqueued: COUNT, loaded: COUNT });
    expect({ code, balanced: report.balanced, requests: report.requests.target }).toEqual({
      code: 0,
      balanced: true,
      requests: COUNT,
    });
    const held = (await (await fetch(`${url}/sandbox/records?target=qingyiyun`)).json()) as { applied: number }[];
    expect(held).toHaveLength(COUNT);
    expect(new Set(held.map(({ applied }) => applied))).toEqual(new Set([1]));
    console.info(`${COUNT} groups in ${(report.durationMs / 1000).toFixed(1)} s`);
  },
  180_000,
);
